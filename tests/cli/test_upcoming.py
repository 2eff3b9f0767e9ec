"""When the clock starts a campaign next is said by its report and its plan, on the wall of its schedule's zone."""

from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator.cli.upcoming import upcoming
from orchestrator.core.campaigns import Campaign, CampaignState, Once, Policy, Schedule, Trigger
from orchestrator.core.nouns import Channel
from orchestrator.core.times import instant, iso
from orchestrator.core.timetables import every
from tests.cli.conftest import orchestrator

DAILY = Schedule(every("day at 10:00"), "Europe/Vienna")
ONCE = Schedule(Once("2026-03-02T10:00"), "Europe/Vienna")
LIVE = Campaign("spring", (Channel.EMAIL,), Policy(time_zone="UTC"), state=CampaignState.LIVE, schedule=DAILY)
BY_HAND = "by hand: orchestrator send spring"


@pytest.mark.parametrize(
    ("changed", "now", "at", "text"),
    [
        ({}, "2026-03-02T08:59Z", "2026-03-02T09:00:00Z", "2026-03-02 10:00 Europe/Vienna"),
        ({}, "2026-03-02T09:00Z", "2026-03-03T09:00:00Z", "2026-03-03 10:00 Europe/Vienna"),
        ({}, "2026-03-29T00:00Z", "2026-03-29T08:00:00Z", "2026-03-29 10:00 Europe/Vienna"),
        (
            {"schedule": replace(DAILY, recipient=True)},
            "2026-03-02T08:59Z",
            "2026-03-02T20:00:00Z",
            "2026-03-03 10:00 on everybody's own clock",
        ),
        (
            {"schedule": replace(ONCE, recipient=True)},
            "2026-03-01T08:59Z",
            "2026-03-01T20:00:00Z",
            "2026-03-02 10:00 on everybody's own clock",
        ),
        ({"schedule": ONCE}, "2026-03-02T09:01Z", None, "never: its last moment has passed"),
        ({"schedule": ONCE}, "2026-03-09T09:01Z", None, "never: it has ended (once: 2026-03-02T10:00)"),
        ({"schedule": replace(DAILY, end="2026-03-01")}, "2026-03-09T09:01Z", None, "never: it has ended (end: 2026-03-01)"),
        ({"state": CampaignState.DRAFT}, "2026-03-02T08:59Z", None, f"not by the clock, for it is a draft; {BY_HAND}"),
        ({"schedule": None}, "2026-03-02T08:59Z", None, BY_HAND),
        (
            {"schedule": None, "trigger": Trigger("signup")},
            "2026-03-02T08:59Z",
            None,
            f"not by itself, for triggers start nothing yet; {BY_HAND}",
        ),
    ],
)  # fmt: skip
def test_the_next_moment_is_told_on_the_wall_of_the_schedules_zone(changed, now, at, text):
    found = upcoming(replace(LIVE, **changed), instant(datetime.fromisoformat(now)))
    assert (found.at and iso(found.at), found.text) == (at, text)


def test_a_report_of_a_campaign_that_never_ran_says_so_and_when_it_fires(shop):
    path = shop / "config" / "campaigns" / "new_in.yaml"
    path.write_text(path.read_text() + "schedule: {once: 2999-03-02 10:00}\n")
    assert (
        orchestrator(shop, "report", "new_in").out == " new_in has not run yet\n next: 2999-03-02 10:00 Europe/Vienna\n"
    )
    planned = orchestrator(shop, "plan", "new_in").out
    assert "· once, 2999-03-02 10:00 Vienna\n" in planned
    assert "\n Sat 2 Mar 2999 at 10:00 Vienna · " in planned
    assert orchestrator(shop, "report", "new_in", "--json").told == []


def test_a_report_of_all_has_a_line_about_each_campaign(shop):
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    assert orchestrator(shop, "pause", "new_in").code == 0
    head, *lines = orchestrator(shop, "report").out.splitlines()
    assert head.split() == ["campaign", "state", "newest", "run", "next"]
    [new_in] = [line for line in lines if line.startswith("new_in")]
    assert "live, paused  1 · by hand 20" in new_in
    assert new_in.rstrip().endswith("by hand: orchestrator send new_in")
    assert [line.split()[0] for line in lines] == sorted(
        path.stem for path in (shop / "config" / "campaigns").iterdir()
    )
    assert all("none yet" in line for line in lines if line != new_in)


def test_a_project_without_campaigns_says_so(tmp_path):
    assert orchestrator(tmp_path, "init", "bare", "--empty").code == 0
    said = orchestrator(tmp_path / "bare", "report")
    assert (said.code, said.out) == (0, " There is no campaign yet: campaigns are files in config/campaigns.\n")
