"""What a stored value means: one reading for imports, for the evaluation of a person, and (in SQL) for whole audiences.

A value that cannot be read as its kind is missing. Values are JSON's: text, number, true and false, list; moments and days
are text in ISO 8601.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any
from unicodedata import normalize

from orchestrator.core.segments.tree import Kind
from orchestrator.core.times import Instant, instant

DECIMALS = 4
"""Numbers are DECIMAL(18,4): read to four decimals, half away from zero; 10¹⁴ and more cannot be read."""
PARTS = 6
"""Parts of a version that are compared; each has up to nine digits."""
DAY_PATTERN = "[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
TIME_PATTERN = DAY_PATTERN + (
    "[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)
"""A moment has a zone; nobody can know what a time without one means."""
VERSION_PATTERN = "^[vV]?([0-9]{1,9}([.][0-9]{1,9}){0,5})([^0-9.].*)?$"

_STEP = Decimal(1).scaleb(-DECIMALS)
_LIMIT = Decimal(10) ** (18 - DECIMALS)
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
"""Wide enough for the digits of any double."""
_TIME = re.compile(TIME_PATTERN)
_DAY = re.compile(DAY_PATTERN)
_VERSION = re.compile(VERSION_PATTERN, re.DOTALL)

Value = str | Decimal | bool | date | Instant | tuple[str, ...]


def read(kind: Kind | None, raw: Any) -> Value | None:
    """The value as its kind, None if it is missing or of another kind. Without a kind: any value, as its text."""
    if kind is None:
        return None if raw is None else nfc(str(raw))
    return _READ[kind](raw)


def nfc(text: str) -> str:
    """Text as it is compared: composed (NFC), by code point."""
    return text if text.isascii() else normalize("NFC", text)


def number(raw: Any) -> Decimal | None:
    """A number with four decimals, None for anything else (a text of digits, too)."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        return None
    try:
        exact = Decimal(repr(float(raw))) if isinstance(raw, float) else Decimal(raw)
        rounded = exact.quantize(_STEP, context=_EXACT)
        return rounded + 0 if abs(rounded) < _LIMIT else None
    except InvalidOperation:  # nan, infinity, beyond every limit
        return None


def version(raw: Any) -> str | None:
    """A version as text that sorts like it: `9.10` becomes `000000009000000010…`; what follows the numbers is not looked at."""
    found = _VERSION.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        return None
    parts = found[1].split(".")
    return "".join(part.zfill(9) for part in parts) + "0" * 9 * (PARTS - len(parts))


def _day(raw: Any) -> date | None:
    if not isinstance(raw, str) or not _DAY.fullmatch(raw):
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError:  # 30 February
        return None


def _time(raw: Any) -> Instant | None:
    if not isinstance(raw, str) or not _TIME.fullmatch(raw):
        return None
    try:
        return instant(datetime.fromisoformat(raw))
    except ValueError:
        return None


def _text(raw: Any) -> str | None:
    return nfc(raw) if isinstance(raw, str) else None


def _boolean(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _list(raw: Any) -> tuple[str, ...] | None:
    """The texts of a list; what else is in it is not looked at."""
    return tuple(nfc(one) for one in raw if isinstance(one, str)) if isinstance(raw, list | tuple) else None


_READ: Mapping[Kind, Callable[[Any], Value | None]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _day,
    Kind.TIME: _time,
    Kind.VERSION: version,
    Kind.LIST: _list,
}
