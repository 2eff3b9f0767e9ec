"""The segments' files, read into trees: their mistakes at line and column, their references followed, circles found."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.draft import Draft
from orchestrator.config.fields import Type
from orchestrator.config.findings import nearest
from orchestrator.config.shapes import AttributeShape, DataShape
from orchestrator.config.sheets import Path, Sheet
from orchestrator.core.campaigns import Goal
from orchestrator.core.segments import Catalogue, Declared, Kind, Segment, SegmentError, parse
from orchestrator.core.segments.parsing import NOUNS
from orchestrator.core.segments.values import nfc

_KINDS = {
    Type.TEXT: Kind.TEXT, Type.EMAIL: Kind.TEXT, Type.PHONE: Kind.TEXT, Type.URL: Kind.TEXT, Type.NUMBER: Kind.NUMBER,
    Type.BOOLEAN: Kind.BOOLEAN, Type.DATE: Kind.DATE, Type.TIME: Kind.TIME, Type.VERSION: Kind.VERSION, Type.LIST: Kind.LIST,
}  # fmt: skip


def known_data(
    data: DataShape | None,
    segments: frozenset[str],
    campaigns: frozenset[str] | None = None,
    topics: frozenset[str] | None = None,
    goals: Mapping[str, Goal | None] | None = None,
) -> Catalogue | None:
    """The catalogue in the words of segments; None if data.yaml cannot be used, and nothing can be said about names."""
    if data is None:
        return None
    events = {nfc(name): {nfc(key): _declared(it) for key, it in its.items()} for name, its in data.events.items()}
    attributes = {nfc(name): _declared(it) for name, it in data.attributes.items()}
    return Catalogue(attributes, events, segments, campaigns, topics, goals or {})


def goal_of(shape: CampaignShape) -> Goal | None:
    """What counts as a conversion of a campaign; None if nothing does."""
    goal = shape.goal
    return Goal(goal.event, goal.within, goal.value or "", goal.where) if goal else None


def _goals(draft: Draft) -> dict[str, Goal | None]:
    """The goal of every campaign whose file says so beyond doubt."""
    mistaken = {mistake.file for mistake in draft.findings.found}
    return {
        name: goal_of(campaign.shape)
        for name, campaign in draft.campaigns.items()
        if campaign is not None and campaign.shape is not None and campaign.sheet.file not in mistaken
    }


def read_segments(draft: Draft) -> dict[str, Segment]:
    """Every segment that has no mistake of its own."""
    topics = frozenset(draft.settings.topics) if draft.settings and not draft.stood_in("topics") else None
    known = known_data(draft.data, frozenset(draft.segments), frozenset(draft.campaigns), topics, _goals(draft))
    found = {}
    for name, sheet in draft.segments.items():
        if sheet is None:
            continue
        try:
            found[name] = parse(sheet.value, known)
        except SegmentError as error:
            _report(draft, sheet, error)
        for path, file in references(sheet.value, "list"):
            draft.list_file(sheet, path, file)
        if known is None:
            for path, other in references(sheet.value, "segment"):
                draft.segment(sheet, path, other)
    _find_circles(draft)
    return found


def _report(draft: Draft, sheet: Sheet, error: SegmentError) -> None:
    """A segment's mistakes at their places; a misspelt `about` is one mistake, not two."""
    meant = {
        str(key): nearest(str(key), ("about", "formerly"))
        for key in sheet.value
        if key not in {"about", "formerly", *NOUNS}
    }
    for mistake in error.mistakes:
        ask = draft.findings.at_key if mistake.at_key else draft.findings.at
        title = meant.get(str(mistake.path[0]), "") if len(mistake.path) == 1 and mistake.at_key else ""
        if mistake.path or "`about`" not in mistake.text or "about" not in meant.values():
            ask(sheet, mistake.path, mistake.text, f"Did you mean '{title}'?" if title else mistake.remedy)


def check_where(draft: Draft, sheet: Sheet, path: Path, event: str, where: Mapping[str, Any]) -> None:
    """The `where:` of a goal or a trigger: read as a segment would read it."""
    if not where:
        return
    raw = {"about": "…", "all": [{"event": event, "where": where}]}
    try:
        parse(raw, known_data(draft.data, frozenset()))
    except SegmentError as error:
        for mistake in error.mistakes:
            if mistake.path[:3] == ("all", 0, "where"):
                ask = draft.findings.at_key if mistake.at_key else draft.findings.at
                ask(sheet, (*path, *mistake.path[2:]), mistake.text, mistake.remedy)


def references(raw: Any, noun: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every name after `segment:` or `list:` in a segment's file, with its path."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key == noun and isinstance(value, str):
                yield (*path, key), value
            elif key in {"all", "any", "not", "of"}:
                yield from references(value, noun, (*path, key))
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from references(value, noun, (*path, index))


def _find_circles(draft: Draft) -> None:
    uses = {
        name: [(path, other) for path, other in references(sheet.value, "segment") if other in draft.segments]
        for name, sheet in draft.segments.items()
        if sheet is not None
    }
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        for path, other in uses.get(name, ()):
            if other in (*way, name):
                circle = (*way, name)[(*way, name).index(other) :]
                sheet = draft.segments[name]
                if sheet is not None:
                    chain = " → ".join((*circle, other))
                    draft.findings.at(
                        sheet, path, f"a segment that needs itself: {chain}", "Take one of these references out."
                    )
            elif other not in done:
                follow(other, (*way, name))
        done.add(name)

    for name in uses:
        if name not in done:
            follow(name, ())


def _declared(it: AttributeShape) -> Declared:
    values = tuple(value for value in it.values or () if isinstance(value, str))
    numbers = tuple(value for value in it.values or () if not isinstance(value, str))
    return Declared(_KINDS[it.is_], values, numbers)
