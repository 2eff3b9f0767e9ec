"""How campaigns stand: the runs of one, or a line about each, and when the clock starts the next."""

from typing import Any

from orchestrator.cli.desk import Desk, no_such, table
from orchestrator.cli.following import in_people, told
from orchestrator.cli.screen import Column, say, show, width
from orchestrator.cli.screen import table as drawn
from orchestrator.cli.times import say_occurrence, when
from orchestrator.cli.upcoming import upcoming
from orchestrator.core.times import Instant
from orchestrator.ledger import Run, deliveries, pace, runs, standing
from orchestrator.ledger.audit import Entry
from orchestrator.ledger.deliveries import Count
from orchestrator.ledger.standing import People

MOST = 20
"""So many of a campaign's runs are shown, the newest."""


def one_campaign(desk: Desk, name: str, now: Instant) -> None:
    """The runs of one campaign; that needs no more than its ledger, so mistakes in the files do not matter."""
    # All of it as of one moment: while a run is worked, its rows are counted as its people are.
    with desk.ledger(despite_mistakes=True) as ledger, ledger.store.reading():
        listed = runs.listed(ledger.store, name, limit=MOST)
        approved = runs.approvals(ledger.store, [run.id for run in listed])
        found = [(run, standing.people(ledger.store, run.id), deliveries.counted(ledger.store, run)) for run in listed]
    project = desk.load().project
    campaign = project.campaigns.get(name) if project is not None else None
    if not found and name not in (campaigns := desk.names()[0]):
        no_such("campaign", name, campaigns)

    def tell() -> None:
        if not found:
            say(f" {name} has not run yet")
        zone = desk.zone()
        for run, people, counts in found:
            _tell_run(run, people, counts, approved.get(run.id), zone)
        if campaign is not None:
            say(f" next: {upcoming(campaign, now).text}")
        if found:
            say(f" one person's story: orchestrator why {name} PERSON (an id, e-mail address or phone number)")

    desk.show([_run(run, people, counts, approved.get(run.id)) for run, people, counts in found], tell)


def all_campaigns(desk: Desk, now: Instant) -> None:
    """A line about each campaign of the project."""
    campaigns = desk.project().campaigns
    with desk.ledger() as ledger:
        paused = {scope.removeprefix("campaign:") for scope, _, _ in pace.pauses(ledger.store, now)}
        last = {name: next(iter(runs.listed(ledger.store, name, limit=1)), None) for name in campaigns}
    found: list[dict[str, Any]] = []
    for name, campaign in campaigns.items():
        soon, run = upcoming(campaign, now), last[name]
        found.append(
            {
                "campaign": name,
                "state": str(campaign.state),
                "paused": name in paused,
                "run": run.id if run else None,
                "run_state": str(run.state) if run else None,
                "occurrence": run.occurrence if run else None,
                "audience": run.audience if run else None,
                "next_at": soon.at,
                "next": soon.text,
            }
        )

    def tell() -> None:
        if not found:
            say(" There is no campaign yet: campaigns are files in config/campaigns.")
            return
        columns = dict.fromkeys(("campaign", "state", "newest run", "next"), "left")
        zone = desk.zone()
        table("", columns, [_line(one, zone) for one in found])

    desk.show(found, tell)


def _line(one: dict[str, Any], zone: str) -> tuple[str, str, str, str]:
    newest = (
        f"{one['run']} · {say_occurrence(one['occurrence'], zone)} · {one['run_state']}" if one["run"] else "none yet"
    )
    return one["campaign"], one["state"] + (", paused" if one["paused"] else ""), newest, one["next"]


def _tell_run(run: Run, people: People, counts: list[Count], approved: Entry | None, zone: str) -> None:
    audience = "not planned yet" if run.audience is None else f"{run.audience:,} people"
    why = f" · {run.reason}" if run.reason else ""
    source = f" · {run.source}" if run.source else ""
    occurrence = say_occurrence(run.occurrence, zone)
    say(f"run {run.id} · {occurrence} · {run.state} · {audience} · version {run.version[:12]}{source}{why}")
    if approved is not None:
        say(f"   approved by {approved.who}, {when(approved.at, zone)}; it had waited for: {approved.detail}")
    if people.people:
        say(f"   {in_people(people)}")
    totals: dict[tuple[str, str, str], int] = {}
    for count in counts:
        what = (count.channel, count.state, count.reason)
        totals[what] = totals.get(what, 0) + count.rows
    columns = [Column("channel"), Column("state", wraps=True), Column("reason", wraps=True), Column("rows", right=True)]
    rows = [(*what, f"{rows:,}") for what, rows in totals.items()]
    show(drawn(columns, rows, width(), indent="    ").lines)


def _run(run: Run, people: People, counts: list[Count], approved: Entry | None) -> dict[str, Any]:
    return {
        "run": run.id,
        "occurrence": run.occurrence,
        "state": run.state,
        "reason": run.reason,
        "audience": run.audience,
        "version": run.version,
        "source": run.source,
        "approved": {"by": approved.who, "at": approved.at, "waited_for": approved.detail} if approved else None,
        "people": told(people),
        "counts": [
            {
                "state": c.state,
                "reason": c.reason,
                "channel": c.channel,
                "segment": c.segment,
                "variant": c.variant,
                "holdout": c.holdout,
                "rows": c.rows,
            }
            for c in counts
        ],
    }
