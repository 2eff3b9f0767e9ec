"""How `today` looks: four sections, each with what matters first, in as many columns as the terminal has room for."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.cli.following import told as told_people
from orchestrator.cli.screen import BOLD, DIM, RED, YELLOW, Column, Line, Section, Table, fitted, table, width
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, Instant
from orchestrator.core.zones import wall_at, zone_of
from orchestrator.pipeline.today import Ahead, Data, Lately, Load, Morning, Need, Seen, say_waiting

_NEAR = 0.1
"""A day that differs by less from a usual one is as usual."""


def sections(found: Morning, head: str, zone: str, now: Instant) -> list[Section]:
    """The screen's parts; the data comes first while it is red."""
    room, wall = width(), wall_at(zone_of(zone, ""), now)
    title = [Line(one, BOLD) for one in fitted(f" {head}", room)]
    title += [Line(f" {wall:%A} {wall.day} {wall:%B %Y, %H:%M} {zone}", DIM)]
    parts = [
        _needs(found.needs, zone, now, room, late=found.data.late),
        _lately(found.lately, room),
        _ahead(found.ahead, room),
    ]
    data = _data(found.data, zone, now, room)
    parts = [data, *parts] if found.data.late else [*parts, data]
    return [Section(title, []), *parts]


def _needs(found: Sequence[Need], zone: str, now: Instant, room: int | None, *, late: bool) -> Section:
    if not found:
        return Section([Line(f" NEEDS A PERSON: {'nothing but the data above' if late else 'nothing'}", BOLD)], [])
    groups = []
    for one in found:
        people = f"{one.people:,} {'person waits' if one.people == 1 else 'people wait'}" if one.people else ""
        since = f"since {clock(one.since, zone, now)}" if one.since is not None else ""
        said = " · ".join(filter(None, (one.campaign, one.what, people, since)))
        lines = [Line(line, YELLOW) for line in fitted(f"   {said}", room)]
        groups.append([*lines, *(Line(line) for line in fitted(f"     {one.command}", room))])
    return Section([Line(f" NEEDS A PERSON: {len(found):,}", BOLD)], groups)


def _lately(found: Sequence[Lately], room: int | None) -> Section:
    if not found:
        return Section([Line(" LAST 24 HOURS: no campaign had a run", BOLD)], [])
    rows = [_of_lately(one) for one in found]
    columns = [
        column for column in _LATELY if any(row[column.name] not in {"", "0"} for row in rows) or not column.gives_way
    ]
    styles = [RED if one.people.failed else "" for one in found]
    for least in (3, 2, 1):
        kept = [Column(column.name, column.right) for column in columns if column.gives_way < least]
        left_out = [column.name for column in columns if column.gives_way >= least]
        shown = table(kept, [[row[column.name] for column in kept] for row in rows], room, styles=styles)
        if shown.head:
            break
    for lines, row in zip(shown.rows, rows, strict=True):
        # What had no room beside the others stands below them.
        below = " · ".join(f"{name} {row[name]}" for name in left_out if row[name] not in {"", "0", "–"})
        lines.extend(Line(line, DIM) for line in fitted(f"     {below}", room) if below)
    return _section("LAST 24 HOURS", shown)


_LATELY = (
    Column("LAST 24 HOURS"),
    Column("people", right=True),
    Column("reached", right=True),
    Column("waiting", right=True, gives_way=1),
    Column("holdout", right=True, gives_way=1),
    Column("nothing", right=True),
    Column("mostly", gives_way=2),
    Column("failed", right=True),
    Column("goal", right=True, gives_way=1),
    Column("usual"),
)
"""What gives way is not shown where it is nothing for all of them, and below the others where there is no room: 2 before 1."""


def _section(name: str, shown: Table) -> Section:
    return Section(shown.head or [Line(f" {name}", BOLD)], shown.rows)


def _of_lately(one: Lately) -> dict[str, str]:
    people, state = one.people, "" if one.state == "live" else f" ({one.state})"
    approved = f", approved by {', '.join(one.approved)}" if one.approved else ""
    why, many = next(iter(people.nothing.most_common(1)), ("", 0))
    return {
        "LAST 24 HOURS": one.campaign + state + approved,
        "people": f"{people.people:,}",
        "reached": f"{people.reached:,}",
        "usual": _against(people.reached, one.usual),
        "holdout": f"{people.holdout:,}",
        "nothing": f"{people.nothing.total():,}",
        "mostly": f"{why.replace('_', ' ')} {100 * many / people.nothing.total():.0f}\xa0%" if many else "",
        "failed": f"{people.failed + people.in_doubt:,}",
        "waiting": f"{people.waiting:,}",
        "goal": "–" if one.goal is None else f"{one.goal:,}",
    }


def _against(now: int, usual: float | None) -> str:
    """A day against a usual one, as an arrow."""
    if usual is None:
        return "first"
    if abs(now - usual) <= _NEAR * usual:
        return "same"
    return f"{'↑' if now > usual else '↓'} {now / usual:.1f}×" if usual else "↑"


