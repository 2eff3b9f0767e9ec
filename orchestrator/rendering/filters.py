"""The filters of templates: Jinja's that are safe, Leanplum's, and those people know from Liquid."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import TIMEDELTA_UNITS, format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, is_currency
from jinja2.filters import FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.utils import pass_context
from markupsafe import Markup

from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, instant
from orchestrator.core.zones import find_zone
from orchestrator.rendering.reading import Reader, a_moment, a_number, known_locale, plain, reader_of, shown
from orchestrator.rendering.values import checked, get_attribute

FROM_JINJA = frozenset(
    {
        "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first",
        "float", "forceescape", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map",
        "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice", "sort",
        "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper", "urlencode", "urlize", "wordcount",
        "wordwrap",
    }
)  # fmt: skip
"""All of Jinja's but those that format by a pattern of their own (format, xmlattr, pprint), print what is no longer
escaped (safe, tojson), or throw dice (random): the same person must get the same bytes again."""

_LENGTHS = ("short", "medium", "long", "full")
_STRFTIME = MappingProxyType(
    {
        "a": "EEE", "A": "EEEE", "b": "MMM", "B": "MMMM", "d": "dd", "e": "d", "H": "HH", "I": "hh", "j": "DDD",
        "l": "h", "m": "MM", "M": "mm", "p": "a", "S": "ss", "y": "yy", "Y": "yyyy", "Z": "zzz", "%": "'%'",
    }
)  # fmt: skip
"""What Liquid's date codes are called in the patterns of Unicode."""
_UNITS = MappingProxyType({"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY})
_LONGEST_TEXT = 1_000_000
_SHORT = 64


def add(value: Any, number: Any) -> int | float:
    """`value | add(2)`, exactly: 0.1 and 0.2 make 0.3."""
    return plain(a_number(value) + a_number(number))


def multiply(value: Any, number: Any) -> int | float:
    """`value | multiply(2)`."""
    return plain(a_number(value) * a_number(number))


def divide(value: Any, number: Any) -> int | float:
    """`value | divide(2)`; ValueError for a division by zero."""
    by = a_number(number)
    if not by:
        raise ValueError(f"{shown(value)} cannot be divided by 0")
    return plain(Decimal(a_number(value)) / by)


def subtract(value: Any, number: Any) -> int | float:
    """`value | minus(2)`."""
    return plain(a_number(value) - a_number(number))


def absolute(value: Any) -> int | float:
    """`value | abs`."""
    found = a_number(value)
    return plain(-found if found < 0 else found)


def size(value: Any) -> int:
    """How many characters, items or keys."""
    return len(value)


@pass_context
def number(context: Context, value: Any, decimals: int | None = None) -> str:
    """A number as the reader writes it: 1,234.5 or 1.234,5; with `decimals`, exactly so many."""
    return _number(a_number(value), decimals, reader_of(context).locale)


@lru_cache(maxsize=8192)
def _number(value: int | Decimal, decimals: int | None, locale: str) -> str:
    if decimals is None:
        return str(format_decimal(value, locale=locale))
    places = min(max(int(decimals), 0), 10)
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return str(format_decimal(rounded, "#,##0" + ("." + "0" * places if places else ""), locale=locale))


@pass_context
def currency(context: Context, value: Any, code: str, locale: str = "") -> str:
    """Money as the reader writes it: €1,234.50 or 1.234,50 €. `code` is ISO 4217."""
    return _currency(a_number(value), code, _locale(context, locale))


@lru_cache(maxsize=8192)
def _currency(value: int | Decimal, code: str, locale: str) -> str:
    if not is_currency(code):
        raise ValueError(f"{shown(code)} is not a currency; write a code of ISO 4217 like EUR")
    return str(format_currency(value, code, locale=locale))


@pass_context
def pluralize(context: Context, value: Any, one: str = "", other: str = "s") -> str:
    """`n | pluralize("item", "items")`: the word for this number, by the rules of the reader's language."""
    form = Locale.parse(reader_of(context).locale).plural_form(a_number(value))
    return one if form == "one" else other


@pass_context
def date(context: Context, value: Any, pattern: str = "medium", zone: str = "", locale: str = "") -> str:
    """A moment on the reader's clock, in their language. `pattern` is Unicode's (`d MMMM`), Liquid's (`%d %B`) or a length."""
    at = _in_zone(a_moment(value, reader_of(context)), zone)
    # Two moments on different clocks may be equal and still be written differently: the clock is part of the key.
    return _dated(at.replace(tzinfo=None), at.fold, at.tzinfo, pattern, _locale(context, locale))


@lru_cache(maxsize=8192)
def _dated(wall: datetime, fold: int, zone: tzinfo | None, pattern: str, locale: str) -> str:
    at = wall.replace(tzinfo=zone, fold=fold)
    if pattern in _LENGTHS:
        return str(format_date(at, pattern, locale=locale))
    return str(format_datetime(at, _pattern(pattern), locale=locale))


@pass_context
def time(context: Context, value: Any, pattern: str = "short", zone: str = "", locale: str = "") -> str:
    """The time of day on the reader's clock."""
    at = _in_zone(a_moment(value, reader_of(context)), zone)
    return str(format_time(at, pattern, tzinfo=at.tzinfo, locale=_locale(context, locale)))


@pass_context
def in_time_zone(context: Context, value: Any, zone: str) -> datetime:
    """The same moment on another clock: `at | time_zone("Asia/Tokyo") | date("HH:mm")`."""
    return _in_zone(a_moment(value, reader_of(context)), zone)


@pass_context
def time_ago(context: Context, value: Any) -> str:
    """How long before (or after) the message's moment: `3 weeks ago`."""
    reader = reader_of(context)
    return _ago((instant(a_moment(value, reader)) - reader.now) / SECOND, reader.locale)


def _ago(seconds: float, locale: str) -> str:
    """The unit and number Babel would choose; the words for them are looked up once."""
    for unit, length in TIMEDELTA_UNITS:
        count = abs(seconds) / length
        if count >= 0.85 or unit == "second":
            break
    whole = max(1, round(count)) if count else 0
    return _ago_in_words(unit, whole * length * (-1 if seconds < 0 else 1), locale)


@lru_cache(maxsize=8192)
def _ago_in_words(unit: str, seconds: int, locale: str) -> str:
    gone = timedelta(seconds=seconds)
    return str(format_timedelta(gone, unit, threshold=10**9, add_direction=True, locale=locale))  # type: ignore[arg-type]  # Babel names the units one by one


@pass_context
def between_times(context: Context, value: Any, end: Any, unit: str = "days") -> int:
    """How many whole seconds, minutes, hours, days, weeks, months or years lie between two moments."""
    reader = reader_of(context)
    first, last = a_moment(value, reader), a_moment(end, reader)
    name = str(unit).lower().removesuffix("s")
    if name in {"month", "year"}:
        months = _months(first, last) if first <= last else -_months(last, first)
        return months if name == "month" else int(months / 12)
    if name not in _UNITS:
        raise ValueError(
            f"{shown(unit)} is no unit of time; write seconds, minutes, hours, days, weeks, months or years"
        )
    gone = instant(last) - instant(first)
    return gone // _UNITS[name] if gone >= 0 else -(-gone // _UNITS[name])


def _months(first: datetime, last: datetime) -> int:
    """Whole months of the calendar from one moment to a later one."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - ((last.day, last.time()) < (first.day, first.time()))


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> str:
    """A pattern of Unicode; Liquid's codes translated."""
    if "%" not in pattern:
        return pattern
    parts = []
    rest = pattern.replace("%-", "%")
    while rest:
        before, mark, rest = rest.partition("%")
        if before:
            parts.append("'" + before.replace("'", "''") + "'" if any(c.isalpha() for c in before) else before)
        if mark:
            if rest[:1] not in _STRFTIME:
                raise ValueError(f"%{rest[:1]} in {pattern!r} is not known; write a pattern like `d MMMM yyyy`")
            parts.append(_STRFTIME[rest[0]])
            rest = rest[1:]
    return "".join(parts)


def _in_zone(at: datetime, name: str) -> datetime:
    if not name:
        return at
    zone = find_zone(name)
    if zone is None:
        raise ValueError(f"{shown(name)} is not a time zone; write a name like Europe/Vienna")
    return at.astimezone(zone)


def _locale(context: Context, name: str) -> str:
    reader: Reader = reader_of(context)
    if not name:
        return reader.locale
    try:
        return str(Locale.parse(name.replace("_", "-"), sep="-"))
    except (UnknownLocaleError, ValueError):
        return known_locale(name, reader.locale)


def _bounded(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of one text and a length: no longer than a message can be."""

    def kept(value: Any, width: int = 80, *arguments: Any, **named: Any) -> Any:
        if abs(int(width)) > _LONGEST_TEXT:
            raise ValueError(f"a width of {width} is longer than a message can be")
        return filter_(value, width, *arguments, **named)

    return kept


_quoted = lru_cache(maxsize=8192)(FILTERS["urlencode"])


def urlencode(value: Any) -> str:
    """Text as a URL wants it; what is short (a name, a city) is likely to come again."""
    short = value.__class__ is str and len(value) <= _SHORT
    return str(_quoted(value) if short else FILTERS["urlencode"](value))


def _append(value: Any, text: Any) -> Any:
    return value + text if isinstance(value, Markup) else f"{value}{text}"


_OURS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "abs": (absolute, 0),
    "add": (add, 0),
    "append": (_append, 0),
    "attr": (get_attribute, 0),
    "between_times": (between_times, 1),
    "center": (_bounded(FILTERS["center"]), 0),
    "currency": (currency, 1),
    "date": (date, 1),
    "divide": (divide, 0),
    "divided_by": (divide, 0),
    "downcase": (FILTERS["lower"], 0),
    "minus": (subtract, 0),
    "money": (currency, 1),
    "multiply": (multiply, 0),
    "number": (number, 1),
    "pluralize": (pluralize, 1),
    "plus": (add, 0),
    "size": (size, 0),
    "strip_html": (FILTERS["striptags"], 0),
    "time": (time, 1),
    "time_ago": (time_ago, 1),
    "time_zone": (in_time_zone, 1),
    "times": (multiply, 0),
    "upcase": (FILTERS["upper"], 0),
    "url_encode": (urlencode, 0),
    "urlencode": (urlencode, 0),
}


def _default(value: Any, otherwise: Any = "", boolean: bool = False) -> Any:
    """The value, or another if it is missing; with `true`, also if it is empty."""
    if value is None or isinstance(value, Undefined) or (boolean and not value):
        return otherwise
    return value


def all_filters() -> dict[str, Callable[..., Any]]:
    """Every filter a template may use, each refusing a missing value but `default`."""
    found = {name: checked(FILTERS[name], int(hasattr(FILTERS[name], "jinja_pass_arg"))) for name in FROM_JINJA}
    found |= {name: checked(filter_, place) for name, (filter_, place) in _OURS.items()}
    return found | {"default": _default, "d": _default}
