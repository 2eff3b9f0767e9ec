"""Slips of the pen in a persona, each with its place, the words and the remedy; and what a sound one comes to."""

import random
import time

import pytest

from orchestrator import personas
from orchestrator.config import load
from orchestrator.config.moments import moment
from orchestrator.config.personas import read_personas
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.personas import Outside
from orchestrator.core.phrases import PhraseError
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant, iso
from tests.config.builders import ROOT, SETTINGS, the_example, with_edit

ADA = """\
about: A big spender
profile:
  firstName: Ada
  country: AT
  email: ada@example.test
  app_version: "9.10"
  devices: [phone, {token: pad, seen_at: 2026-02-01 10:00}]
  consent: {offers: [email]}
  suppressed: [push]
events:
  - {event: purchase, at: 2026-01-10 12:00, amount: 262.40, currency: EUR}
  - {event: app_open, at: [2026-02-03 09:00, 2026-02-07 09:00 Asia/Tokyo]}
sent:
  - {campaign: new_in, at: 2026-02-20 10:00, channel: email, opened: 2026-02-20 11:00}
expect:
  - {campaign: winback, at: 2026-03-02 10:00, segment: lapsed, channel: email, variant: discount, locale: en, contains: coat}
  - {campaign: winback, at: 2026-03-03 10:00, nothing: repeat}
"""


def read(text, files=None, name="ada"):
    return read_personas({f"personas/{name}.yaml": text.encode()}, load(files or the_example()))


def said(found):
    return [(f"{it.line}:{it.column}", it.text, it.remedy) for it in found.mistakes]


def test_a_persona_is_read_as_an_audience_would_have_it():
    found = read(ADA)
    assert found.mistakes == ()
    [ada] = found.found
    assert (ada.name, ada.user, ada.about) == ("ada", "ada", "A big spender")
    assert ada.attributes == {
        "firstName": "Ada",
        "country": "AT",
        "app_version": "9.10",
        "email": "ada@example.test",
    }
    assert ada.addresses[Channel.EMAIL] == (Address("ada@example.test"),)
    assert [it.value for it in ada.addresses[Channel.PUSH]] == ["pad", "phone"]
    assert ada.consent == {"offers": {Channel.EMAIL: True}}
    assert [(it.name, iso(it.time)) for it in ada.events] == [
        ("purchase", "2026-01-10T11:00:00Z"),
        ("app_open", "2026-02-03T08:00:00Z"),
        ("app_open", "2026-02-07T00:00:00Z"),
    ]
    first, second = ada.expect
    assert (first.line, first.column, first.contains, first.variant) == (16, 5, ("coat",), "discount")
    assert (second.nothing, second.when, second.by_draw) == (Reason.REPEAT, "2026-03-03 10:00", False)


