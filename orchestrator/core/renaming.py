"""What another name of a campaign means for people: the ledger knows a campaign by its name alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.core.assignment import salt
from orchestrator.core.campaigns import Campaign
from orchestrator.core.phrases import say_repeat
from orchestrator.core.segments import Segment
from orchestrator.core.segments.tree import Event, Property, leaves
from orchestrator.core.segments.value_tests import OneOf


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger has of the old name: who of the next run `repeat` would pass over (None: not counted), runs under way, a pause."""

    had_it: int | None = None
    under_way: tuple[int, ...] = ()
    paused: bool = False


def meaning(
    before: Campaign | None, after: Campaign, old: str, past: Past, segments: Mapping[str, Segment]
) -> Iterator[tuple[str, str]]:
    """(what it is about, what happens to it) for everything that hangs on the name; nothing else changes with it."""
    new = after.name
    if after.repeat.after != 0:
        yield "repeat", f"begins anew: {_who(past.had_it, old)} (repeat: {say_repeat(after.repeat)})"
    yield from _draws(before, after, old)
    if after.policy.caps and not after.policy.caps_exempt:
        yield "caps", f"stay: they count people's messages, those of {old} as well"
    if past.under_way:
        one = len(past.under_way) == 1
        which = f"run {past.under_way[0]} of {old} goes" if one else f"{len(past.under_way)} runs of {old} go"
        yield "under way", f"{which} on beside those of {new} (orchestrator cancel RUN ends one)"
    if past.paused:
        yield "pause", f"{old} is paused, {new} is not (orchestrator pause {new})"
    asking = [name for name, one in segments.items() if asks_for(one, new)]
    if asking:
        yield "segments", f"{', '.join(asking)} know{'s' * (len(asking) == 1)} of no message that {old} sent"
    yield "figures", f"orchestrator report {new} begins with nothing; report {old} keeps what was"


def _who(had_it: int | None, old: str) -> str:
    """Who can get it once more."""
    match had_it:
        case None:
            return f"who had it from {old} can get it again"
        case 0:
            return f"nobody of the next run had it from {old}"
        case 1:
            return f"1 person of the next run had it from {old} and can get it again"
    return f"{had_it:,} people of the next run had it from {old} and can get it again"


def _draws(before: Campaign | None, after: Campaign, old: str) -> Iterator[tuple[str, str]]:
    """Variants, holdout and ramp, if the campaign has any."""
    experiment = after.experiment
    if experiment is None:
        return
    was = salt(before) if before is not None else old
    if salt(after) == was:
        yield "experiment", f"stays: the same people get the same variant, by the salt {was}"
    else:
        yield (
            "experiment",
            f"begins anew: people may get another variant, and who was held out may get a message; `salt: {was}` in it keeps the draw",
        )
    if experiment.ramp:
        yield "ramp", "begins at its first step again"


def asks_for(segment: Segment, campaign: str) -> bool:
    """Whether a segment has a condition on the messages of a campaign, by its name."""
    return any(_names(one, campaign) for it in leaves(segment.root) if isinstance(it, Event) for one in it.where)


def _names(one: Property, campaign: str) -> bool:
    return one.name == "campaign" and isinstance(one.test, OneOf) and campaign in one.test.values
