"""What keeps the clock from sending a campaign is said by whoever shows it to a person, before they are asked."""

import json

import pytest

from orchestrator.ledger import Ledger
from tests.cli.conftest import bring, orchestrator

CLOCK = (
    'schedule: {{every: day at 10:00, start: 2020-01-01, end: "{end}"}}\nhold_if: {{audience: outside 2000 to 60000}}\n'
)


@pytest.fixture
def hindered(shop):
    """The campaign new_in on a schedule, for more people than there are; how to say when it ends."""

    def until(end):
        path = shop / "config" / "campaigns" / "new_in.yaml"
        head, _, _ = path.read_text().partition("schedule:")
        path.write_text(head + CLOCK.format(end=end))

    until("2999-01-01")
    return until


def test_a_plan_and_a_send_say_why_a_run_of_the_clock_would_wait(shop, hindered):
    told = orchestrator(shop, "plan", "new_in", "--json").told
    assert (told["hold"], told["ended"]) == (f"{told['people']} people, expected 2,000 to 60,000", "")
    for words in (("plan", "new_in"), ("send", "new_in")):
        said = orchestrator(shop, *words, typed="no\n").out.partition("Type the number")[0]
        assert f"would wait for a person: {told['hold']}; orchestrator send only asks for the number" in said
        assert "has ended" not in said


def test_every_reason_for_which_a_run_would_wait_is_shown_and_not_the_first_alone(shop, hindered):
    path = shop / "config" / "campaigns" / "new_in.yaml"
    path.write_text(path.read_text().replace("60000}", "60000, no_recent: {purchase: 1 second}}"))
    settings = shop / "config" / "orchestrator.yaml"
    settings.write_text(settings.read_text().replace("approve_over: 20000", "approve_over: 100"))
    bring(shop, "live", but=("suppressions",))
    told = orchestrator(shop, "plan", "new_in", "--env", "live", "--json").told
    late, odd, large, untold = told["hold"].split("; ")
    assert late == "no purchase in the last 1 second: the data is late"
    assert (odd, large) == (
        f"{told['people']} people, expected 2,000 to 60,000", f"{told['people']} people, more than 100 need approval",
    )  # fmt: skip
    assert "which addresses are stopped" in untold
    said = orchestrator(shop, "plan", "new_in", "--env", "live").out
    assert f" a run of the clock would wait for a person: {late}; {odd}; {large}\n" in said
    assert f" nothing of it may be sent yet, by orchestrator send no more than by the clock: {untold}\n" in said
    assert "only asks" not in said


def test_a_plan_says_that_its_campaign_stands_still(shop):
    assert orchestrator(shop, "plan", "winback", "--json").told["paused"] == []
    assert orchestrator(shop, "pause", "winback").code == 0
    [told] = orchestrator(shop, "plan", "winback", "--json").told["paused"]
    assert told.startswith("campaign:winback is paused until somebody resumes it")
    assert f" {told}\n" in orchestrator(shop, "plan", "winback").out
    assert told.endswith(": orchestrator resume winback")


def test_where_nobody_would_get_it_a_plan_names_the_next_moment_as_the_report_does(shop):
    path = shop / "config" / "campaigns" / "new_in.yaml"
    head, _, _ = path.read_text().partition("schedule:")
    path.write_text(head + "schedule: {once: 2999-03-02 10:00, time_zone: recipient}\n")
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    ledger.store.change("DELETE FROM consent")
    ledger.close()
    assert orchestrator(shop, "plan", "new_in", "--json").told["reached"] == 0
    assert (
        "\n 2999-03-02 10:00 on everybody's own clock · needs a person: no\n"
        in orchestrator(shop, "plan", "new_in").out
    )
    assert " next: 2999-03-02 10:00 on everybody's own clock\n" in orchestrator(shop, "report", "new_in").out


def large(shop, people):
    """The stores of dev ask for approval above so many people."""
    settings = shop / "config" / "orchestrator.yaml"
    settings.write_text(settings.read_text().replace("{deliver: sink} ", f"{{deliver: sink, approve_over: {people}}} "))


def test_a_yes_in_a_script_approves_no_large_run_and_a_typed_number_does(shop):
    people = orchestrator(shop, "plan", "new_in", "--json").told["people"]
    large(shop, people - 1)
    for words in ((), ("--json",)):
        refused = orchestrator(shop, "send", "new_in", "--yes", *words)
        assert refused.code == 1
        assert f"{people} people, more than {people - 1} need approval" in refused.err
        assert "type the number yourself: orchestrator --env dev send new_in" in refused.err
    assert orchestrator(shop, "report", "new_in", "--json").told == []
    assert orchestrator(shop, "send", "new_in", typed=f"{people}\n").code == 0
    assert orchestrator(shop, "report", "new_in", "--json").told[0]["people"]["people"] == people


