"""What a template may do with a person's data: look keys up, print them, and stop where something is missing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NoReturn, cast

from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import LoopContext, Macro, StrictUndefined
from jinja2.utils import Namespace, missing
from markupsafe import Markup, escape

try:
    from markupsafe._speedups import _escape_inner as escape_text
except ImportError:  # a build of markupsafe without its C part

    def escape_text(text: str, /) -> str:
        """Escape text for HTML."""
        return str(escape(text))


class MissingDataError(UndefinedError):
    """A value that is not there, or is null, would have been printed, compared or filtered. Its text is the path."""


class NoCouponError(MissingDataError):
    """There is no code of a pool of coupons for this person. Its text names the pool."""


class AbortError(Exception):
    """A template called abort_message: this person gets no message. Its text says why."""


class UnusableLinkError(Exception):
    """A person's data would have become a link that no mail program should follow."""


class Missing(StrictUndefined):
    """A value that is not there: false in `if`, nothing to go through in `for`, accepted by `default`."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[Exception] | None = None,
    ) -> None:
        del exc
        super().__init__(hint, obj, name, MissingDataError)

    @property
    def _undefined_message(self) -> str:
        return str(self._undefined_name or self._undefined_hint or "a value")

    def __bool__(self) -> bool:  # type: ignore[override]  # StrictUndefined never returns
        return False

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # as above
        return iter(())

    def __len__(self) -> int:  # type: ignore[override]  # as above
        return 0

    def __repr__(self) -> NoReturn:
        raise MissingDataError(self._undefined_message)  # within a list that is printed

    def __contains__(self, _: object) -> NoReturn:
        raise MissingDataError(self._undefined_message)


_METHODS: dict[type, frozenset[str]] = {
    dict: frozenset({"items", "keys", "values", "get"}),
    str: frozenset(
        {
            "upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "startswith", "endswith",
            "replace", "count", "find",
        }
    ),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
}  # fmt: skip
"""What may be called on a value: methods that only read it."""
_METHODS[Markup] = frozenset()

_DATE_PARTS = frozenset({"year", "month", "day", "hour", "minute", "second"})
_LOOP_PARTS = frozenset(
    {
        "index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem",
        "cycle", "changed",
    }
)  # fmt: skip


def get_attribute(value: Any, name: str) -> Any:
    """`value.name`: a key of the data and nothing else; Missing if it is not there or null."""
    if value.__class__ is dict:
        found = value.get(name)
        return found if found is not None else Missing(name=name)
    return _from_object(value, name)


def get_item(value: Any, key: Any) -> Any:
    """`value[key]`: a key of the data, a place in a list, a character of a text; Missing if it is not there or null."""
    if value.__class__ is dict:
        try:
            found = value.get(key)
        except TypeError:  # an unhashable key is in no dictionary
            found = None
        return found if found is not None else Missing(name=str(key))
    if isinstance(key, int) and isinstance(value, list | tuple | str):
        found = value[key] if -len(value) <= key < len(value) else None
        return found if found is not None else Missing(name=str(key))
    if isinstance(key, str):
        return _from_object(value, key)
    return Missing(name=f"{path_of(value)}[{key}]" if isinstance(value, Missing) else str(key))


def get_method(value: Any, name: str) -> Any:
    """What stands before the brackets of a call: a key of the data, else one of the methods that only read."""
    if isinstance(value, Missing):
        return value  # calling it says what is missing
    found = get_attribute(value, name)
    if not isinstance(found, Missing):
        return found
    if name in _METHODS.get(value.__class__, ()):
        return getattr(value, name)
    raise SecurityError(f"{name}() cannot be called here")


def _from_object(value: Any, name: str) -> Any:
    """An attribute of something that is no dictionary."""
    if isinstance(value, Missing):
        return Missing(name=f"{value._undefined_name}.{name}")  # noqa: SLF001 - its own class
    if isinstance(value, Mapping):
        return _given(value.get(name), name)
    if isinstance(value, Namespace):
        return _given(_namespace_of(value).get(name), name)
    allowed: frozenset[str] = frozenset()
    if isinstance(value, LoopContext):
        allowed = _LOOP_PARTS
    elif isinstance(value, date | datetime):
        allowed = _DATE_PARTS
    return _given(getattr(value, name, None) if name in allowed else None, name)


def _namespace_of(value: Namespace) -> dict[str, Any]:
    # Namespace hides its dictionary behind a mangled name and answers every other attribute from it.
    return dict(object.__getattribute__(value, "_Namespace__attrs"))


def _given(found: Any, name: str) -> Any:
    return found if found is not None else Missing(name=name)


def print_html(value: Any) -> str:
    """What a value looks like in HTML."""
    if value.__class__ is str:
        return escape_text(value)
    if value.__class__ is Markup:
        return str(value)
    return escape_text(print_text(value))


def print_text(value: Any) -> str:
    """What a value looks like in text; MissingDataError for null, TypeError for what is no value."""
    if value.__class__ is str:
        return value
    if value is None:
        raise MissingDataError("a value")
    if isinstance(value, str):
        return str.__str__(value)
    if callable(value) and not isinstance(value, Missing):
        raise TypeError(
            f"{'the macro ' + value.name if isinstance(value, Macro) else 'a function'} has no text; call it"
        )
    if isinstance(value, list | tuple | dict):
        _refuse_nulls(value)
    return str(value)


def _refuse_nulls(value: Any) -> None:
    """MissingDataError if a list or map that is printed as it is would show a null."""
    inside = value.values() if isinstance(value, dict) else value
    for item in inside:
        if item is None:
            raise MissingDataError("a value")
        if isinstance(item, list | tuple | dict):
            _refuse_nulls(item)


def join_text(values: Iterable[Any]) -> str:
    """Text put together from parts, each printed."""
    return "".join(map(print_text, values))


def checked(filter_: Callable[..., Any], place: int) -> Callable[..., Any]:
    """A filter that refuses a missing value. `place` is where the value stands among its arguments."""

    def first(value: Any, *arguments: Any, **named: Any) -> Any:
        if value is None or value.__class__ is Missing:
            raise MissingDataError(path_of(value))
        return filter_(value, *arguments, **named)

    def second(context: Any, value: Any, *arguments: Any, **named: Any) -> Any:
        if value is None or value.__class__ is Missing:
            raise MissingDataError(path_of(value))
        return filter_(context, value, *arguments, **named)

    made: Any = second if place else first
    if hasattr(filter_, "jinja_pass_arg"):
        made.jinja_pass_arg = filter_.jinja_pass_arg
    return cast("Callable[..., Any]", made)


def path_of(value: Any) -> str:
    """What a missing value was called, as far as it is known."""
    return value._undefined_message if isinstance(value, Missing) else "a value"  # noqa: SLF001 - its own class
