"""Browser subscriptions among the tokens of an import: each in its one spelling, and one that is broken is rejected."""

from typing import TYPE_CHECKING

import pyarrow as pa

from orchestrator.audience import coercion
from orchestrator.core.segments.tree import Kind
from orchestrator.providers import CannotBuildError
from orchestrator.providers.subscriptions import WEB, spelled

if TYPE_CHECKING:
    import duckdb

FORM = "(?s).+"
"""What a token may be: anything, for only its own service knows. A subscription must be one."""

_COLUMNS = ("text", "plain", "why")


def sort_out(engine: "duckdb.DuckDBPyConnection", number: int) -> None:
    """Make the table of the cell's subscriptions: each as it came, in its one spelling, and why it is none if it is none."""
    found = engine.sql(f"SELECT DISTINCT {_text(number)} FROM texts WHERE {_meant(number)}").fetchall()
    read = [(text, *_read(text)) for (text,) in found]
    table = pa.table({name: pa.array([row[n] for row in read], pa.string()) for n, name in enumerate(_COLUMNS)})
    engine.register("sorted", table)
    engine.execute(f"CREATE OR REPLACE TABLE odd{number} AS SELECT * FROM sorted")
    engine.unregister("sorted")


def value(number: int) -> str:
    """SQL: the token; of a subscription its one spelling, NULL if it is broken."""
    plain = f"(SELECT max(plain) FROM odd{number} WHERE text = {_text(number)})"
    return f"CASE WHEN {_meant(number)} THEN {plain} ELSE {coercion.value(Kind.TEXT, f't{number}', f'm{number}')} END"


def reason(number: int) -> str:
    """SQL: why a text is no token."""
    why = f"(SELECT max(why) FROM odd{number} WHERE text = {_text(number)})"
    return f"coalesce({why}, {coercion.reason(Kind.TEXT, f't{number}')})"


def platform(token: str, platform: str) -> str:
    """SQL: a device's platform as it was told, else what its token says by itself."""
    return f"CASE WHEN {platform} = '' AND starts_with({token}, '{{') THEN '{WEB}' ELSE {platform} END"


def _text(number: int) -> str:
    return f"trim(t{number})"


def _meant(number: int) -> str:
    return f"starts_with({_text(number)}, '{{')"


def _read(text: str) -> tuple[str | None, str | None]:
    try:
        return spelled(text), None
    except CannotBuildError as problem:
        return None, str(problem).removeprefix("browser ")