def test_a_yes_is_enough_for_as_many_people_as_need_no_approval(shop):
    large(shop, orchestrator(shop, "plan", "new_in", "--json").told["people"])
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0


def test_whoever_types_another_number_than_the_one_asked_for_is_told_what_it_is(shop):
    plan = orchestrator(shop, "plan", "new_in", "--json").told
    people, reached = plan["people"], orchestrator(shop, "plan", "new_in", "--now", "--json").told["reached"]
    assert 0 < reached < people
    said = orchestrator(shop, "send", "new_in", typed=f"{reached}\n")
    asked = f"asked for is the number of people in the audience, {people}"
    assert f"stopped; nothing was sent: {reached} is how many would get a message now; {asked}" in " ".join(
        said.err.split()
    )
    said = orchestrator(shop, "send", "new_in", typed="7\n")
    assert f"stopped; nothing was sent: {asked}" in " ".join(said.err.split())
    assert "asked for is" not in orchestrator(shop, "send", "new_in", typed="no\n").err


def test_a_campaign_whose_end_is_past_is_said_to_have_ended(shop, hindered):
    hindered("2020-06-30")
    for words in (("plan", "new_in"), ("send", "new_in")):
        said = orchestrator(shop, *words, typed="no\n").out.partition("Type the number")[0]
        assert "it has ended (end: 2020-06-30): the clock starts no run of it any more" in said
    examined = {one["what"]: one["text"] for one in orchestrator(shop, "doctor", "--env", "live", "--json").told}
    assert examined["campaign new_in"] == "has ended (end: 2020-06-30): the clock starts no run of it any more"
    assert "new_in" not in examined["daemon"]
    hindered("2999-01-01")
    examined = {one["what"]: one["text"] for one in orchestrator(shop, "doctor", "--env", "live", "--json").told}
    assert "campaign new_in" not in examined
    assert "new_in" in examined["daemon"]


def test_a_plan_counts_who_is_sent_to_by_the_projects_clock_for_want_of_a_zone(shop):
    path = shop / "config" / "campaigns" / "new_in.yaml"
    head, _, _ = path.read_text().partition("schedule:")
    path.write_text(head + "schedule: {every: day at 10:00, time_zone: recipient}\n")
    assert orchestrator(shop, "plan", "new_in", "--json").told["without_zone"] == 0
    users = [json.loads(line)["user_id"] for line in (shop / "data/example/profiles.jsonl").read_text().splitlines()]
    (shop / "moved.jsonl").write_text("".join(f'{{"user_id": "{user}", "time_zone": null}}\n' for user in users))
    assert orchestrator(shop, "import", "profiles", "moved.jsonl").code == 0
    told = orchestrator(shop, "plan", "new_in", "--json").told
    assert told["without_zone"] == told["people"] > 50
    said = orchestrator(shop, "plan", "new_in").out
    assert f" {told['people']:,} of them have no time zone we know; the clock sends to them by Europe/Vienna\n" in said


@pytest.mark.parametrize("moment", ["yesterday", "2026-02-30T10:00Z", "2026-11-27T25:00+01:00"])
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("plan", "new_in", "--at"), "--at"),
        (("segment", "count", "lapsed", "--at"), "--at"),
        (("segment", "diff", "lapsed", "--between", "2026-03-02T10:00Z"), "--between"),
    ],
    ids=["plan", "count", "diff"],
)
def test_a_moment_that_is_none_is_refused_with_one_that_is(shop, words, option, moment):
    said = orchestrator(shop, *words, moment)
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"{option} {moment}: there is no such moment; write it like 2026-11-27 10:00 for the clock of Europe/Vienna,"
        " or with a zone: 2026-11-27T10:00+01:00.\n"
    )


def test_a_day_alone_is_no_moment_for_a_segment(shop):
    said = orchestrator(shop, "segment", "count", "lapsed", "--at", "2026-03-02")
    assert said.code == 2
    assert said.err.endswith("Did you mean 2026-03-02 10:00?\n")


@pytest.mark.parametrize("written", ["2026-03-02T10:00", "2026-03-02 10:00", "2026-03-02 10:00:00 Europe/Vienna"])
def test_a_moment_is_taken_as_screens_write_it_and_without_a_zone_stands_on_the_clock_of_the_project(shop, written):
    told = orchestrator(shop, "segment", "count", "lapsed", "--at", written, "--json").told
    assert told["at"] == 1_772_442_000_000_000
    assert told == orchestrator(shop, "segment", "count", "lapsed", "--at", "2026-03-02T10:00+01:00", "--json").told
