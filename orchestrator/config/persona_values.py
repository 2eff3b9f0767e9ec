"""Values of attributes and of events' properties as a persona writes them, read as an import would leave them in the audience."""

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from orchestrator.config.fields import Type
from orchestrator.config.findings import choice, quoted
from orchestrator.config.moments import moment
from orchestrator.config.results import DataType
from orchestrator.core.phrases import PhraseError
from orchestrator.core.segments.tree import Kind
from orchestrator.core.segments.values import nfc, number, read
from orchestrator.core.times import moment as in_utc
from orchestrator.core.variables import plain


class ValueObjectionError(Exception):
    """A value that its declaration does not allow."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


def value(declared: DataType, raw: Any, zone: str, *, of_event: bool = False) -> Any:
    """The value as JSON in the audience has it; a time without a zone is one of `zone`. ValueObjectionError if it is none."""
    found = _READ[declared.type](raw, zone)
    if declared.type is Type.NUMBER:
        found = _number(raw, exact=of_event)
    if declared.values and declared.type is not Type.LIST and found not in declared.values:
        raise ValueObjectionError(
            f"{quoted(raw)} is not among its values", choice(raw, [str(one) for one in declared.values])
        )
    return found


def _text(raw: Any, _zone: str) -> str:
    if not isinstance(raw, str):
        raise ValueObjectionError(f"expects a text, and {_what(raw)} is none", 'Put it in quotes: "…".')
    return nfc(raw)


def _a_number(raw: Any, _zone: str) -> Any:
    if number(raw) is None:
        raise ValueObjectionError(
            f"expects a number below 10^14, and {_what(raw)} is none", "Write digits alone, without quotes."
        )
    return raw


def _number(raw: Any, *, exact: bool) -> Any:
    """An attribute keeps four decimals, an event's property all that were written."""
    known = number(raw)
    if exact or known is None:
        return int(raw) if raw == int(raw) else raw
    return plain(known)


def _boolean(raw: Any, _zone: str) -> bool:
    if not isinstance(raw, bool):
        raise ValueObjectionError(
            f"expects true or false, and {_what(raw)} is neither", "Write true or false, without quotes."
        )
    return raw


def _date(raw: Any, _zone: str) -> str:
    if read(Kind.DATE, raw) is None:
        raise ValueObjectionError(f"expects a day, and {_what(raw)} is none", "Write it like `2026-03-02`.")
    return str(raw)


def _time(raw: Any, zone: str) -> str:
    try:
        at = moment(raw if isinstance(raw, str) else str(raw)).on(zone)
    except PhraseError as problem:
        raise ValueObjectionError(problem.text, problem.remedy) from None
    return in_utc(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _version(raw: Any, _zone: str) -> str:
    if read(Kind.VERSION, raw) is None:
        raise ValueObjectionError(f"expects a version, and {_what(raw)} is none", 'Write it in quotes, like "9.10".')
    return str(raw)


def _list(raw: Any, _zone: str) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise ValueObjectionError(
            f"expects a list of texts, and {_what(raw)} is none", "Write it like `[coats, shoes]`."
        )
    return [nfc(one) for one in raw]


def _what(raw: Any) -> str:
    return "a list or a mapping" if isinstance(raw, list | dict) else quoted(raw)


_READ: Mapping[Type, Callable[[Any, str], Any]] = {
    Type.TEXT: _text,
    Type.EMAIL: _text,
    Type.PHONE: _text,
    Type.URL: _text,
    Type.NUMBER: _a_number,
    Type.BOOLEAN: _boolean,
    Type.DATE: _date,
    Type.TIME: _time,
    Type.VERSION: _version,
    Type.LIST: _list,
}
