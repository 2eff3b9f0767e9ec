"""Tables that exist already in PostgreSQL (16 and newer), as segments ask for them."""

from collections.abc import Mapping

from sqlglot import exp

from orchestrator.audience.engines.postgresql import from_json
from orchestrator.audience.engines.shown import PER, Shown
from orchestrator.audience.tongue import call, column, template, text
from orchestrator.core.foreign import Clock, Place
from orchestrator.core.segments.tree import Kind

_DIALECT = "postgres"
_CAST: Mapping[Kind, str] = {
    Kind.TEXT: "CAST(v AS text)",
    Kind.VERSION: "CAST(v AS text)",
    Kind.LIST: "CAST(v AS text[])",
    # A value that cannot be cast would end the whole question, so it is asked first.
    Kind.NUMBER: """CASE WHEN pg_input_is_valid(CAST(v AS text), 'numeric') THEN
        CASE WHEN abs(CAST(CAST(v AS text) AS numeric)) < 100000000000000 THEN CAST(CAST(v AS text) AS numeric(18, 4)) END END""",
    Kind.BOOLEAN: """CASE WHEN pg_input_is_valid(CAST(v AS text), 'boolean') THEN CAST(CAST(v AS text) AS boolean) END""",
    Kind.DATE: """CASE WHEN pg_input_is_valid(CAST(v AS text), 'date') THEN
        CASE WHEN CAST(CAST(v AS text) AS date) BETWEEN '0001-01-01' AND '9999-12-31' THEN CAST(CAST(v AS text) AS date) END END""",
}


class PostgresShown(Shown):
    """Casts are asked for first; JSON is jsonb."""

    def typed(self, value: exp.Expr, kind: Kind) -> exp.Expr:
        """By a cast that is known to go well."""
        return template(_DIALECT, _CAST[kind], v=value)

    def inside(self, document: exp.Expr, keys: tuple[str, ...], kind: Kind | None) -> exp.Expr:
        """Read as properties are."""
        found = self.document(document)
        if keys:
            found = call("jsonb_extract_path", found, *(text(key) for key in keys))
        return from_json(found, kind)

    def micros(self, value: exp.Expr, clock: Clock) -> exp.Expr:
        """From a timestamp (without a zone it is UTC), or a count."""
        if clock is Clock.TIMESTAMP:
            sql = "CAST(round(EXTRACT(epoch FROM CAST(v AS timestamptz)) * 1000000) AS bigint)"
            return template(_DIALECT, sql, v=value)
        if clock is Clock.MICROSECONDS:
            return exp.cast(value, "BIGINT")
        return template(_DIALECT, f"CAST(round(CAST(v AS numeric) * {PER[clock]}) AS bigint)", v=value)

    def document(self, value: exp.Expr | None, empty: str = "{}") -> exp.Expr:
        """Of jsonb."""
        nothing = exp.cast(text(empty), "JSONB")
        return nothing if value is None else exp.Coalesce(this=exp.cast(value, "JSONB"), expressions=[nothing])

    def object(self, pairs: Mapping[str, exp.Expr]) -> exp.Expr:
        """By its own functions."""
        parts = [part for name, value in pairs.items() for part in (text(name), value)]
        return call("jsonb_strip_nulls", call("jsonb_build_object", *parts))

    def joined(self, one: exp.Expr, other: exp.Expr) -> exp.Expr:
        """By concatenation."""
        return exp.DPipe(this=one, expression=other)

    def said(self, place: Place, table: str, kind: Kind | None) -> exp.Expr:
        """Values keep their types; a moment in any clock becomes a timestamp, which JSON writes as ISO 8601."""
        found = column(table, place.column)
        if kind is None:
            return found if place.keys is None else call("jsonb_extract_path", self.document(found), *(text(key) for key in place.keys))  # fmt: skip
        value = self.value(place, table, kind)
        if kind is Kind.TIME:
            return call("to_timestamp", exp.Div(this=value, expression=exp.Literal.number("1000000.0")))
        return value

    def listed(self, item: exp.Expr, seen: exp.Expr) -> exp.Expr:
        """By its own function."""
        return template(_DIALECT, "jsonb_agg(item ORDER BY seen DESC NULLS LAST, item)", item=item, seen=seen)

    def view(self, query: exp.Select, name: str, of: exp.Expr) -> exp.Select:
        """Never written down in between: what a question asks for goes down to the tables and their indexes."""
        return query.with_(name, as_=of, materialized=False, copy=False)
