"""What a segment's file may ask of one value: `is: DE`, `at_least: "9.10"`, `when: last 30 days`, `contains_any: […]`."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from orchestrator.core.phrases import PhraseError
from orchestrator.core.segments.mistakes import Keys, Path, Reading, remedy, surely_meant
from orchestrator.core.segments.reading_points import anniversary, point, window_or_next
from orchestrator.core.segments.reading_values import (
    one_boolean,
    one_number,
    one_version,
    read_each,
    read_phrase,
    read_texts,
)
from orchestrator.core.segments.regex import RegexError, read_regex
from orchestrator.core.segments.tree import (
    Comparison,
    Day,
    Declared,
    During,
    How,
    IsEmpty,
    IsSet,
    Kind,
    ListTest,
    OneOf,
    Op,
    PointTest,
    Share,
    Side,
    Test,
    TextTest,
)
from orchestrator.core.segments.values import number, version

T = TypeVar("T")

_EQUAL = ("is", "is_not")
_COMPARED = ("over", "under", "at_least", "at_most", "between")
_DATED = ("is", "after", "not_after", "before", "not_before", "between", "when", "anniversary", "is_set")
WORDS: Mapping[Kind | None, tuple[str, ...]] = {
    Kind.TEXT: (
        *_EQUAL, "contains", "does_not_contain", "starts_with", "ends_with", "matches", "does_not_match", "regex",
        "not_regex", "is_set", "is_empty",
    ),
    Kind.NUMBER: (*_EQUAL, *_COMPARED, "is_set"),
    Kind.BOOLEAN: (*_EQUAL, "is_set"),
    Kind.DATE: _DATED,
    Kind.TIME: _DATED,
    Kind.VERSION: (*_EQUAL, *_COMPARED, "is_set"),
    Kind.LIST: ("contains_any", "contains_all", "contains_none", "is_set", "is_empty"),
    None: ("is_set",),
}  # fmt: skip
EVERY_WORD = tuple(dict.fromkeys(word for words in WORDS.values() for word in words))
CASELESS = (
    "is", "is_not", "contains", "does_not_contain", "starts_with", "ends_with", "matches", "does_not_match", "regex", "not_regex",
)  # fmt: skip

_KIND_OF_WORD: Mapping[str, Kind | None] = {
    "is_set": None, "anniversary": Kind.DATE, "when": Kind.TIME,
    **dict.fromkeys(("contains_any", "contains_all", "contains_none"), Kind.LIST),
    **dict.fromkeys(("after", "not_after", "before", "not_before"), Kind.TIME),
}  # fmt: skip
_THERE = ("set", "known")
_PRESENCE = (*_THERE, "not set", "unset", "unknown", "missing")
"""Words people write after `is` when they mean that there is a value, or none."""
_TEXT_WORDS = {
    "contains": (How.CONTAINS, False), "does_not_contain": (How.CONTAINS, True),
    "starts_with": (How.STARTS_WITH, False), "ends_with": (How.ENDS_WITH, False),
    "matches": (How.MATCHES, False), "does_not_match": (How.MATCHES, True),
    "regex": (How.REGEX, False), "not_regex": (How.REGEX, True),
}  # fmt: skip


def read_test(
    reading: Reading, keys: Keys, path: Path, name: str, declared: Declared | None
) -> tuple[Kind | None, Test]:
    """The one test among the keys of a condition, and the kind of value it is about. Of several the values are looked at all the same."""
    words = [key for key in keys if key in EVERY_WORD]
    if len(words) != 1:
        if not words and keys.lost:
            raise reading.again()
        found = f"has {' and '.join(words)}: one comparison per condition" if words else "is compared with nothing"
        allowed = WORDS[declared.kind] if declared else EVERY_WORD
        hint = "Write a condition for each, under `all:`." if words else f"Say one of: {', '.join(allowed)}."
        wrong = reading.wrong(path, f"'{name}' {found}", hint)
        reading.each(words, lambda word: _read_word(reading, {word: keys[word]}, path, name, declared))
        raise wrong
    return _read_word(reading, keys, path, name, declared)


def _read_word(
    reading: Reading, keys: Mapping[str, Any], path: Path, name: str, declared: Declared | None
) -> tuple[Kind | None, Test]:
    """A test by its one word."""
    word = next(key for key in keys if key in EVERY_WORD)
    raw, at = keys[word], (*path, word)
    kind = declared.kind if declared else _kind(word, raw)
    if word not in WORDS[kind]:
        what = f"'{name}' is {_a(kind)}" if kind else "there is nothing to tell the kind of value by"
        wrong = reading.wrong(at, f"'{word}' does not fit: {what}", remedy(word, WORDS[kind]), at_key=True)
        close = surely_meant(word, WORDS[kind])
        if close is None:
            raise wrong
        word = close
    ignore_case = reading.attempt(lambda: _ignore_case(reading, keys, path, word, kind)) or False
    if word in _EQUAL and raw in _PRESENCE and raw not in (declared.values if declared else ()):
        asked = f"`is_set: {'true' if (word == 'is') is (raw in _THERE) else 'false'}`"
        hint = f"Write {asked}, or `{word}: [{raw}]` for the text."
        raise reading.wrong(at, f"two readings: {asked}, or the text '{raw}'", hint)
    test = _test(reading, word, raw, at, kind, ignore_case=ignore_case)
    if declared and not ignore_case:
        _check_values(reading, test, raw, at, name, declared)
    return kind, test


def _check_values(reading: Reading, test: Test, raw: Any, at: Path, name: str, declared: Declared) -> None:
    """Note what nobody can have: a value that is none of those an attribute or a property may have."""
    known: dict[str, Any] = {value: value for value in declared.values}
    known |= {str(one): number(one) if declared.kind is Kind.NUMBER else str(one) for one in declared.numbers}
    if not known or not isinstance(test, OneOf | ListTest) or declared.kind is Kind.BOOLEAN:
        return
    for index, value in enumerate(test.values):
        if value not in known.values():
            place = (*at, index) if isinstance(raw, list) else at
            said = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
            reading.unknown(place, f"value of '{name}' is", said, known)


def _a(kind: Kind) -> str:
    return {Kind.DATE: "a date", Kind.TIME: "a moment", Kind.LIST: "a list", Kind.BOOLEAN: "true or false"}.get(
        kind, f"a {kind}"
    )


def _ignore_case(reading: Reading, keys: Mapping[str, Any], path: Path, word: str, kind: Kind | None) -> bool:
    if "ignore_case" not in keys:
        return False
    value, at = keys["ignore_case"], (*path, "ignore_case")
    if not isinstance(value, bool):
        raise reading.wrong(at, f"'{value}' is not true or false", "Allowed: true, false.")
    if word not in CASELESS or kind is not Kind.TEXT:
        raise reading.wrong(
            at,
            f"`ignore_case` has no meaning beside '{word}'",
            f"It goes with texts: {', '.join(CASELESS)}.",
            at_key=True,
        )
    return value


def _kind(word: str, raw: Any) -> Kind | None:
    """The kind of value a condition is about, told by its word and what it is compared with."""
    if word in _KIND_OF_WORD:
        return _KIND_OF_WORD[word]
    one = raw[0] if isinstance(raw, list) and raw else raw
    if isinstance(one, bool | int | float):
        return Kind.BOOLEAN if isinstance(one, bool) else Kind.NUMBER
    if word in _COMPARED and isinstance(one, str):
        return Kind.VERSION if version(one) and not _reads_as_point(one) else Kind.TIME
    return Kind.TIME if isinstance(one, date) else Kind.TEXT


def _reads_as_point(text: str) -> bool:
    try:
        point(text)
    except PhraseError:
        return False
    return True


def _test(reading: Reading, word: str, raw: Any, at: Path, kind: Kind | None, *, ignore_case: bool) -> Test:
    if word in {"is_set", "is_empty"}:
        if not isinstance(raw, bool):
            raise reading.wrong(at, f"'{raw}' is not true or false", "Allowed: true, false.")
        return IsSet(raw) if word == "is_set" else IsEmpty(raw)
    if kind in {Kind.DATE, Kind.TIME}:
        return read_point_test(reading, word, raw, at)
    if kind is Kind.LIST:
        return ListTest(Share(word), read_texts(reading, raw, at))
    if word in _EQUAL:
        return OneOf(_equals(reading, raw, at, kind), negated=word == "is_not", ignore_case=ignore_case)
    if word in _TEXT_WORDS:
        how, negated = _TEXT_WORDS[word]
        texts = read_texts(reading, raw, at)
        if how is How.REGEX:
            _check_regexes(reading, texts, raw, at)
        elif "" in texts and how is not How.MATCHES:
            raise reading.wrong(
                at, "every text contains the empty one", "Say what to look for, or ask with `is_empty`."
            )
        return TextTest(how, texts, negated=negated, ignore_case=ignore_case)
    return read_comparison(reading, word, raw, at, one_version if kind is Kind.VERSION else one_number)


def _check_regexes(reading: Reading, patterns: tuple[str, ...], raw: Any, at: Path) -> None:
    for index, pattern in enumerate(patterns):
        try:
            read_regex(pattern)
        except RegexError as error:
            place = (*at, index) if isinstance(raw, list) else at
            reading.wrong(place, f"'{pattern}': {error}", error.remedy)


def _equals(reading: Reading, raw: Any, at: Path, kind: Kind | None) -> tuple[str | bool | Decimal, ...]:
    if kind is Kind.NUMBER:
        return read_each(reading, raw, at, one_number)
    if kind is Kind.VERSION:
        return read_each(reading, raw, at, one_version)
    if kind is Kind.BOOLEAN:
        return read_each(reading, raw, at, one_boolean)
    return read_texts(reading, raw, at)


def read_point_test(reading: Reading, word: str, raw: Any, at: Path) -> Test:
    """A date or a moment against a point in time or a window."""
    if word == "when":
        return During(read_phrase(reading, window_or_next, raw, at))
    if word == "anniversary":
        return read_phrase(reading, anniversary, raw, at)
    if word == "is":
        day = read_phrase(reading, point, raw, at)
        return PointTest(Side.BETWEEN, day, day)
    if word != "between":
        return PointTest(Side(word), read_phrase(reading, point, raw, at))
    first, last = _two(reading, raw, at)
    begin, end = reading.each(enumerate((first, last)), lambda it: read_phrase(reading, point, it[1], (*at, it[0])))
    if isinstance(begin, Day) and isinstance(end, Day) and begin.wall > end.wall:
        raise reading.wrong(at, f"{first} is after {last}", f"Write [{last}, {first}].")
    return PointTest(Side.BETWEEN, begin, end)


def read_comparison(
    reading: Reading, word: str, raw: Any, at: Path, one: Callable[[Reading, Any, Path], Decimal | str]
) -> Comparison:
    """`over: 200`, `between: [2, 5]`."""
    if word != "between":
        return Comparison(Op(word), one(reading, raw, at))
    first, last = _two(reading, raw, at)
    low, high = reading.each(enumerate((first, last)), lambda it: one(reading, it[1], (*at, it[0])))
    if (version(low), version(high)) > (version(high), version(low)) if isinstance(low, str) else low > high:  # type: ignore[operator]  # one reader gives one kind
        raise reading.wrong(at, f"{first} is above {last}", f"Write [{last}, {first}].")
    return Comparison(Op.BETWEEN, low, high)


def _two(reading: Reading, raw: Any, at: Path) -> tuple[Any, Any]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise reading.wrong(
            at, f"'{raw}' is not a pair", "Allowed: two values in brackets, both included, like [2, 5]."
        )
    return raw[0], raw[1]
