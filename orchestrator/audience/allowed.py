"""Columns whose values are words of a list: the project's topics, the time zones there are, the values an attribute may have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from orchestrator.audience import coercion
from orchestrator.core.segments.mistakes import meant
from orchestrator.core.segments.tree import Declared, Kind
from orchestrator.core.zones import zone_names

if TYPE_CHECKING:
    import duckdb

_EXPLAINED = 200
"""Different wrong values of a column that are told what was probably meant; of more, nobody reads."""
_FEW = 12
"""So many allowed words fit into a reason."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The words of a list. `wrong` says what another value is, with `{}` for it; `hint` what to do where nothing is near."""

    words: tuple[str, ...]
    wrong: str
    hint: str = ""

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


def prepare(engine: "duckdb.DuckDBPyConnection", number: int, kind: Kind, allowed: Allowed) -> None:
    """Make the table of the cell's words, as values of its kind; of a list, of what may be in it."""
    engine.register("listed", pa.table({"text": pa.array(allowed.words, pa.string())}))
    one = coercion.value(Kind.TEXT if kind is Kind.LIST else kind, "text")
    engine.execute(f"CREATE OR REPLACE TABLE words{number} AS SELECT {one} AS value FROM listed")
    engine.unregister("listed")


def member(number: int, kind: Kind) -> str:
    """SQL: the cell's value if it is a word of its table, else NULL."""
    words = f"(SELECT value FROM words{number})"
    if kind is Kind.LIST:
        there = f"list_has_all((SELECT list(value) FROM words{number}), v{number})"
    else:
        there = f"v{number} IN {words}"
    return f"CASE WHEN {there} THEN v{number} END"


def explain(engine: "duckdb.DuckDBPyConnection", number: int, allowed: Allowed) -> None:
    """Make the table of what was wrong with the values that were refused: those of `read` without a value."""
    found = engine.sql(
        f"SELECT DISTINCT t{number} FROM read WHERE t{number} IS NOT NULL AND v{number} IS NULL LIMIT {_EXPLAINED}"
    ).fetchall()
    odd = [(text, allowed.reason(text.strip())) for (text,) in found]
    told = {
        "text": pa.array([text for text, _ in odd], pa.string()),
        "why": pa.array([why for _, why in odd], pa.string()),
    }
    engine.register("unfit", pa.table(told))
    engine.execute(f"CREATE OR REPLACE TABLE unfit{number} AS SELECT * FROM unfit")
    engine.unregister("unfit")


def reason(number: int, kind: Kind, otherwise: str) -> str:
    """SQL: why the cell has no value; `otherwise` (SQL) is why its text is none of its kind at all."""
    why = f"(SELECT max(why) FROM unfit{number} WHERE text = t{number})"
    fits = f"{coercion.value(kind, f't{number}')} IS NOT NULL AND NOT contains(t{number}, chr(0))"
    return f"CASE WHEN {fits} THEN coalesce({why}, 'not one of those allowed') ELSE {otherwise} END"
