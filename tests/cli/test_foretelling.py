"""What keeps the clock from sending a campaign is said by whoever shows it to a person, before they are asked."""

import json

import pytest

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
        assert f"would wait for a person: {told['hold']}; orchestrator send does not" in said
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
        f"{option} {moment}: there is no such moment; write it as ISO 8601 with its zone:"
        " 2026-11-27T10:00+01:00, or 2026-11-27T09:00Z for UTC\n"
    )


def test_a_moment_without_a_zone_is_told_to_have_one(shop):
    said = orchestrator(shop, "plan", "new_in", "--at", "2026-03-02T10:00")
    assert (said.code, said.out) == (2, "")
    assert "has no time zone; add one, for example 2026-03-02T10:00:00Z" in said.err
