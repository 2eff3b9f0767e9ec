"""Tables that exist already in ClickHouse, as segments ask for them. Days are texts, lists and objects JSON texts."""

from collections.abc import Mapping

from sqlglot import exp

from orchestrator.audience.engines.clickhouse import from_json, in_calendar
from orchestrator.audience.engines.shown import PER, Shown
from orchestrator.audience.tongue import call, column, template, text
from orchestrator.core.foreign import Clock, Place
from orchestrator.core.segments.tree import Kind
from orchestrator.core.segments.values import DAY_PATTERN

_DIALECT = "clickhouse"
_ROOT = "value"
"""The key under which a column that is one JSON value stands while it is read."""
_CAST: Mapping[Kind, str] = {
    Kind.TEXT: "toString(v)",
    Kind.VERSION: "toString(v)",
    Kind.NUMBER: "accurateCastOrNull(v, 'Decimal(18, 4)')",
    Kind.BOOLEAN: "accurateCastOrNull(v, 'Bool')",
    Kind.DATE: f"CASE WHEN match(day, '^(?:{DAY_PATTERN})$') AND in_calendar THEN day END",
    Kind.LIST: "CASE WHEN startsWith(toTypeName(v), 'Array') THEN toJSONString(v) ELSE toString(v) END",
}


class ClickHouseShown(Shown):
    """By casts that give NULL where they fail."""

    def typed(self, value: exp.Expr, kind: Kind) -> exp.Expr:
        """By a cast; a day is what a date, or a time, begins with."""
        day = template(_DIALECT, "substring(toString(v), 1, 10)", v=value)
        return template(_DIALECT, _CAST[kind], v=value, day=day, in_calendar=in_calendar(day))

    def inside(self, document: exp.Expr, keys: tuple[str, ...], kind: Kind | None) -> exp.Expr:
        """Read as properties are."""
        *way, last = keys or (_ROOT,)
        found = self.document(document)
        if not keys:
            found = call("concat", text(f'{{"{_ROOT}":'), found, text("}"))
        elif way:
            found = call("JSONExtractRaw", found, *(text(key) for key in way))
        return from_json(found, text(last), kind)

    def micros(self, value: exp.Expr, clock: Clock) -> exp.Expr:
        """From a date-time (in its own zone), or a count."""
        if clock is Clock.TIMESTAMP:
            return template(_DIALECT, "toUnixTimestamp64Micro(toDateTime64(v, 6, 'UTC'))", v=value)
        if clock is Clock.MICROSECONDS:
            return template(_DIALECT, "accurateCastOrNull(v, 'Int64')", v=value)
        sql = f"accurateCastOrNull(round(accurateCastOrNull(v, 'Decimal(38, 6)') * {PER[clock]}), 'Int64')"
        return template(_DIALECT, sql, v=value)

    def document(self, value: exp.Expr | None, empty: str = "{}") -> exp.Expr:
        """Of text."""
        if value is None:
            return text(empty)
        return template(_DIALECT, "COALESCE(toString(v), empty)", v=value, empty=text(empty))

    def object(self, pairs: Mapping[str, exp.Expr]) -> exp.Expr:
        """Put together of its parts, each written by the engine."""
        parts = [
            template(_DIALECT, "CASE WHEN v IS NULL THEN '' ELSE concat(key, ':', toJSONString(v)) END", v=value, key=call("toJSONString", text(name)))
            for name, value in pairs.items()
        ]  # fmt: skip
        sql = "concat('{', arrayStringConcat(arrayFilter(x -> x <> '', parts), ','), '}')"
        return template(_DIALECT, sql, parts=exp.Array(expressions=parts))

    def joined(self, one: exp.Expr, other: exp.Expr) -> exp.Expr:
        """By its own function."""
        return call("jsonMergePatch", one, other)

    def said(self, place: Place, table: str, kind: Kind | None) -> exp.Expr:
        """Values keep their types; moments are written out."""
        found = column(table, place.column)
        if kind is None:
            return found if place.keys is None else self.inside(found, place.keys, Kind.TEXT)
        value = self.value(place, table, kind)
        if kind is Kind.TIME:
            sql = "formatDateTime(fromUnixTimestamp64Micro(v, 'UTC'), '%Y-%m-%dT%H:%i:%S.%fZ')"
            return template(_DIALECT, sql, v=value)
        return template(_DIALECT, "JSONExtract(COALESCE(v, '[]'), 'Array(String)')", v=value) if kind is Kind.LIST else value  # fmt: skip

    def listed(self, item: exp.Expr, seen: exp.Expr) -> exp.Expr:
        """Sorted as pairs."""
        sql = """concat('[', arrayStringConcat(arrayMap(x -> x.2,
            arrayReverseSort(x -> (x.1, x.2), groupArray((COALESCE(seen, 0), item)))), ','), ']')"""
        return template(_DIALECT, sql, item=item, seen=seen)