# (what it says, the slip with ‸ where it is pointed at, the text, a part of the remedy, line:column if outside the slip)
# fmt: off
SLIPS = [
    ("about: A", "‸abuot: A", "no key 'abuot'", "Did you mean 'about'?"),
    ("profile:", "‸profil:", "no key 'profil'", "Did you mean 'profile'?"),
    ("firstName: Ada", "‸fristName: Ada", "profile: no attribute 'fristName'", "Did you mean 'firstName'?"),
    ("email: ada@", "‸e_mail: ada@", "profile: no attribute 'e_mail'", "Did you mean 'email'?"),
    ("consent: {", "‸consnet: {", "profile: no attribute 'consnet'", "Did you mean 'consent'?"),
    ("country: AT", "country: ‸AU1", "profile.country: 'AU1' is not among its values", "Did you mean 'AU'?"),
    ("firstName: Ada", "firstName: ‸17", "profile.firstName: expects a text, and '17' is none", "Put it in quotes"),
    ('"9.10"', "‸9.11", "profile.app_version: expects a version, and '9.11' is none", "Write it in quotes"),
    ("ada@example.test", "‸ada.example.test", "profile.email: 'ada.example.test' is not an e-mail address", "Write it like"),
    ("offers: [email]", "‸ofers: [email]", "profile.consent: no topic 'ofers'", "Did you mean 'offers'?"),
    ("offers: [email]", "offers: ‸[emial]", "profile.consent.offers: no channel 'emial'", "Did you mean 'email'?"),
    ("offers: [email]", "offers: ‸{email: maybe}", "profile.consent.offers: is neither a list of channels nor a mapping", "with a no"),
    ("suppressed: [push]", "suppressed: [‸sms]", "profile.suppressed[0]: there is no address for sms", "Delete it"),
    ("seen_at: 2026-02-01 10:00", "seen_at: ‸2026-02-01", "profile.devices[1].seen_at: '2026-02-01' is not a moment", "Did you mean `2026-02-01 10:00`?"),
    ("event: purchase", "event: ‸purchas", "events[0].event: no event 'purchas'", "Did you mean 'purchase'?"),
    ("amount: 262.40", "‸amout: 262.40", "events[0]: no property 'amout'", "Did you mean 'amount'?"),
    ("amount: 262.40", "amount: ‸a lot", "events[0].amount: expects a number below 10^14, and 'a lot' is none", "Write digits"),
    ("at: 2026-01-10 12:00", "‸att: 2026-01-10 12:00", "events[0]: no property 'att'", ""),
    ("2026-01-10 12:00", "‸2026-13-10 12:00", "events[0].at: '2026-13-10 12:00' is not a moment there is", "Allowed"),
    ("09:00 Asia/Tokyo", "09:00 Asia/Tokio", "events[1].at[1]: '2026-02-07 09:00 Asia/Tokio' is not a moment", "Did you mean `2026-02-07 09:00 Asia/Tokyo`?", "12:46"),
    ("campaign: new_in", "campaign: ‸newin", "sent[0].campaign: no campaign 'newin'", "Did you mean 'new_in'?"),
    ("10:00, channel: email, opened", "10:00, channel: ‸in_app, opened", "sent[0].channel: new_in sends no 'in_app'", "Allowed: email, push."),
    ("opened: 2026-02-20 11:00", "opened: ‸2026-02-20 09:00", "sent[0].opened: is before it was sent", "Write a later moment."),
    ("at: 2026-02-20 10:00", "at: [2026-02-19 10:00, 2026-02-20 10:00]", "sent[0]: several messages were sent, and 'opened' is about one", "Write each", "14:82"),
    ("campaign: winback, at: 2026-03-02", "campaign: ‸winbak, at: 2026-03-02", "expect[0].campaign: no campaign 'winbak'", "Did you mean 'winback'?"),
    ("segment: lapsed", "segment: ‸lapsd", "expect[0].segment: winback has no segment 'lapsd'", "Did you mean 'lapsed'?"),
    ("segment: lapsed", "segment: ‸visitors", "expect[0].segment: winback has no segment 'visitors'", "Allowed: lapsed, lapsed_vips, one_time_buyers."),
    ("lapsed, channel: email", "lapsed, channel: ‸sms", "expect[0].channel: winback has no channel 'sms'", "Allowed: email, push."),
    ("lapsed, channel: email", "lapsed, chanel: email", "expect[0]: no key 'chanel'", "Did you mean 'channel'?", "16:64"),
    ("variant: discount", "variant: ‸discout", "expect[0].variant: no variant 'discout'", "Did you mean 'discount'?"),
    ("locale: en", "locale: ‸de", "expect[0].locale: the project has no locale 'de'", "Allowed: en."),
    ("nothing: repeat", "nothing: ‸repeated", "expect[1].nothing: no reason 'repeated'", "Did you mean 'repeat'?"),
    ("nothing: repeat", "nothing: ‸converted", "expect[1].nothing: 'converted' comes of what happens later, or of others", "A test asks at the moment a run is planned"),
    ("nothing: repeat", "nothing: repeat, ‸contains: a", "expect[1]: 'contains' has no meaning beside `nothing: repeat`", "Delete one of them."),
    ("nothing: repeat", "nothing: excluded, ‸channel: push", "expect[1]: 'channel' has no meaning beside `nothing: excluded`", "Delete one of them."),
    ("contains: coat", "contains: [coat, ‸10]", "expect[0].contains[1]: '10' is not a text", "Put it in quotes"),
    ("contains: coat", "contains: ‸yes", "yes is text here, but true to tools that read YAML 1.1", "Put it in quotes"),
    ("at: 2026-03-03 10:00", "at: ‸2026-03-03 10:00:00", "2026-03-03 10:00:00 is text here, but a date with a time to tools that read YAML 1.1", "Put it in quotes"),
]
# fmt: on


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip[1])
def test_a_slip_is_told_where_it_stands_with_what_was_meant(slip):
    old, new, text, remedy, *place = slip
    assert old in ADA
    changed = ADA.replace(old, new, 1)
    at = changed.find("‸")
    spot = place[0] if place else f"{changed.count(chr(10), 0, at) + 1}:{at - changed.rfind(chr(10), 0, at)}"
    found = said(read(changed.replace("‸", "")))
    assert any((where, what) == (spot, text) and remedy in how for where, what, how in found), found
    assert read(changed.replace("‸", "")).found == ()


