"""E-mail addresses of an import, taken just where mail can be sent to them later: what the mail adapters refuse is rejected."""

from typing import TYPE_CHECKING

import pyarrow as pa

from orchestrator.audience.columns import literal
from orchestrator.providers import CannotBuildError
from orchestrator.providers.addresses import ATOM, address

if TYPE_CHECKING:
    import duckdb

FORM = "[^@\\s,;<>]+@[^@\\s,;<>]+[.][^@\\s,;<>.]+"
"""What has the look of an e-mail address at all; a domain without a dot is a typing error."""

_NAME = "[A-Za-z0-9]+"
_PLAIN = f"{ATOM}+([.]{ATOM}+)*@{_NAME}([.-]{_NAME})*[.]{_NAME}"
_SHORT = 64
"""So long, the plain ones break no limit of mail: neither that of their parts nor that of the whole."""


def sort_out(engine: "duckdb.DuckDBPyConnection", number: int) -> None:
    """Make the table of the cell's addresses that are not plain: each with why mail cannot go there, NULL if it can.

    Only the adapters' own reading tells that of an address with a foreign domain or misplaced dots, and few are.
    """
    text = f"nfc_normalize(trim(t{number}))"
    found = engine.sql(
        f"SELECT DISTINCT {text} FROM texts WHERE regexp_full_match({text}, {literal(FORM)}) AND NOT ({_plain(text)})"
    ).fetchall()
    odd = [(one, _refused(one)) for (one,) in found]
    table = pa.table(
        {"text": pa.array([one for one, _ in odd], pa.string()), "why": pa.array([why for _, why in odd], pa.string())}
    )
    engine.register("sorted", table)
    engine.execute(f"CREATE OR REPLACE TABLE odd{number} AS SELECT * FROM sorted")
    engine.unregister("sorted")


def value(number: int) -> str:
    """SQL: the cell's text if mail can be sent there, else NULL."""
    text = f"nfc_normalize(trim(t{number}))"
    known = f"{text} IN (SELECT text FROM odd{number} WHERE why IS NULL)"
    return f"CASE WHEN {_plain(text)} OR {known} THEN {text} END"


def reason(number: int) -> str:
    """SQL: why a text is no address mail can be sent to."""
    asked = f"(SELECT max(why) FROM odd{number} WHERE text = nfc_normalize(trim(t{number})))"
    return f"coalesce({asked}, 'not an e-mail address')"


def _plain(text: str) -> str:
    return f"(length({text}) <= {_SHORT} AND regexp_full_match({text}, {literal(_PLAIN)}))"


def _refused(text: str) -> str | None:
    try:
        address(text)
    except CannotBuildError as problem:
        return str(problem)
    return None
