"""A person's story with a campaign as programs read it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.cli.conditions import tree_of
from orchestrator.cli.lookups import plain_delivery
from orchestrator.core.nouns import Expire, Hold, Send
from orchestrator.pipeline.story import Aim, Judgement, Row, Story, Would, state_of

if TYPE_CHECKING:
    from orchestrator.ledger.evidence import Evidence


def told(environment: str, story: Story, others: Sequence[int]) -> dict[str, Any]:
    """Everything the screen says; `rows` are a run's, `would` what a plan says, and one of both is empty."""
    who, came, run = story.who, story.came, story.run
    zone = story.campaign.policy.time_zone
    return {
        "campaign": story.campaign.name,
        "environment": environment,
        "user": who.user,
        "person": {"email": who.email, "phone": who.phone, "zone": who.zone, "locale": who.locale},
        "run": None if run is None else run.id,
        "run_state": None if run is None else str(run.state),
        "occurrence": None if run is None else run.occurrence,
        "version": None if run is None else run.version,
        "at": story.at,
        "outcome": came.what,
        "reason": str(came.reason),
        "detail": came.detail,
        "segment": story.segment,
        "variant": story.variant,
        "audience": [_segment(one, zone) for one in story.audience],
        "exclude": [_segment(one, zone) for one in story.exclude],
        "draws": [
            {"draw": d.what, "place": round(d.place, 6), "percent": d.percent, "got": d.got} for d in story.draws
        ],
        "rows": [_row(one) for one in story.rows],
        "would": [_would(one) for one in story.would],
        "goal": None if story.aim is None else _aim(story.aim),
        "other_runs": list(others),
    }


def _segment(one: Judgement, zone: str) -> dict[str, Any]:
    return {"segment": one.name, "in": one.found.holds, "tree": tree_of(one.found, zone)}


def _row(row: Row) -> dict[str, Any]:
    return {
        **plain_delivery(row.delivery, row.answers),
        "address": row.delivery.address,
        "deeds": [{"deed": str(one.deed), "at": one.at, "link": one.link, "machine": one.machine} for one in row.deeds],
        "because": _because(row.because),
    }


def _would(one: Would) -> dict[str, Any]:
    row, verdict = one.row, one.row.verdict
    return {
        "channel": row.channel,
        "step": row.step,
        "slot": row.slot,
        "state": state_of(row),
        "sends": isinstance(verdict, Send),
        "reason": "" if isinstance(verdict, Send) else str(verdict.reason),
        "detail": "" if isinstance(verdict, Send | Hold | Expire) else verdict.detail,
        "not_before": verdict.until if isinstance(verdict, Hold) else None,
        "address": verdict.address.value if isinstance(verdict, Send) else "",
        "because": _because(one.because),
    }


def _because(found: "Sequence[Evidence]") -> list[dict[str, Any]]:
    return [{"text": one.text, "at": one.at, "source": one.source} for one in found]


def _aim(aim: Aim) -> dict[str, Any]:
    goal = aim.goal
    reached = [{"at": one.time, "value": one.properties.get(goal.value) if goal.value else None} for one in aim.reached]
    return {"event": goal.event, "within": goal.within, "since": aim.since, "until": aim.until, "reached": reached}
