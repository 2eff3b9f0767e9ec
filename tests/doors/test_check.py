"""`check` names every mistake of every file at once: settings, templates and mappings of imports, each once."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app
from tests.doors.builders import rewrite, the_example_in

PUSH = "templates/winback/_default/push.yaml"


@pytest.fixture
def project(tmp_path):
    return the_example_in(tmp_path)


def mistakes(project):
    done = CliRunner().invoke(app, ["-C", str(project), "--json", "check"])
    found = [f"{one['file']}:{one['line']} {one['text']}" for one in json.loads(done.stdout)["mistakes"]]
    assert done.exit_code == (1 if found else 0)
    return found


def test_the_example_has_no_mistake(project):
    assert mistakes(project) == []


def test_a_mistake_in_the_settings_hides_none_in_the_templates(project):
    rewrite(project / "config/campaigns/welcome_back.yaml", "topic: offers", "topic: ofers")
    rewrite(project / "config/segments/lapsed.yaml", "event: purchase", "event: purchas")
    rewrite(project / PUSH, "userAttribute.firstName", "userAttribute.firstNaem")
    found = mistakes(project)
    assert [line.partition(" ")[0] for line in found] == [
        "config/campaigns/welcome_back.yaml:5",
        "config/segments/lapsed.yaml:3",
        f"{PUSH}:1",
    ]


SETTINGS, WINBACK, STAFF = (
    "config/orchestrator.yaml",
    "config/campaigns/winback.yaml",
    "config/segments/staff.yaml",
)


@pytest.mark.parametrize(
    ("file", "old", "new", "also"),
    [
        (SETTINGS, "topics:", "topcs:", "no key 'topcs'"),
        (SETTINGS, "consent: opt_in", "consent: optin", "topics.offers.consent: 'optin' is not possible"),
        (SETTINGS, "senders:", "sendrs:", "no key 'sendrs'"),
        (SETTINGS, "locales: [en]", "locales: [english]", "locales[0]: 'english' is not a locale"),
        (SETTINGS, "locales: [en]", "", "the key 'locales' is missing"),
        (SETTINGS, "deliver: everyone", "deliver: everybody", "environments.live.deliver: 'everybody' is not possible"),
        (SETTINGS, "email: [mail", "emial: [mail", "route: 'emial' is not possible"),
        ("config/data.yaml", "firstName: text", "firstName: txet", "attributes.firstName: 'txet' is not possible"),
        ("config/data.yaml", "attributes:", "atributes:", "no key 'atributes'"),
        (WINBACK, "state: live", "sate: live", "no key 'sate'"),
        (WINBACK, "kind: marketing ", "knid: marketing ", "no key 'knid'"),
        (WINBACK, "repeat: after 90 days", "repeat: after 3 months", "repeat: 'after 3 months' is not a rule for repeating"),
    ],
    ids=lambda value: value if " " not in value else None,
)  # fmt: skip
def test_a_slip_in_one_file_hides_no_other_mistake_and_makes_up_none(project, file, old, new, also):
    """A topic, an event, a segment, a variable, a filter and a sender that are not there, beside any slip."""
    rewrite(project / "config/campaigns/welcome_back.yaml", "topic: offers", "topic: ofers")
    rewrite(project / STAFF, "any:", "any:\n  - {unsubscribed: email, topic: oofers}\n  - {event: purchas}")
    rewrite(project / WINBACK, "one_time_buyers, lapsed]", "one_time_buyers, lapsd]")
    rewrite(project / PUSH, "userAttribute.firstName", "userAttribute.firstNaem | upr")
    rewrite(project / "templates/winback/lapsed_vips/email.mjml", "from: offers", "from: ofers")
    before = set(texts(project))
    assert len(before) == 7
    rewrite(project / file, old, new)
    now = set(texts(project))
    assert now - before == {f"{file} {also}"}
    assert before <= now, before - now


def texts(project):
    """Each mistake's file and text; an edit moves lines."""
    return [line.partition(":")[0] + " " + line.partition(" ")[2] for line in mistakes(project)]