def test_a_slip_is_one_mistake_and_hides_no_other():
    text = ADA.replace("amount: 262.40", "amount: many").replace("nothing: repeat", "nothing: repeatt")
    assert len(said(read(text))) == 2
    assert len(said(read(ADA.replace("firstName: Ada", "fristName: Ada")))) == 1


def test_a_persona_without_expectations_is_a_mistake():
    assert said(read(ADA.partition("expect:")[0]))[0][1] == "the key 'expect' is missing"


@pytest.mark.parametrize("name", ["über", "in/folder", "a b"])
def test_the_name_of_the_file_is_a_name(name):
    assert "is not a name" in said(read(ADA, name=name))[0][1]


def test_a_file_of_another_ending_is_told():
    found = read_personas({"personas/ada.yml": ADA.encode()}, load(the_example()))
    assert [(it.file, it.text) for it in found.mistakes] == [("personas/ada.yml", "is not a .yaml file")]


def test_where_the_project_has_mistakes_personas_are_held_against_what_can_be_read():
    broken = with_edit(SETTINGS, "topics:", "topcis:")
    assert said(read(ADA, broken)) == []
    assert len(said(read(ADA.replace("fristName", "x").replace("purchase,", "purchas,", 1), broken))) == 1
    nothing = {**the_example(), SETTINGS: b"\xff", "config/data.yaml": b"\xff"}
    assert said(read(ADA, nothing)) == []


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"\0", b"- a\n", b"profile: &a [*a]\n", b"a: " + b"[" * 5000, b"x" * 300_000]
)
def test_a_file_that_is_none_is_told_at_once(content):
    began = time.process_time()
    found = read_personas({"personas/ada.yaml": content}, load(the_example()))
    assert found.mistakes
    assert found.found == ()
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02 10:00", "2026-03-02T09:00:00Z"),
        ("2026-03-02T10:00", "2026-03-02T09:00:00Z"),
        ("2026-03-02 10:00:30", "2026-03-02T09:00:30Z"),
        ("2026-03-02 10:00 Asia/Tokyo", "2026-03-02T01:00:00Z"),
        ("2026-03-02 10:00 UTC", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00-05:00", "2026-03-02T15:00:00Z"),
        ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),  # never shown: the first moment after the gap
    ],
)
def test_a_moment_is_one_of_the_projects_clock_unless_it_names_another(written, meant):
    assert iso(Instant(moment(written).on("Europe/Vienna"))) == meant


@pytest.mark.parametrize(
    "written", ["", "today", "2026-03-02", "10:00", "2026-02-30 10:00", "2026-03-02 24:01", "2026-03-02 10:00 +1"]
)
def test_what_is_no_moment_is_refused(written):
    with pytest.raises(PhraseError):
        moment(written)


def test_the_words_for_no_audience_are_none_of_the_ledgers():
    assert not set(map(str, Outside)) & set(map(str, Reason))


def test_the_personas_of_the_example_are_without_a_mistake():
    files = {f"personas/{path.name}": path.read_bytes() for path in (ROOT / "personas").iterdir()}
    found = read_personas(files, load(the_example()))
    assert found.mistakes == ()
    assert 3 <= len(found.found) == found.files <= 5


LETTERS = " \n:-{}[],#'\"&*!|0a~.é"


@pytest.mark.parametrize("seed", range(3))
def test_however_a_persona_is_mistyped_it_is_told_at_a_place_or_lives(seed):
    """Letters dropped, doubled, swapped, lines lost: nothing raises, every mistake has a line, what is sound can be tested."""
    dice, loaded = random.Random(seed), load(the_example())
    stage, lived = personas.Stage(loaded.sound(), loaded.files), 0
    for _ in range(120):
        text = ADA
        for _ in range(dice.choice((1, 1, 2))):
            at = dice.randrange(len(text))
            line = text.find("\n", at) + 1
            text = dice.choice(
                [
                    text[:at] + text[at + 1 :],
                    text[:at] + dice.choice(LETTERS) + text[at:],
                    text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
                    text[:at] + text[line:],
                ]
            )
        found = read_personas({"personas/ada.yaml": text.encode()}, loaded)
        assert bool(found.found) != bool(found.mistakes), text
        assert all(it.line and it.column for it in found.mistakes), text
        for persona in found.found:
            assert personas.tested(stage, persona).told
            lived += 1
    assert 3 <= lived < 60
