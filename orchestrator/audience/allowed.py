"""Columns whose values are words of a list: the project's topics, the time zones there are, the values an attribute or a property may have.

A property may have other values in one event than in another, so a column has several lists, each for the events it is about.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from orchestrator.audience import coercion
from orchestrator.audience.columns import literal
from orchestrator.core.segments.mistakes import meant
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from orchestrator.core.zones import zone_names

if TYPE_CHECKING:
    import duckdb

_EXPLAINED = 200
"""Different wrong values of a column that are told what was probably meant; of more, nobody reads."""
_FEW = 12
"""So many allowed words fit into a reason."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The words of a list. `wrong` says what another value is, with `{}` for it; `hint` what to do where nothing is near.

    `events` are those it is about, empty for every row.
    """

    words: tuple[str, ...]
    wrong: str
    hint: str = ""
    events: tuple[str, ...] = ()

    def reason(self, text: str) -> str:
        """Why a value is refused, and what was probably meant."""
        said = self.wrong.format(f"'{text}'")
        if close := meant(text, self.words):
            return f"{said}; did you mean {' or '.join(close)}?"
        if len(self.words) <= _FEW and self.words:
            return f"{said}; allowed: {', '.join(self.words)}"
        return f"{said}; {self.hint}" if self.hint else said


def topics(names: Iterable[str]) -> Allowed:
    """The project's topics."""
    return Allowed(tuple(sorted(names)), "no topic {}", "declare it under `topics` in config/orchestrator.yaml")


def zones() -> Allowed:
    """The time zones there are."""
    return Allowed(zone_names(), "no time zone {}", "write a name like Europe/Vienna")


def values(declared: Declared) -> Allowed | None:
    """The values a declared attribute may have; None for any."""
    words = (*declared.values, *(str(number) for number in declared.numbers))
    if not words or declared.kind in (Kind.TIME, Kind.BOOLEAN):
        return None
    return Allowed(words, "{} is none of the values in config/data.yaml")


def of_property(catalogue: Catalogue, name: str, event: str = "") -> tuple[Allowed, ...]:
    """The values a property may have in the events that say so; `event` is the only one there is, where that is known."""
    found: dict[Allowed, list[str]] = {}
    for one, properties in catalogue.events.items():
        words = values(properties[name]) if name in properties else None
        if words is not None and event in {"", one}:
            found.setdefault(words, []).append(one)
    return tuple(words if event else replace(words, events=tuple(events)) for words, events in found.items())


def prepare(engine: "duckdb.DuckDBPyConnection", number: int, kind: Kind, lists: Sequence[Allowed]) -> None:
    """Make the tables of the cell's words, as values of its kind; of a list, of what may be in it."""
    one = coercion.value(Kind.TEXT if kind is Kind.LIST else kind, "text")
    for place, allowed in enumerate(lists):
        engine.register("listed", pa.table({"text": pa.array(allowed.words, pa.string())}))
        engine.execute(f"CREATE OR REPLACE TABLE {_table(number, place)} AS SELECT {one} AS value FROM listed")
        engine.unregister("listed")


def member(number: int, kind: Kind, lists: Sequence[Allowed], event: str) -> str:
    """SQL: the cell's value if it is a word of its table, or no table is about its event (SQL); else NULL."""
    return _by_event(lists, event, [_member(number, kind, place) for place in range(len(lists))], f"v{number}")


def _member(number: int, kind: Kind, place: int) -> str:
    words = _table(number, place)
    if kind is Kind.LIST:
        return f"CASE WHEN list_has_all((SELECT list(value) FROM {words}), v{number}) THEN v{number} END"
    value = f"nfc_normalize(s{number})" if kind is Kind.TEXT else f"v{number}"
    return f"CASE WHEN {value} IN (SELECT value FROM {words}) THEN {value} END"


def _by_event(lists: Sequence[Allowed], event: str, answers: Sequence[str], otherwise: str) -> str:
    """SQL: the answer of the list that is about a row's event; `otherwise` where none is."""
    if not lists[0].events:
        return answers[0]
    parts = [
        f"WHEN {event} IN ({', '.join(map(literal, one.events))}) THEN {answer}"
        for one, answer in zip(lists, answers, strict=True)
    ]
    return f"CASE {' '.join(parts)} ELSE {otherwise} END"


def _table(number: int, place: int) -> str:
    return f"words{number}_{place}"


def explain(engine: "duckdb.DuckDBPyConnection", number: int, lists: Sequence[Allowed], event: str) -> None:
    """Make the table of what was wrong with the values that were refused: those of `read` without a value."""
    found = engine.sql(
        f"SELECT DISTINCT t{number}, {_place(lists, event)} FROM read WHERE t{number} IS NOT NULL AND v{number} IS NULL"
        f" LIMIT {_EXPLAINED}"
    ).fetchall()
    odd = [(text, place, lists[place].reason(text.strip())) for text, place in found if place is not None]
    told = {
        "text": pa.array([text for text, _, _ in odd], pa.string()),
        "place": pa.array([place for _, place, _ in odd], pa.int32()),
        "why": pa.array([why for _, _, why in odd], pa.string()),
    }
    engine.register("unfit", pa.table(told))
    engine.execute(f"CREATE OR REPLACE TABLE unfit{number} AS SELECT * FROM unfit")
    engine.unregister("unfit")


def reason(number: int, kind: Kind, lists: Sequence[Allowed], event: str, otherwise: str) -> str:
    """SQL: why the cell has no value; `otherwise` (SQL) is why its text is none of its kind at all."""
    place = _place(lists, event)
    why = f"(SELECT max(why) FROM unfit{number} WHERE text = t{number} AND place = {place})"
    fits = f"{coercion.value(kind, f't{number}')} IS NOT NULL AND NOT contains(t{number}, chr(0))"
    held = f"{place} IS NOT NULL AND {fits}"
    return f"CASE WHEN {held} THEN coalesce({why}, 'not one of those allowed') ELSE {otherwise} END"


def _place(lists: Sequence[Allowed], event: str) -> str:
    """SQL: which list is about a row."""
    return _by_event(lists, event, [str(place) for place in range(len(lists))], "NULL")