def test_a_slip_in_a_head_hides_no_mistake_of_its_line(project):
    rewrite(project / PUSH, "ttl: 12 hours", 'ttl: 12 hours\ndata: {a: NO, b: "{{ userAttribute.naem | upr }}"}')
    assert [line.partition(" ")[2] for line in mistakes(project)] == [
        "NO is text here, but false to tools that read YAML 1.1",
        "no filter 'upr'",
        "userAttribute.naem: no attribute 'naem'",
    ]


def test_a_message_that_fails_for_whomever_it_is_written_is_a_mistake(project):
    rewrite(project / PUSH, 'body: "', 'body: "{{ userAttribute.firstName | currency(1 // 0) }}')
    rewrite(project / "templates/winback/_default/email.mjml", "{{ copy.title }}", "{{ copy.title | date }}")
    found = mistakes(project)
    # The variant inherits both from the plain file: its place is the same, and it is said once.
    assert [line.partition(":")[0] for line in found] == ["templates/winback/_default/email.mjml", PUSH]
    assert all("the message cannot be written: " in line for line in found)


def test_templates_are_read_although_the_settings_cannot_be(project):
    rewrite(project / SETTINGS, "topics:", "topics: [")
    rewrite(project / PUSH, "userAttribute.firstName", "userAttribute.firstNaem")
    rewrite(project / WINBACK, "event: purchase", "event: purchas")
    assert [line.partition(":")[0] for line in mistakes(project)] == [WINBACK, SETTINGS, PUSH]


def test_templates_are_read_although_their_campaign_cannot_be(project):
    rewrite(project / WINBACK, "about:", "about: [")
    rewrite(project / PUSH, "userAttribute.firstName", "userAttribute.firstNaem")
    found = mistakes(project)
    assert [line.partition(":")[0] for line in found] == [WINBACK, PUSH]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('title: "New in', 'kind: NO\ntitle: "New in', f"{PUSH}:1 NO is text here, but false to tools that read YAML 1.1"),
        ("ttl: 12 hours", "ttl: 12 hours\nttl: 13 hours", f"{PUSH}:7 the key 'ttl' stands here twice"),
        ("link: shop://new", "link: !!python/name:os.system x", f"{PUSH}:3 the tag !!python/name:os.system is not read here"),
        ('body: "Your', "body: {{ Your", f"{PUSH}:2 {{{{ }}}} stands here without quotes"),
    ],
    ids=["1.1", "twice", "tag", "braces"],
)  # fmt: skip
def test_the_head_of_a_template_is_read_as_strictly_as_the_settings(project, old, new, text):
    rewrite(project / PUSH, old, new)
    found = mistakes(project)
    assert text in found
    assert len([line for line in found if line.partition(" ")[0] == text.partition(" ")[0]]) == 1


def test_a_bomb_of_aliases_in_a_head_is_refused(project):
    lines = ["copy:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 6)]
    (project / PUSH).write_text('title: "x"\nbody: "y"\n' + "\n".join(lines) + "\n")
    assert any(line.startswith(PUSH) and "unfolds to more than" in line for line in mistakes(project))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("columns: {mail: email}\nseparater: ';'\n", ":2 no key 'separater'"),
        ("columns: {mail: email}\nzone: Europe/Viena\n", ":2 zone: no time zone 'Europe/Viena'"),
        ("columns:\n  mail: email\n  mail: user\n", ":3 the key 'mail' stands here twice"),
        ("header: NO\n", ":1 NO is text here, but false"),
        ("columns:\n  id: usr\n", ":2 columns.id: nothing is called 'usr'"),
        ("columns: [user, cuontry]\n", ":1 columns[1]: nothing is called 'cuontry'"),
        ("columns: {x: {to: ammount, is: number}}\n", ":1 columns.x.to: nothing is called 'ammount'"),
    ],
    ids=["key", "zone", "twice", "1.1", "user", "attribute", "property"],
)
def test_mappings_of_imports_are_checked_too(project, content, text):
    path = "config/imports/customers.yaml"
    (project / path).parent.mkdir()
    (project / path).write_text(content)
    found = mistakes(project)
    assert len(found) == 1
    assert found[0].startswith(f"{path}{text}")


