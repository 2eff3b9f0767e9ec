"""Segments on PostgreSQL (16 and newer): the tables, and the words that differ from DuckDB's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp

from orchestrator.audience.sql_columns import OurColumns
from orchestrator.audience.tongue import Tongue, call, column, number, template, text
from orchestrator.core.segments.regex import Regex
from orchestrator.core.segments.tree import Kind
from orchestrator.core.segments.values import DAY_PATTERN, TIME_PATTERN, VERSION_PATTERN

TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "text", Kind.NUMBER: "numeric(18,4)", Kind.BOOLEAN: "boolean", Kind.DATE: "date", Kind.TIME: "bigint",
    Kind.VERSION: "text", Kind.LIST: "text[]",
}  # fmt: skip
TABLES = (
    """CREATE TABLE IF NOT EXISTS profile (
        "user" text PRIMARY KEY, zone text, locale text, email text, phone text, devices jsonb, rest jsonb)""",
    """CREATE TABLE IF NOT EXISTS event (
        "user" text NOT NULL, name text NOT NULL, "time" bigint NOT NULL, message_id text NOT NULL, properties jsonb)""",
    'CREATE INDEX IF NOT EXISTS event_by_name ON event (name, "time") INCLUDE ("user")',
    'CREATE INDEX IF NOT EXISTS event_by_user ON event ("user", name, "time")',
)
_DIALECT = "postgres"
READ: Mapping[Kind | None, str] = {
    Kind.TEXT: "CASE WHEN jsonb_typeof(v) = 'string' THEN normalize(v #>> '{}') END",
    Kind.VERSION: "CASE WHEN jsonb_typeof(v) = 'string' THEN v #>> '{}' END",
    # Numbers are exact here; those that do not fit are missing, as everywhere.
    Kind.NUMBER: """CASE WHEN jsonb_typeof(v) = 'number' THEN
        CASE WHEN abs(round(CAST(v AS numeric), 4)) < 100000000000000 THEN CAST(v AS numeric(18, 4)) END END""",
    Kind.BOOLEAN: "CASE WHEN jsonb_typeof(v) = 'boolean' THEN CAST(v AS boolean) END",
    Kind.DATE: f"""CASE WHEN jsonb_typeof(v) = 'string' AND v #>> '{{}}' ~ '^(?:{DAY_PATTERN})$'
        AND pg_input_is_valid(v #>> '{{}}', 'date') THEN CAST(v #>> '{{}}' AS date) END""",
    Kind.TIME: f"""CASE WHEN jsonb_typeof(v) = 'string' AND v #>> '{{}}' ~ '^(?:{TIME_PATTERN})$'
        AND pg_input_is_valid(v #>> '{{}}', 'timestamptz')
        THEN CAST(round(EXTRACT(epoch FROM CAST(v #>> '{{}}' AS timestamptz)) * 1000000) AS bigint) END""",
    Kind.LIST: """CASE WHEN jsonb_typeof(v) = 'array' THEN COALESCE((SELECT array_agg(normalize(one #>> '{}'))
        FROM jsonb_array_elements(v) AS items(one) WHERE jsonb_typeof(one) = 'string'), CAST('{}' AS text[])) END""",
    None: "v #>> '{}'",
}


@dataclass(frozen=True, slots=True)
class PostgresTongue(Tongue):
    """The words of PostgreSQL."""

    dialect: str = _DIALECT

    def regex(self, value: exp.Expr, pattern: Regex) -> exp.Expr:
        """Without flags a dot is any character and the anchors are the ends of the text."""
        return exp.RegexpLike(this=value, expression=text(pattern.anchored("^", "$")))

    def version_numbers(self, value: exp.Expr) -> exp.Expr:
        """The first bracket of a pattern is what `substring` gives."""
        return call("substring", value, text(VERSION_PATTERN))

    def list_size(self, value: exp.Expr) -> exp.Expr:
        """0 for an empty array, where array_length has NULL."""
        return call("cardinality", value)

    def once(self, value: exp.Expr, body: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
        """By a query of one row."""
        inner = exp.select(exp.alias_(value, "moment_")).subquery("once")
        return exp.select(body(exp.column("moment_", table="once"))).from_(inner).subquery()

    def month_day(self, value: exp.Expr) -> exp.Expr:
        """By `to_char`."""
        return call("to_char", value, text("MMDD"))

    def divided(self, value: exp.Expr, by: int) -> exp.Expr:
        """Whole numbers are divided as such."""
        return exp.paren(exp.Div(this=exp.paren(value, copy=False), expression=number(by), typed=True), copy=False)

    def latest(self, value: exp.Expr, at: exp.Expr, message_id: exp.Expr) -> exp.Expr:
        """The first of all of them in the order that has it first."""
        order = self.by_code_point(message_id)
        sql = "(ARRAY_AGG(v ORDER BY at DESC, id DESC))[1]"
        return exp.cast(template(_DIALECT, sql, v=value, at=at, id=order), "TEXT")

    def by_code_point(self, value: exp.Expr) -> exp.Expr:
        """Whatever language the database was made for."""
        return exp.Collate(this=exp.paren(value, copy=False), expression=exp.to_identifier("C", quoted=True))


@dataclass(frozen=True, slots=True)
class PostgresColumns(OurColumns):
    """Tables shaped like ours, their JSON as jsonb."""

    tongue: Tongue = field(default_factory=PostgresTongue)
    dialect: str = _DIALECT

    def any_device(self, devices: exp.Expr) -> exp.Expr:
        """By the length of the array."""
        return template(_DIALECT, "COALESCE(jsonb_array_length(devices), 0) > 0", devices=devices)

    def number_in(self, name: str) -> exp.Expr:
        """By asking first: a cast that fails ends the whole question here."""
        sql = """CASE WHEN pg_input_is_valid(v, 'numeric') THEN
            CASE WHEN abs(CAST(v AS numeric)) < 100000000000000 THEN CAST(CAST(v AS numeric) AS numeric(18, 4)) END END"""
        return template(_DIALECT, sql, v=self.property(name, Kind.TEXT))

    def read(self, table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
        """Out of jsonb."""
        return _json(table, document, name, kind).copy()


@lru_cache(maxsize=1024)
def _json(table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
    """One value of a jsonb object; the key is a text like any other."""
    return from_json(call("jsonb_extract_path", column(table, document), text(name)), kind)


def from_json(value: exp.Expr, kind: Kind | None) -> exp.Expr:
    """A value of jsonb as this kind."""
    return template(_DIALECT, READ[kind], v=value)
