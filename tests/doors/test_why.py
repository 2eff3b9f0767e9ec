"""Why tells a person's story true to the rows of the ledger, and show tells what they saw and how sure that is."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.cli.main import app as command_line
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant
from orchestrator.ledger import ConsentChange, deeds, runs
from tests.doors.shop import FILES, NOON, Shop, did, is_

MAIL = Channel.EMAIL
OTHER = Instant(NOON + HOUR)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    made = Shop(tmp_path)
    made.people(ada="Ada", bo="Bo")
    made.people("CH", cy="Cy")
    made.people("US", eve="Eve")
    yield made
    made.ledger.close()


def send(shop, campaign="spring"):
    """A run of now, planned and worked."""
    run = shop.fire(campaign, occurrence=str(shop.clock.now()))
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    return run


def call(shop, *words, code=0):
    done = CliRunner().invoke(command_line, ["-C", str(shop.root), *words])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def why(shop, user, *words):
    return json.loads(call(shop, "--json", "why", "spring", user, *words))


def show(shop, *words):
    return json.loads(call(shop, "--json", "show", *words))


def test_every_ledger_tells_the_same(tmp_path, ledger_url, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    made = Shop(tmp_path)
    made.people(ada="Ada", bo="Bo", cy="Cy")
    made.ledger.change_consent([ConsentChange("bo", MAIL, "offers", False, Instant(NOON - MINUTE), "page")])
    made.ledger.suppress([(MAIL, "cy@mail.example")], "bounced", "mail", Instant(NOON - DAY))
    run = send(made)
    deeds.tell(made.ledger.store, [deeds.Happened(DeliveryKey(run.id, "ada", MAIL), Deed.OPENED, Instant(NOON + 1))])
    told = {user: why(made, user) for user in ("ada", "bo", "cy")}
    assert [one["reason"] or one["outcome"] for one in told.values()] == ["reached", "no_consent", "suppressed"]
    assert [len(told[user]["rows"][0]["because"]) for user in told] == [0, 1, 1]
    assert told["ada"]["rows"][0]["deeds"] == [{"deed": "opened", "at": NOON + 1, "link": "", "machine": False}]
    (made.root / "data" / "sink" / "email.jsonl").unlink()
    seen = show(made, "spring", "--user", "ada")
    assert (seen["how"], show(made, seen["id"])) == ("same", seen)
    made.ledger.close()


def test_who_got_it_is_told_where_and_in_which_segment(shop):
    run = send(shop)
    told = why(shop, "cy")
    assert (told["run"], told["outcome"], told["segment"], told["other_runs"]) == (run.id, "reached", "swiss", [])
    assert [(one["segment"], one["in"]) for one in told["audience"]] == [("austrians", False), ("swiss", True)]
    [row] = told["rows"]
    assert (row["delivery"], row["state"], row["address"]) == (f"{run.id}/cy/email", "accepted", "cy@mail.example")
    said = call(shop, "why", "spring", "CY@mail.example")
    assert said.splitlines()[1] == " got it: email"
    assert (
        "              in swiss, the first that fits of austrians, swiss\n                 yes  country is CH" in said
    )
    assert "                 no   country is AT (country unknown: not in)   (CH)" in said
    assert f"what they saw: orchestrator show {run.id}/cy/email" in said


def test_who_is_in_no_segment_sees_every_condition_with_their_own_value(shop):
    send(shop)
    told = why(shop, "eve")
    assert (told["outcome"], told["rows"], told["segment"]) == ("outside", [], "")
    said = call(shop, "why", "spring", "eve")
    assert said.splitlines()[1] == " got nothing: not in the audience"
    assert said.count("country unknown: not in)   (US)") == 2


def test_who_is_excluded_is_told_by_what(shop):
    shop.load(did("ada", "purchase", Instant(NOON - HOUR), currency="STAFF"))
    send(shop)
    assert why(shop, "ada")["outcome"] == "outside"
    said = call(shop, "why", "spring", "ada")
    assert said.splitlines()[1] == " got nothing: not in the audience, kept out by exclude: staff"
    assert "in staff, which is excluded\n                 yes  did purchase where currency is STAFF" in said


def test_a_withdrawn_word_is_told_with_its_date_and_source(shop):
    shop.ledger.change_consent([ConsentChange("ada", MAIL, "offers", False, Instant(NOON - MINUTE), "page")])
    run = send(shop)
    told = why(shop, "ada")
    assert (told["outcome"], told["reason"], told["detail"]) == ("nothing", "no_consent", "offers")
    assert told["rows"][0]["because"] == [
        {"text": "last word on offers by email: no", "at": NOON - MINUTE, "source": "page"}
    ]
    seen = show(shop, f"{run.id}/ada/email")
    assert (seen["how"], seen["content"], seen["sent_at"]) == ("never", None, None)
    assert "nothing has left: skipped: no consent (offers)" in call(shop, "show", f"{run.id}/ada/email")


def test_a_stopped_address_and_an_earlier_message_are_told_too(shop):
    shop.ledger.suppress([(MAIL, "ada@mail.example")], "bounced", "mail", Instant(NOON - DAY))
    send(shop)
    assert why(shop, "ada")["rows"][0]["because"][0]["text"] == "ada@mail.example is stopped: bounced"
    once = FILES["config/campaigns/spring.yaml"].replace("repeat: always", "repeat: never")
    again = Shop(shop.root, {"config/campaigns/spring.yaml": once}, at=OTHER)
    second = send(again)
    told = why(again, "bo", "--run", str(second.id))
    assert (told["run"], told["reason"], told["other_runs"]) == (second.id, "repeat", [1])
    assert told["rows"][0]["because"] == [{"text": "had spring by email", "at": NOON, "source": "run 1"}]
    again.ledger.close()


def test_a_run_that_only_repeats_does_not_stand_before_what_they_got(shop):
    send(shop)
    once = FILES["config/campaigns/spring.yaml"].replace("repeat: always", "repeat: never")
    again = Shop(shop.root, {"config/campaigns/spring.yaml": once}, at=OTHER)
    send(again)
    third = send(Shop(shop.root, at=Instant(OTHER + HOUR), files={"config/campaigns/spring.yaml": once}))
    told = why(again, "bo")
    assert (told["run"], told["outcome"], told["other_runs"]) == (1, "reached", [third.id, 2])
    said = call(again, "why", "spring", "bo")
    assert said.splitlines()[1] == " got it: email"
    assert "run 3 of 2026-03-02 14:00:00 Europe/Vienna is the newest and gave them nothing more (repeat):" in said
    assert "orchestrator why spring bo --run 3" in said
    assert "also in run 2: orchestrator why spring bo --run 2" in said
    assert why(again, "bo", "--run", "3")["reason"] == "repeat"
    again.ledger.close()


def test_what_happened_later_and_the_goal_stand_beside_the_message(shop):
    run = send(shop)
    key = DeliveryKey(run.id, "ada", MAIL)
    later = [(Deed.CLICKED, 3), (Deed.DELIVERED, 1), (Deed.OPENED, 2)]
    deeds.tell(shop.ledger.store, [deeds.Happened(key, deed, Instant(NOON + after * MINUTE)) for deed, after in later])
    shop.load(
        did("ada", "purchase", Instant(NOON - MINUTE), currency="EUR"),
        did("ada", "purchase", Instant(NOON + 4 * MINUTE), currency="CHF"),
        did("ada", "purchase", Instant(NOON + 5 * MINUTE), currency="EUR"),
        did("ada", "purchase", Instant(NOON + 8 * DAY), currency="EUR"),
    )
    told = why(shop, "ada")
    assert [one["deed"] for one in told["rows"][0]["deeds"]] == ["delivered", "opened", "clicked"]
    assert (told["goal"]["since"], told["goal"]["until"]) == (NOON, NOON + 7 * DAY)
    assert [one["at"] for one in told["goal"]["reached"]] == [NOON + 5 * MINUTE]
    said = call(shop, "why", "spring", "ada")
    assert said.index("12:01:00   delivered") < said.index("12:03:00   clicked")
    assert "goal         purchase within 1 week: reached 2026-03-02 12:05:00\n" in said
    assert "goal         purchase within 1 week: not reached by 2026-03-09 12:00:00\n" in call(
        shop, "why", "spring", "bo"
    )


def test_who_is_not_who_they_were_is_told_so_and_the_row_has_the_last_word(shop):
    send(shop)
    shop.load(is_("ada", Instant(NOON + HOUR), country="CH"), is_("bo", Instant(NOON + HOUR), country="DE"))
    assert (why(shop, "ada")["segment"], why(shop, "ada")["outcome"]) == ("austrians", "reached")
    assert "by what is known of them now they would be in swiss: it has changed" in call(shop, "why", "spring", "ada")
    assert "they would be in none of these: it has changed" in call(shop, "why", "spring", "bo")


def test_without_a_run_a_plan_is_told_and_with_at_the_run_is_left_aside(shop):
    told = why(shop, "ada", "--at", "2026-03-02T12:00+01:00")
    assert (told["run"], told["outcome"], told["rows"], told["at"]) == (None, "reached", [], NOON)
    assert [(one["channel"], one["state"], one["sends"]) for one in told["would"]] == [("email", "planned", True)]
    run = send(shop)
    assert why(shop, "ada")["run"] == run.id
    again = why(shop, "ada", "--at", "2026-03-02T12:00+01:00")
    assert (again["run"], again["outcome"], again["other_runs"]) == (None, "reached", [run.id])
    said = call(shop, "why", "spring", "ada", "--at", "2026-03-02T12:00+01:00")
    assert said.splitlines()[1] == " would get it now: email"
    assert f"already in run {run.id}: orchestrator why spring ada --run {run.id}" in said


def test_a_run_is_told_by_its_own_files_whatever_they_say_by_now(shop):
    send(shop)
    (shop.root / "config" / "segments" / "austrians.yaml").write_text(
        "about: Nobody\nall:\n  - {attribute: country, is: XX}\n"
    )
    assert why(shop, "ada")["audience"][0]["in"]
    (shop.root / "config" / "campaigns" / "spring.yaml").write_text("kind: marketting\n")
    done = CliRunner().invoke(command_line, ["-C", str(shop.root), "--json", "why", "spring", "ada"])
    assert (done.exit_code, json.loads(done.stdout)["outcome"]) == (0, "reached")
    assert "the files have mistakes" in done.stderr


def test_who_is_gone_from_the_audience_keeps_their_story(shop):
    send(shop)
    shop.audience.path.rename(shop.root / "kept.duckdb")
    done = CliRunner().invoke(command_line, ["-C", str(shop.root), "--json", "why", "spring", "ada"])
    assert (done.exit_code, json.loads(done.stdout)["segment"]) == (0, "austrians")
    assert "only the ledger's part can be told" in done.stderr
    assert "where addresses stand, cannot be read" in call(shop, "why", "spring", "ada@mail.example", code=1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("why", "sprin", "ada"), "no campaign sprin. Did you mean spring?"),
        (("why", "spring", "nobody@mail.example"), "nobody is known by the id, e-mail address or phone number nobody@"),
        (("why", "spring", "ada", "--run", "77"), "no run 77"),
        (("why", "spring", "ada", "--run", "1", "--at", "2026-03-02T12:00Z"), "leave one of them away"),
        (("why", "spring", "ada", "--at", "noon"), "--at noon"),
        (("why", "spring", "two@mail.example"), "is the e-mail address of 2 people: ada2, bo2; say which by id: orchestrator why spring ada2"),
        (("show", "7/u1"), "7/u1 names no delivery"),
        (("show", "spring"), "orchestrator show spring --user ID"),
        (("show", "77/ada/email"), "no delivery 77/ada/email"),
        (("show", "0" * 32), "no message of the id 000"),
        (("show", "spring", "--user", "eve"), "eve has no delivery of spring; orchestrator why spring eve says why"),
        (("show", "spring", "--user", "ada", "--channel", "mail"), "no channel mail. Did you mean email?"),
        (("show", "1/ada/email", "--channel", "email"), "--channel goes with --user"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_a_sentence(shop, words, says):
    shop.load(is_("ada2", email="two@mail.example"), is_("bo2", email="TWO@mail.example"))
    send(shop)
    assert says in call(shop, *words, code=2)


def test_what_they_saw_is_kept_in_the_sink_and_found_by_name_id_and_person(shop):
    run = send(shop)
    seen = show(shop, f"{run.id}/ada/email")
    assert (seen["how"], seen["content"]["subject"]) == ("kept", "Ada, spring is here")
    assert Path(seen["page"]).stat().st_size > 20
    assert show(shop, seen["id"]) == show(shop, "spring", "--user", "ada@mail.example") == seen
    assert "it stands in" in call(shop, "show", f"{run.id}/ada/email")


def test_written_again_it_is_the_same_to_the_byte_or_said_not_to_be(shop):
    run = send(shop)
    (shop.root / "data" / "sink" / "email.jsonl").unlink()
    (shop.root / "templates" / "spring" / "_default" / "email.html").write_text(
        FILES["templates/spring/_default/email.html"].replace("spring", "summer")
    )
    seen = show(shop, f"{run.id}/ada/email")
    assert (seen["how"], seen["content"]["subject"]) == ("same", "Ada, spring is here")
    assert "the same to the byte" in call(shop, "show", f"{run.id}/ada/email")
    shop.load(is_("ada", Instant(NOON + HOUR), firstName="Adele"))
    seen = show(shop, f"{run.id}/ada/email")
    assert (seen["how"], seen["content"]["subject"]) == ("different", "Adele, spring is here")
    assert "not what left to the byte" in seen["why"]
    shop.load(is_("ada", Instant(NOON + 2 * HOUR), country="DE"))
    seen = show(shop, f"{run.id}/ada/email")
    assert (seen["how"], seen["content"], seen["page"]) == ("lost", None, "")
    assert "not in the audience of that run" in seen["why"]


def test_a_line_of_the_sink_that_is_not_what_left_is_not_taken_for_it(shop):
    run = send(shop)
    file = shop.root / "data" / "sink" / "email.jsonl"
    file.write_text(file.read_text().replace("Ada, spring", "Ada, winter"))
    seen = show(shop, f"{run.id}/ada/email")
    assert (seen["how"], seen["content"]["subject"]) == ("same", "Ada, spring is here")


def test_an_in_app_message_is_shown_as_it_stands_in_the_inbox(shop):
    files = {
        "config/campaigns/hello.yaml": FILES["config/campaigns/spring.yaml"].replace("[email]", "[in_app]").replace(
            "kind: marketing", "kind: transactional"
        ),
        "templates/hello/_default/in_app.yaml": 'kind: banner\ntitle: "Hello {{ userAttribute.firstName }}"\nbody: Look\n',
    }  # fmt: skip
    other = Shop(shop.root, files)
    run = send(other, "hello")
    seen = show(other, "hello", "--user", "cy")
    assert (seen["delivery"], seen["how"]) == (f"{run.id}/cy/in_app", "kept")
    assert seen["content"]["payload"]["title"] == "Hello Cy"
    message = other.ledger.inbox("cy", NOON)[0].id
    other.ledger.acknowledge("cy", message, Instant(NOON + MINUTE))
    told = json.loads(call(other, "--json", "why", "hello", "cy"))
    assert told["rows"][0]["deeds"] == [{"deed": "opened", "at": NOON + MINUTE, "link": "", "machine": False}]
    assert show(other, message)["content"] == seen["content"]
    other.ledger.close()


def test_a_message_that_waits_is_shown_before_a_row_of_which_nothing_will_ever_leave(shop):
    quiet = {"config/campaigns/spring.yaml": FILES["config/campaigns/spring.yaml"] + "quiet_hours: 11:00-15:00\n"}
    held = Shop(shop.root, quiet)
    first = send(held)
    held.ledger.change_consent([ConsentChange("ada", MAIL, "offers", False, Instant(OTHER - MINUTE), "page")])
    send(Shop(shop.root, quiet, at=OTHER))
    rows = json.loads(call(held, "--json", "deliveries", "spring", "--user", "ada"))
    assert [one["state"] for one in rows] == ["skipped", "held"], "the newest row is not the one that waits"
    seen = show(held, "spring", "--user", "ada")
    assert (seen["delivery"], seen["why"]) == (f"{first.id}/ada/email", "nothing has left: held: quiet hours")
    held.ledger.close()


def test_who_left_while_they_waited_is_judged_as_of_when_they_were_asked_again(shop):
    quiet = FILES["config/campaigns/spring.yaml"] + "quiet_hours: 11:00-15:00\n"
    held = Shop(shop.root, {"config/campaigns/spring.yaml": quiet})
    run = send(held)
    told = why(held, "ada")
    assert (told["outcome"], told["reason"]) == ("waiting", "quiet_hours")
    assert call(held, "why", "spring", "ada").splitlines()[1] == " waits until 2026-03-02 15:00:00: quiet hours"
    shop.load(did("ada", "purchase", Instant(NOON + HOUR), currency="STAFF"))
    shop.load(did("bo", "purchase", Instant(NOON + HOUR), currency="EUR"))
    held.clock.at = Instant(NOON + 3 * HOUR)
    planner.ask_run(held.opened, held.ledger, run, held.clock)
    held.drain()
    told = why(held, "ada")
    assert (told["outcome"], told["reason"], told["at"]) == ("nothing", "left", NOON + 3 * HOUR)
    assert told["exclude"][0]["in"]
    bought = why(held, "bo")
    assert (bought["reason"], [one["at"] for one in bought["goal"]["reached"]]) == ("converted", [NOON + HOUR])
    held.ledger.close()


def test_a_run_that_is_not_planned_is_passed_over(shop):
    run = send(shop)
    shop.fire(occurrence="later")
    assert why(shop, "ada")["run"] == run.id
    newer = runs.listed(shop.ledger.store, "spring", limit=1)[0].id
    assert f"run {newer} is due: nobody is in it yet" in call(shop, "why", "spring", "ada", "--run", str(newer), code=2)
