"""Reading a cell as what the catalogue says it is, in the engine's own SQL: millions of cells a second, the same rules for all.

Everything here works on text: a CSV cell as it stands, or the text of a JSON value. What cannot be read becomes NULL, and
`reason` says why in words.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.audience.columns import literal
from orchestrator.audience.walls import in_utc
from orchestrator.core.segments.tree import Kind
from orchestrator.core.segments.values import DAY_PATTERN, VERSION_PATTERN
from orchestrator.core.times import Instant, instant

EARLIEST: Instant = instant(datetime(1800, 1, 1, tzinfo=UTC))
LATEST: Instant = instant(datetime(2200, 1, 1, tzinfo=UTC))
"""Times outside are typing errors."""

_NUMBER = "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_PLAIN = "-?(0|[1-9][0-9]{0,14})([.][0-9]{1,15})?"
"""A number that reads the same as JSON, and that no spreadsheet made of an id or a post code."""
_COMMA = "[+-]?[0-9.' ]*,[0-9]+"
_WHOLE = "(0|[1-9][0-9]*|[1-9][0-9]{0,2}(%s[0-9]{3})+)"
_BETWEEN = {",": "[.' ]", ".": ","}
"""What may stand between thousands, by the decimal sign."""
_PARTED = {sign: f"[+-]?{_WHOLE % between}([{sign}][0-9]+)?" for sign, between in _BETWEEN.items()}
"""Numbers as people write them, by the decimal sign: `1.234,5` and `1,234.5`. Leading zeros are an id's."""
_SURE_COMMA = "[+-]?(.*[.' ].*,[0-9]+|[0-9]*,([0-9]{1,2}|[0-9]{4,}))"
_SURE_POINT = "[^,]*[.]([0-9]{1,2}|[0-9]{4,})"
"""What cannot part thousands."""
_ZONED = ".*[0-9]:[0-9][0-9.:]*( ?(Z|z|UTC)|[+-][0-9]{2}(:?[0-9]{2})?)"
_EPOCHS = ((16, 1), (13, 1_000), (10, 1_000_000))
"""Digits of a Unix time in microseconds, milliseconds and seconds, and how many microseconds one is."""
YES = ("true", "yes", "y", "t", "1", "on")
NO = ("false", "no", "n", "f", "0", "off")
_SPLIT = r"\s*[|;,]\s*"


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are written in one column: in which zone when they name none, and in which format when it is not ISO 8601."""

    zone: str = "UTC"
    format: str | tuple[str, ...] = ""
    """Of several, the first that fits."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats, none for ISO 8601."""
        return tuple(filter(None, (self.format,) if isinstance(self.format, str) else self.format))


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a column that mean yes and no, in small letters, and those that say nothing; None is any text at all."""

    yes: tuple[str, ...] | None = YES
    no: tuple[str, ...] | None = NO
    skip: tuple[str, ...] = ()

    @property
    def any(self) -> bool | None:
        """What any text means: yes or no; None where it depends on the text."""
        return True if self.yes is None else False if self.no is None else None

    def value(self, text: str) -> str:
        """SQL: TRUE, FALSE, or NULL for a text that is neither."""
        if self.any is not None:
            return f"CASE WHEN {text} IS NOT NULL THEN {self.any} END"
        told = f"lower(trim({text}))"
        return f"CASE WHEN {told} IN {_listed(self.yes or ())} THEN TRUE WHEN {told} IN {_listed(self.no or ())} THEN FALSE END"

    def spoken(self, text: str) -> str:
        """SQL: the text, NULL where it says nothing."""
        return f"CASE WHEN lower(trim({text})) NOT IN {_listed(self.skip)} THEN {text} END" if self.skip else text


def _listed(words: tuple[str, ...]) -> str:
    return f"({', '.join(map(literal, words)) or 'NULL'})"


def fits_parted(text: str, decimal: str) -> str:
    """SQL: whether a text may be a number with this decimal sign, its thousands parted or not."""
    return f"regexp_full_match(trim({text}), {literal(_PARTED[decimal])})"


def sure_comma(text: str) -> str:
    """SQL: whether a text has a comma that must be a decimal one."""
    return f"regexp_full_match(trim({text}), {literal(_SURE_COMMA)})"


def sure_point(text: str) -> str:
    """SQL: whether a text has a point that must be a decimal one."""
    return f"regexp_full_match(trim({text}), {literal(_SURE_POINT)})"


def with_point(text: str, decimal: str) -> str:
    """SQL: a number with this decimal sign as we write it; another text as it is."""
    bare = f"regexp_replace(trim({text}), {literal(_BETWEEN[decimal])}, '', 'g')"
    return f"CASE WHEN {fits_parted(text, decimal)} THEN replace({bare}, ',', '.') ELSE {text} END"


def fits(kind: Kind, text: str) -> str:
    """SQL: whether a text looks like this kind, for guessing; stricter than what `value` reads."""
    match kind:
        case Kind.NUMBER:
            return f"regexp_full_match({text}, '{_PLAIN}')"
        case Kind.BOOLEAN:
            return f"lower({text}) IN ('true', 'false')"
        case Kind.DATE:
            return f"regexp_full_match({text}, '{DAY_PATTERN}')"
        case Kind.TIME:
            return f"(regexp_full_match({text}, '{DAY_PATTERN}[T ][0-9]{{2}}:.*') AND TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL)"
        case Kind.VERSION:
            return f"regexp_full_match({text}, '[0-9]+([.][0-9]+){{2,5}}')"
        case _:
            return "TRUE"


def value(kind: Kind, text: str, moment: str = "NULL") -> str:  # noqa: PLR0911 - one answer per kind
    """SQL: the text as a value of the column type of `kind`, NULL if it cannot be; `moment` is the column of its `moment_of`."""
    trimmed = f"trim({text})"
    match kind:
        case Kind.TEXT:
            return f"CASE WHEN NOT contains({text}, chr(0)) THEN nfc_normalize({text}) END"
        case Kind.NUMBER:
            return f"CASE WHEN regexp_full_match({trimmed}, '{_NUMBER}') THEN TRY_CAST({trimmed} AS DECIMAL(18,4)) END"
        case Kind.BOOLEAN:
            return Words().value(text)
        case Kind.DATE:
            return (
                f"CASE WHEN regexp_full_match({trimmed}, '{DAY_PATTERN}([T ].*)?') THEN TRY_CAST({trimmed}[:10] AS DATE) "
                f"WHEN regexp_full_match({trimmed}, '[12][0-9]{{7}}') THEN CAST(try_strptime({trimmed}, '%Y%m%d') AS DATE) END"
            )
        case Kind.TIME:
            return f"CASE WHEN {moment} BETWEEN {EARLIEST} AND {LATEST} THEN {moment} END"
        case Kind.VERSION:
            return f"CASE WHEN regexp_matches({trimmed}, {literal(VERSION_PATTERN)}) THEN {trimmed} END"
        case Kind.LIST:
            return (
                f"CASE WHEN {trimmed}[1] = '[' AND json_valid({trimmed}) "
                f"THEN [nfc_normalize(one ->> '$') FOR one IN json_extract({trimmed}, '$[*]') IF json_type(one) = 'VARCHAR'] "
                f"WHEN {trimmed}[1] NOT IN ('[', '{{') "
                f"THEN list_filter([nfc_normalize(one) FOR one IN regexp_split_to_array({trimmed}, {literal(_SPLIT)})], lambda one: one <> '') END"
            )


WHOLE = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")
TYPED = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", *WHOLE)
"""Types of columns whose times are read without writing them out first."""
FLOATS = ("DOUBLE", "FLOAT")
"""Types whose texts are numbers, if finite; JSON writes them otherwise than the engine does."""
PLAIN = ("VARCHAR", "BOOLEAN", "DATE", *TYPED, *FLOATS)
"""Types that are read without a detour over JSON."""


def wall(text: str, clock: Clock, stored: str = "") -> str:
    """SQL: what the text says the clock on the wall shows, in microseconds; NULL where it names a zone or no time.

    The text has no blanks around it. It may be a column of one of the types in `TYPED` instead; then `stored` says which.
    """
    if clock.formats:
        formats = ", ".join(map(literal, clock.formats))
        return f"epoch_us(try_strptime({f'CAST({text} AS VARCHAR)' if stored in TYPED else text}, [{formats}]))"
    if stored in TYPED:
        return _typed_wall(text, stored)
    # The patterns are dear, and most files end every time in Z or count digits.
    return (
        f"CASE WHEN {text}[5] <> '-' THEN CASE WHEN {_digits(text, 8)} THEN epoch_us(try_strptime({text}, '%Y%m%d')) END "
        f"WHEN {text}[-1] = 'Z' THEN NULL WHEN regexp_full_match({text}, '{_ZONED}') THEN NULL "
        f"ELSE epoch_us(TRY_CAST({text} AS TIMESTAMP)) END"
    )


def _digits(text: str, count: int) -> str:
    first = "[12]" if count == 8 else "[0-9]"
    return f"strlen({text}) = {count} AND regexp_full_match({text}, '{first}[0-9]{{{count - 1}}}')"


def _typed_wall(column: str, stored: str) -> str:
    match stored:
        case "TIMESTAMP":
            return f"CASE WHEN isfinite({column}) THEN epoch_us({column}) END"
        case "TIMESTAMP WITH TIME ZONE":
            return "CAST(NULL AS BIGINT)"
        case _:
            day = f"{column} BETWEEN 10000000 AND 29999999"
            return f"CASE WHEN {day} THEN epoch_us(try_strptime(CAST({column} AS VARCHAR), '%Y%m%d')) END"


def moment_of(text: str, walled: str, clock: Clock, low: int | None, high: int | None, stored: str = "") -> str:
    """SQL for the moment (UTC microseconds) a text names: ISO 8601, yyyymmdd, Unix seconds, ms or µs, or the clock's format.

    `walled` is the column that holds its `wall`; `low` and `high` are the least and the greatest of them. `text` and `stored` are
    those of `wall`.
    """
    if any("%z" in form for form in clock.formats):
        return walled
    local = "NULL"
    if low is not None and high is not None:
        local = in_utc(walled, clock.zone, max(low, EARLIEST), min(max(high, low, EARLIEST), LATEST))
    if clock.formats:
        return local
    if stored in TYPED:
        return f"CASE WHEN {walled} IS NOT NULL THEN {local} {_typed_moment(text, stored)} END"
    return (
        f"CASE WHEN {walled} IS NOT NULL THEN {local} "
        f"WHEN {text}[5] = '-' THEN epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) "
        + " ".join(f"WHEN {_digits(text, count)} THEN CAST({text} AS BIGINT) * {times}" for count, times in _EPOCHS)
        + " END"
    )


def _typed_moment(column: str, stored: str) -> str:
    if stored.startswith("TIMESTAMP"):
        return f"WHEN isfinite({column}) THEN epoch_us({column})"
    return " ".join(
        f"WHEN {column} BETWEEN {10 ** (count - 1)} AND {10**count - 1} THEN CAST({column} AS BIGINT) * {times}"
        for count, times in _EPOCHS
    )


def as_json(kind: Kind, text: str, value: str) -> str:
    """SQL: a read value as JSON text, NULL where there is none. Moments become ISO 8601 in UTC."""
    match kind:
        case Kind.NUMBER:
            # A catalogue keeps four decimals of an attribute; an event's JSON keeps all that were written.
            point = f"strpos({text}, '.')"
            return (
                f"CASE WHEN {value} IS NULL THEN NULL "
                f"WHEN ({point} > 0 AND length({text}) - {point} > 4) OR contains(lower({text}), 'e') "
                f"THEN CAST(to_json(CAST(trim({text}) AS DOUBLE)) AS VARCHAR) "
                f"WHEN {value} = floor({value}) THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) "
                f"ELSE rtrim(CAST({value} AS VARCHAR), '0') END"
            )
        case Kind.TIME:
            return f"'\"' || strftime(make_timestamp({value}), '%Y-%m-%dT%H:%M:%S.%fZ') || '\"'"
        case _:
            return f"CAST(to_json({value}) AS VARCHAR)"


STRUCTURE = "chr(0)"
"""Marks the text of a JSON object or array where one value was expected."""


def reason(kind: Kind, text: str) -> str:  # noqa: PLR0911 - one answer per kind
    """SQL: why a text was not read as this kind."""
    match kind:
        case Kind.NUMBER:
            return (
                f"CASE WHEN regexp_full_match(trim({text}), {literal(_COMMA)}) THEN 'a decimal comma; write 12.50, or decimal: \",\" in the mapping' "
                "ELSE 'not a number below 10^14' END"
            )
        case Kind.BOOLEAN:
            return (
                "'neither yes nor no; write true or false, or say in the mapping what `means_yes` and what `means_no`'"
            )
        case Kind.DATE:
            return "'not a day; write 2026-03-02'"
        case Kind.TIME:
            return "'not a time; write 2026-03-02T09:00:00Z, or give the column a format in the mapping'"
        case Kind.VERSION:
            return "'not a version; write 1.20.3'"
        case Kind.LIST:
            return "'not a list of texts'"
        case Kind.TEXT:
            return f"CASE WHEN {text}[1] = {STRUCTURE} THEN 'a structure where a text was expected' ELSE 'a NUL byte in the text' END"
