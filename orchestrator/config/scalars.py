"""How a bare word in a file reads: as text, a number, yes or no; and whether older tools would read it as something else.

Our files are YAML 1.2. Editors, hooks and other programs often read YAML 1.1, where `NO` is false and `10:00` is 600: such
a word has to stand in quotes, so that it means the same to everybody.
"""

import re
from functools import lru_cache

Plain = str | int | float | bool | None

_TRUE_OR_FALSE = re.compile(r"(true|True|TRUE)|(false|False|FALSE)")
_NULL = re.compile(r"~|null|Null|NULL|")
_INT_12 = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT_12 = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_YES_11 = re.compile(r"y|Y|yes|Yes|YES|on|On|ON")
_NO_11 = re.compile(r"n|N|no|No|NO|off|Off|OFF")
_INT_11 = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)")
_SIXTIES_11 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_FLOAT_11 = re.compile(r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?")
_TIME_11 = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?)?"
)
_LONGEST_NUMBER = 18
"""Digits: whole numbers beyond would not fit a 64-bit column."""


@lru_cache(maxsize=8192)
def read(word: str) -> Plain:
    """The word as YAML 1.2 reads it."""
    if _NULL.fullmatch(word):
        return None
    if found := _TRUE_OR_FALSE.fullmatch(word):
        return bool(found[1])
    if _INT_12.fullmatch(word) and len(word) <= _LONGEST_NUMBER:
        return int(word, 0) if word[:2] in {"0o", "0x"} else int(word)
    return float(word) if _FLOAT_12.fullmatch(word) and len(word) <= _LONGEST_NUMBER else word


@lru_cache(maxsize=8192)
def objection(word: str) -> str:
    """Why this word must not stand without quotes, empty if it may."""
    mine, other = read(word), _read_elsewhere(word)
    if _NOT_FINITE.fullmatch(word) or (_FLOAT_12.fullmatch(word) and len(word) > _LONGEST_NUMBER):
        return "is a number nothing can be compared with"
    if isinstance(mine, float) and mine in {float("inf"), float("-inf")}:
        return "is a number nothing can be compared with"
    if (type(mine), mine) != (type(other), other):
        return f"is {_said(mine)} here, but {_said(other)} to tools that read YAML 1.1"
    if re.fullmatch(r"[-+]?0[0-9]+(?:\.[0-9]*)?", word) or (isinstance(mine, int) and word.startswith("+")):
        return f"is the number {mine}: its {'zeros' if '0' in word[:2] else 'sign'} would be lost"
    return ""


def remedy(word: str) -> str:
    """What to write instead."""
    numbers = [value for value in (read(word), _read_elsewhere(word)) if type(value) in {int, float}]
    number = numbers[-1] if "_" in word else numbers[0] if numbers else None
    return f'Put it in quotes: "{word}"' + (f", or write {number} if it is a number." if numbers else ".")


def _read_elsewhere(word: str) -> object:  # noqa: PLR0911 - one line for each kind of word
    """The word as YAML 1.1 reads it; a date stays text, because it is the same text when written back."""
    if _YES_11.fullmatch(word) or _NO_11.fullmatch(word):
        return bool(_YES_11.fullmatch(word))
    if _INT_11.fullmatch(word) and len(word) <= _LONGEST_NUMBER:
        return _int_11(word.replace("_", ""))
    if _SIXTIES_11.fullmatch(word):
        return _Sixties(word)
    if _FLOAT_11.fullmatch(word) and len(word) <= _LONGEST_NUMBER:
        return float(word.replace("_", ""))
    if _TIME_11.fullmatch(word):
        return _Moment(word)
    if word in {"<<", "="}:
        return _Merge(word)
    if _NULL.fullmatch(word) or _TRUE_OR_FALSE.fullmatch(word):
        return read(word)
    return word


class _Sixties(str):
    """A number counted in sixties."""

    __slots__ = ()


class _Moment(str):
    """A date with a time."""

    __slots__ = ()


class _Merge(str):
    """An order to the reader itself."""

    __slots__ = ()


def _int_11(word: str) -> int:
    sign, digits = (-1 if word[0] == "-" else 1), word.lstrip("+-")
    if re.fullmatch(r"0[0-7]+", digits):
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _said(value: object) -> str:  # noqa: PLR0911 - one line for each kind of value
    match value:
        case bool():
            return "true" if value else "false"
        case _Sixties():
            return f"the number {_in_sixties(value):g}"
        case _Moment():
            return "a date with a time"
        case _Merge():
            return "an order to merge"
        case str():
            return "text"
        case None:
            return "nothing"
        case _:
            return f"the number {value}"


def _in_sixties(word: str) -> float:
    total = 0.0
    for part in word.replace("_", "").lstrip("+-").split(":"):
        total = total * 60 + float(part)
    return total