def _ahead(found: Sequence[Ahead], room: int | None) -> Section:
    if not found:
        return Section([Line(" NEXT 24 HOURS: the clock starts nothing", BOLD)], [])
    columns = [
        Column("NEXT 24 HOURS"),
        Column("campaign"),
        Column("expected", right=True),
        Column("over", wraps=True, gives_way=2),
        Column("of its quota", gives_way=3),
        Column("shares people with", wraps=True, gives_way=1),
    ]
    told = [_of_ahead(one) for one in found]
    if not any(one["of its quota"] for one in told):
        columns = [column for column in columns if column.name != "of its quota"]
    rows = [[one[column.name] for column in columns] for one in told]
    return _section("NEXT 24 HOURS", table(columns, rows, room, styles=[YELLOW if _over(one) else "" for one in found]))


def _of_ahead(one: Ahead) -> dict[str, str]:
    low, high = one.expected or (0, 0)
    many = f"{low:,}" if low == high else f"{low:,}–{high:,}"
    others = [f"{name} {people:,}" for name, people in sorted((one.overlaps or {}).items(), key=lambda it: -it[1])]
    return {
        "NEXT 24 HOURS": one.wall + (f", {one.times} times" if one.times > 1 else ""),
        "campaign": one.campaign,
        "expected": many if one.expected else "no run yet",
        "over": " · ".join(_route(load) for load in one.loads),
        "of its quota": " · ".join(
            f"{load.provider} {_share(load.share)}" for load in one.loads if load.share is not None
        ),
        "shares people with": "not known" if one.overlaps is None else " · ".join(others) or "nobody",
    }


def _share(share: float) -> str:
    return "<1\xa0%" if 0 < share < _NEAR / 10 else f"{100 * share:.0f}\xa0%"


def _route(load: Load) -> str:
    return f"{load.channel} {load.provider}" if load.provider not in ("", load.channel) else str(load.channel)


def _over(one: Ahead) -> bool:
    """Whether a provider's quota of a day will not do."""
    return any(load.share is not None and load.share > 1 for load in one.loads)


def _data(found: Data, zone: str, now: Instant, room: int | None) -> Section:
    below = [line for one in found.red for line in _drawn(f"   {one}", room, RED)]
    below += _drawn(f"   {_loading(found)}", room, "")
    if not found.events:
        return Section([Line(" DATA", BOLD)], [below])
    columns = [
        Column("DATA"),
        Column("newest", right=True),
        Column("last 24 h", right=True),
        Column("usual", right=True),
        Column("", wraps=True),
    ]
    rows = [_of_event(one, zone, now) for one in found.events]
    shown = table(columns, rows, room, styles=[RED if one.red else "" for one in found.events])
    head = shown.head or [Line(" DATA", BOLD)]
    return Section(head, [*([below] if found.red else []), *shown.rows, *([] if found.red else [below])])


def _of_event(one: Seen, zone: str, now: Instant) -> list[str]:
    fresh = one.fresh
    newest = "never" if fresh.newest is None else clock(fresh.newest, zone, now)
    usual = "–" if fresh.usual is None else f"{fresh.usual:,.1f}".removesuffix(".0")
    return [fresh.event, newest, f"{fresh.last_day:,}", usual, one.red]


def _loading(found: Data) -> str:
    said = [
        f"{say_waiting(found.waiting)} to be loaded, the oldest for {length(found.lag)}"
        if found.waiting
        else "every event is loaded"
        if any(one.fresh.newest is not None for one in found.events)
        else "no event waits to be loaded"
    ]
    if found.set_aside:
        said.append(f"{found.set_aside:,} were set aside: the audience cannot take them")
    if found.rejects:
        said.append(f"imports of today refused {found.rejects:,}: data/rejects/{found.rejects_file}")
    else:
        said.append("no rejects today")
    return " · ".join(said)


def _drawn(text: str, room: int | None, style: str) -> list[Line]:
    return [Line(one, style) for one in fitted(text, room)]


def clock(at: Instant, zone: str, now: Instant) -> str:
    """A moment on the wall: the time alone for the last day, the day beside it for others."""
    there = zone_of(zone, "")
    wall, here = wall_at(there, at), wall_at(there, now)
    if wall.date() == here.date():
        return f"{wall:%H:%M}"
    return f"{wall.day} {wall:%b %H:%M}" if wall.year == here.year else f"{wall.day} {wall:%b %Y}"


def length(span: int) -> str:
    """A length of time in its largest unit."""
    for size, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if span >= size:
            return f"{span // size} {word}"
    return f"{span // SECOND} s"


def told(found: Morning) -> dict[str, Any]:
    """The same for a program."""
    return {
        "needs": [asdict(one) for one in found.needs],
        "last_day": [{**asdict(one), "people": told_people(one.people)} for one in found.lately],
        "next_day": [asdict(one) for one in found.ahead],
        "data": {
            "events": [{**asdict(one.fresh), "red": one.red} for one in found.data.events],
            "waiting": found.data.waiting,
            "lag": found.data.lag,
            "set_aside": found.data.set_aside,
            "rejects": found.data.rejects,
            "red": found.data.red,
        },
    }
