"""Values as a segment's file writes them: `200`, `"9.10"`, `true`, `[AT, DE]`, `last 30 days`."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from orchestrator.core.phrases import PhraseError
from orchestrator.core.segments.mistakes import Path, Reading
from orchestrator.core.segments.values import nfc, number, version

T = TypeVar("T")


def one_number(reading: Reading, raw: Any, at: Path) -> Decimal:
    """A number of at most four decimals."""
    value = number(raw)
    if value is None:
        bare = isinstance(raw, str) and raw.replace(".", "", 1).isdigit()
        raise reading.wrong(
            at,
            f"'{raw}' is not a number",
            f"Write {raw} without quotes." if bare else "Allowed: a number like 200 or 9.5.",
        )
    if value != (Decimal(repr(float(raw))) if isinstance(raw, float) else raw):
        raise reading.wrong(at, f"{raw} has more than four decimals", f"Numbers are compared to four: write {value}.")
    return value


def one_version(reading: Reading, raw: Any, at: Path) -> str:
    """A version in quotes, with its digits as they stand."""
    if not isinstance(raw, str):
        raise reading.wrong(
            at,
            f"{raw} is read as a number, and as one 9.10 is 9.1",
            'Put the version in quotes, with every digit it has: "9.10" is another one than "9.1".',
        )
    if version(raw) is None:
        raise reading.wrong(at, f"'{raw}' is not a version", 'Allowed: numbers with dots, in quotes, like "9.10".')
    return raw


def one_boolean(reading: Reading, raw: Any, at: Path) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise reading.wrong(at, f"'{raw}' is not true or false", "Allowed: true, false.")
    return raw


def one_text(reading: Reading, raw: Any, at: Path) -> str:
    """A text as it is compared (NFC)."""
    if not isinstance(raw, str):
        quoted = f'"{str(raw).lower() if isinstance(raw, bool) else raw}"'
        raise reading.wrong(at, f"{raw} is not a text", f"Put it in quotes, {quoted}, if it is one.")
    if "\0" in raw or any("\ud800" <= letter <= "\udfff" for letter in raw):
        raise reading.wrong(
            at, "the text holds a character that no database can store", "Take out \\0 and lone surrogates."
        )
    return nfc(raw)


def read_texts(reading: Reading, raw: Any, at: Path) -> tuple[str, ...]:
    """A text or several."""
    return read_each(reading, raw, at, one_text)


def read_each(reading: Reading, raw: Any, at: Path, one: Callable[[Reading, Any, Path], T]) -> tuple[T, ...]:
    """One value or a list of at least one."""
    if raw is None or raw == []:
        raise reading.wrong(
            at, "there is no value", "Say what to compare with; `is_set: false` asks for people without one."
        )
    if not isinstance(raw, list):
        return (one(reading, raw, at),)
    return reading.each(enumerate(raw), lambda it: one(reading, it[1], (*at, it[0])))


def read_phrase(reading: Reading, of: Callable[[str], T], raw: Any, at: Path) -> T:
    """A phrase of the small grammar; YAML may have made a date of `2026-01-01` already."""
    if isinstance(raw, date):
        raw = raw.isoformat()[:16] if isinstance(raw, datetime) else raw.isoformat()
    if not isinstance(raw, str):
        raise reading.wrong(at, f"'{raw}' is not a phrase", "Write words, like `last 30 days` or `3 days ago`.")
    try:
        return of(raw)
    except PhraseError as error:
        raise reading.wrong(at, error.text, error.remedy) from None
