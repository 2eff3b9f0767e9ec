"""Segments on ClickHouse: the tables, and the words that differ from DuckDB's.

Its dates end in 2299 and its arrays cannot be missing: so days are texts (`2026-03-02`), and lists are JSON texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from sqlglot import exp

from orchestrator.audience.columns import OWN
from orchestrator.audience.sql_columns import OurColumns
from orchestrator.audience.tongue import Tongue, call, column, number, template, text, within_calendar
from orchestrator.core.segments.regex import Regex, escaped
from orchestrator.core.segments.tree import Kind, Share
from orchestrator.core.segments.values import DAY_PATTERN, TIME_PATTERN, VERSION_PATTERN

TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "Nullable(String)", Kind.NUMBER: "Nullable(Decimal(18, 4))", Kind.BOOLEAN: "Nullable(Bool)", Kind.DATE: "Nullable(String)",
    Kind.TIME: "Nullable(Int64)", Kind.VERSION: "Nullable(String)", Kind.LIST: "Nullable(String)",
}  # fmt: skip
TABLES = (
    """CREATE TABLE IF NOT EXISTS profile (
        "user" String, zone Nullable(String), locale Nullable(String), email Nullable(String), phone Nullable(String),
        devices String, rest String) ENGINE = MergeTree ORDER BY "user" """,
    """CREATE TABLE IF NOT EXISTS event (
        "user" String, name LowCardinality(String), "time" Int64, message_id String, properties String)
        ENGINE = MergeTree ORDER BY (name, "time", "user")""",
)
SETTINGS = {"max_query_size": 100_000_000, "max_ast_elements": 10_000_000, "max_expanded_ast_elements": 10_000_000,
            "max_ast_depth": 100_000, "max_parser_depth": 100_000, "join_use_nulls": 1,
            "output_format_json_quote_64bit_integers": 0, "output_format_json_quote_decimals": 0}  # fmt: skip
"""A segment of many values is a long query; a join that finds nothing is NULL as in every other engine; JSON numbers are numbers."""
_DIALECT = "clickhouse"
_CYCLE, _START = 146_097, 25_567
"""The calendar repeats after 400 years, which are so many days; its dates begin so many days before 1970."""
_RAW = "JSONExtractRaw(doc, key)"
_STRING = "JSONExtractString(doc, key)"
_YEAR, _MONTH, _DAY = (f"toInt64OrZero(substring(s, {start}, {length}))" for start, length in ((1, 4), (6, 2), (9, 2)))
_IN_CALENDAR = f"""({_MONTH} BETWEEN 1 AND 12 AND {_DAY} BETWEEN 1 AND CASE
    WHEN {_MONTH} IN (4, 6, 9, 11) THEN 30 WHEN {_MONTH} <> 2 THEN 31
    WHEN ({_YEAR} % 4 = 0 AND {_YEAR} % 100 <> 0) OR {_YEAR} % 400 = 0 THEN 29 ELSE 28 END)"""
_SHIFTED = f"({_YEAR} - CASE WHEN {_MONTH} <= 2 THEN 1 ELSE 0 END)"
"""The year that begins in March, so that the leap day is its last."""
_DAYS = f"""(365 * {_SHIFTED} + intDiv({_SHIFTED}, 4) - intDiv({_SHIFTED}, 100) + intDiv({_SHIFTED}, 400)
    + intDiv(153 * ({_MONTH} + CASE WHEN {_MONTH} > 2 THEN -3 ELSE 9 END) + 2, 5) + {_DAY} - 719469)"""
_OFFSET = """CASE WHEN endsWith(s, 'Z') THEN 0 ELSE (CASE WHEN substring(s, -6, 1) = '-' THEN -1 ELSE 1 END)
    * (toInt64OrZero(substring(s, -5, 2)) * 3600 + toInt64OrZero(substring(s, -2, 2)) * 60) END"""
_SECONDS = "CASE WHEN substring(s, 17, 1) = ':' THEN toInt64OrZero(substring(s, 18, 2)) ELSE 0 END"
_FRACTION = "toInt64OrZero(rightPad(regexpExtract(s, '[.]([0-9]{1,6})', 1), 6, '0'))"
_MICROSECONDS = f"""((({_DAYS} * 86400 + toInt64OrZero(substring(s, 12, 2)) * 3600 + toInt64OrZero(substring(s, 15, 2)) * 60 + {_SECONDS})
    - {_OFFSET}) * 1000000 + {_FRACTION})"""
_TEXTS = """toJSONString(arrayMap(x -> normalizeUTF8NFC(JSONExtractString(x)),
    arrayFilter(x -> JSONType(x) = 'String', JSONExtractArrayRaw(doc, key))))"""
_READ: Mapping[Kind | None, str] = {
    Kind.TEXT: f"CASE WHEN JSONType(doc, key) = 'String' THEN normalizeUTF8NFC({_STRING}) END",
    Kind.VERSION: f"CASE WHEN JSONType(doc, key) = 'String' THEN {_STRING} END",
    Kind.NUMBER: f"""CASE WHEN JSONType(doc, key) IN ('Int64', 'UInt64', 'Double')
        AND abs(round(toDecimal128OrNull({_RAW}, 20), 4)) < 100000000000000
        THEN accurateCastOrNull(round(toDecimal128OrNull({_RAW}, 20), 4), 'Decimal(18, 4)') END""",
    Kind.BOOLEAN: f"CASE {_RAW} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END",
    Kind.DATE: f"""CASE WHEN JSONType(doc, key) = 'String' AND match({_STRING}, '^(?:{DAY_PATTERN})$') AND in_calendar
        THEN {_STRING} END""",
    Kind.TIME: f"""CASE WHEN JSONType(doc, key) = 'String' AND match({_STRING}, '^(?:{TIME_PATTERN})$') AND in_calendar
        THEN microseconds END""",
    Kind.LIST: f"CASE WHEN JSONType(doc, key) = 'Array' THEN {_TEXTS} END",
    None: f"CASE WHEN JSONType(doc, key) <> 'Null' THEN {_RAW} END",
}


@dataclass(frozen=True, slots=True)
class ClickHouseTongue(Tongue):
    """The words of ClickHouse."""

    dialect: str = _DIALECT

    def contains(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """Bytes of UTF-8 are found where the characters are."""
        return exp.GT(this=call("position", value, text(wanted)), expression=number(0))

    def starts_with(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """By its own function; `left` counts bytes."""
        return call("startsWith", value, text(wanted))

    def ends_with(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """By its own function."""
        return call("endsWith", value, text(wanted))

    def like(self, value: exp.Expr, glob: str) -> exp.Expr:
        """As an expression: its LIKE has signs of its own."""
        pattern = "".join({"*": ".*", "?": "."}.get(letter, escaped(letter)) for letter in glob)
        return call("match", value, text(f"(?s)^(?:{pattern})$"))

    def regex(self, value: exp.Expr, pattern: Regex) -> exp.Expr:
        """RE2, like DuckDB's."""
        return call("match", value, text("(?s)" + pattern.anchored("^", "$")))

    def without_case(self, value: exp.Expr) -> exp.Expr:
        """`lower` is for A to Z only here."""
        return call("lower", value)

    def version(self, value: exp.Expr) -> exp.Expr:
        """Its arrays cannot be missing, so the question comes first."""
        parts = ", ".join(f"leftPad(arrayElement(splitByChar('.', numbers), {place}), 9, '0')" for place in range(1, 7))
        numbers = template(_DIALECT, f"regexpExtract(COALESCE(v, ''), '(?s){VERSION_PATTERN}', 1)", v=value)
        return template(_DIALECT, f"CASE WHEN numbers <> '' THEN concat({parts}) END", numbers=numbers)

    def shares(self, value: exp.Expr, share: Share, wanted: Sequence[str]) -> exp.Expr:
        """Lists are JSON texts."""
        texts = exp.Array(expressions=[text(one) for one in wanted])
        found = "hasAll(items, texts)" if share is Share.ALL else "hasAny(items, texts)"
        sign = "NOT " if share is Share.NONE else ""
        return template(
            _DIALECT, f"CASE WHEN v IS NOT NULL THEN {sign}{found} END", v=value, items=_items(value), texts=texts
        )

    def list_size(self, value: exp.Expr) -> exp.Expr:
        """How many texts."""
        return template(_DIALECT, "CASE WHEN v IS NOT NULL THEN length(items) END", v=value, items=_items(value))

    def day(self, ordinal: int) -> exp.Expr:
        """A text; years have four digits, so texts compare like days."""
        return text(within_calendar(ordinal).isoformat())

    def once(self, value: exp.Expr, body: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
        """By an array of one."""
        made = exp.Lambda(this=body(exp.column("moment_")), expressions=[exp.to_identifier("moment_")])
        return call("arrayElement", call("arrayMap", made, exp.Array(expressions=[value])), number(1))

    def month_day_since(self, days: exp.Expr) -> exp.Expr:
        """The day is brought into the 400 years that ClickHouse knows, which have the same months and days."""
        return template(
            _DIALECT, f"formatDateTime(toDate32(positiveModulo(n + {_START}, {_CYCLE}) - {_START}), '%m%d')", n=days
        )

    def month_day(self, value: exp.Expr) -> exp.Expr:
        """Cut out of the text."""
        return template(_DIALECT, "concat(substring(v, 6, 2), substring(v, 9, 2))", v=value)

    def decimal(self, value: Decimal | str | int | None) -> exp.Expr:
        """Wide enough to be multiplied with a count."""
        if value is None:
            return exp.null()
        return call("toDecimal128", text(f"{Decimal(value):f}"), number(4))

    def divided(self, value: exp.Expr, by: int) -> exp.Expr:
        """Whole numbers."""
        return call("intDiv", value, number(by))

    def latest(self, value: exp.Expr, at: exp.Expr, message_id: exp.Expr) -> exp.Expr:
        """By its own function."""
        return call("argMax", value, call("tuple", at, message_id))

    def md5(self, value: exp.Expr) -> exp.Expr:
        """Sixteen bytes, written as hex."""
        return call("lower", call("hex", call("MD5", value)))


def _items(value: exp.Expr) -> exp.Expr:
    return template(_DIALECT, "JSONExtract(COALESCE(v, '[]'), 'Array(String)')", v=value)


def home(name: str) -> str:
    """The column of a declared attribute; a dot in a name would make it part of a nested one."""
    return name if name in OWN else "a:" + name


@dataclass(frozen=True, slots=True)
class ClickHouseColumns(OurColumns):
    """Tables shaped like ours, their JSON as text."""

    tongue: Tongue = field(default_factory=ClickHouseTongue)
    dialect: str = _DIALECT

    def home(self, name: str) -> str:
        """Without a dot; see `home`."""
        return home(name)

    def language(self, locale: exp.Expr) -> exp.Expr:
        """By an expression."""
        return template(_DIALECT, "lower(regexpExtract(v, '^([^_-]*)', 1))", v=locale)

    def any_device(self, devices: exp.Expr) -> exp.Expr:
        """By the length of the array."""
        return template(_DIALECT, "JSONLength(devices) > 0", devices=devices)

    def number_in(self, name: str) -> exp.Expr:
        """By a cast that gives nothing where it fails."""
        return call("accurateCastOrNull", self.property(name, Kind.TEXT), text("Decimal(18, 4)"))

    def read(self, table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
        """Out of text."""
        return _json(table, document, name, kind).copy()


def _with(value: exp.Expr, sql: str) -> exp.Expr:
    """SQL about `s`, which is worked out once."""
    return template(_DIALECT, f"arrayElement(arrayMap(s -> {sql}, [v]), 1)", v=value)


@lru_cache(maxsize=1024)
def _json(table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
    """One value of a JSON object; the key is a text like any other."""
    return from_json(column(table, document), text(name), kind)


def from_json(doc: exp.Expr, key: exp.Expr, kind: Kind | None) -> exp.Expr:
    """What a JSON object has under a key, as this kind."""
    string = call("JSONExtractString", doc.copy(), key.copy())
    calendar = _with(string, _IN_CALENDAR) if kind in {Kind.DATE, Kind.TIME} else exp.true()
    moment = _with(string, _MICROSECONDS) if kind is Kind.TIME else exp.null()
    return template(_DIALECT, _READ[kind], doc=doc, key=key, in_calendar=calendar, microseconds=moment)


def in_calendar(value: exp.Expr) -> exp.Expr:
    """Whether a text that looks like a day is one."""
    return _with(value, _IN_CALENDAR)