MANY = """\
columns:
  customer_no: user
  mail: {to: email, iss: text}
  newsletter: consent.email.offerz
  app: consent.puhs.offers
  seen: {is: tiem, format: 5}
  signed_up: {to: createdAt, is: time, zone: Europe/Wien}
  second_mail: email
zone: "+02:00"
separator: ";;"
encoding: latin-47
event: message.sent
channel: pigeon
"""
SAID = """\
:3:21 columns.mail: no key 'iss' · Did you mean `is`? Allowed: to, is, format, zone, decimal, means_yes, means_no, means_nothing.
:4:15 columns.newsletter: no topic 'offerz' · Did you mean `offers`? Allowed: offers.
:5:8 columns.app: no channel 'puhs' · Did you mean `push`? Allowed: push, email, in_app, sms, webhook.
:6:9 columns.seen: the key 'to' is missing · It says where the column goes.
:6:14 columns.seen.is: no kind 'tiem' · Did you mean `time`? Allowed: text, number, boolean, date, time, version, list, email, phone, url.
:6:28 columns.seen.format: '5' is not a text · Put it in quotes: "…".
:7:46 columns.signed_up.zone: no time zone 'Europe/Wien' · Write a name like `Europe/Vienna`. Did you mean `Europe/Vienna` or `Europe/Kiev`?
:8:16 columns.second_mail: 'email' is where mail goes already · Keep one of them.
:9:7 zone: no time zone '+02:00' · Write a name like `Europe/Vienna`.
:10:12 separator: ';;' is no separator · Write one character, tab or whitespace.
:11:11 encoding: no encoding 'latin-47' · Write one like utf-8 or latin-1.
:12:8 event: 'message.sent' is a name of our own events · Call yours otherwise.
:13:10 channel: no channel 'pigeon' · Allowed: push, email, in_app, sms, webhook.
"""


def test_a_mapping_may_bring_what_the_catalogue_does_not_have_yet(project):
    (project / "config/imports").mkdir()
    (project / "config/imports/customers.yaml").write_text(
        "columns: {id: user, shoe: shoe_size, note: ignore, v: app_version}\n"
    )
    assert mistakes(project) == []


def test_every_mistake_of_a_mapping_is_named_at_once_by_check_and_by_the_import(project):
    path = "config/imports/customers.yaml"
    (project / path).parent.mkdir()
    (project / path).write_text(MANY)
    (project / "customers.csv").write_text("customer_no\n1\n")
    checked = CliRunner().invoke(app, ["-C", str(project), "--json", "check"])
    words = ["-C", str(project), "--json", "import", "profiles", str(project / "customers.csv")]
    brought = CliRunner().invoke(app, words)
    assert (checked.exit_code, brought.exit_code) == (1, 1)
    for said in (checked.stdout, brought.stderr):
        found = json.loads(said)["mistakes"]
        assert {one["file"] for one in found} == {path}
        told = [f":{one['line']}:{one['column']} {one['text']} · {one['remedy']}" for one in found]
        assert "\n".join(told) + "\n" == SAID


def test_a_topic_that_cannot_be_read_is_not_held_against_a_mapping(project):
    (project / "config/imports").mkdir()
    (project / "config/imports/customers.yaml").write_text("columns: {news: consent.email.offers}\n")
    rewrite(
        project / "config/orchestrator.yaml",
        "  offers: {label: Offers and news, consent: opt_in}",
        "  offers: {label: 5}",
    )
    assert not any("customers.yaml" in line for line in mistakes(project))


def test_an_import_reads_its_mapping_as_check_does(project, tmp_path):
    (project / "config/imports").mkdir()
    (project / "config/imports/customers.yaml").write_text("columns: {mail: email, mail: user}\n")
    (project / "customers.csv").write_text("mail\na@shop.example\n")
    done = CliRunner().invoke(app, ["-C", str(project), "import", "profiles", str(project / "customers.csv")])
    assert done.exit_code == 1
    assert "config/imports/customers.yaml:1:24  the key 'mail' stands here twice" in done.stderr
