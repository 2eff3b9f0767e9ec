"""Tables, views and files that Spark knows already, as segments ask for them; JSON is text, read by core's own code."""

from collections.abc import Mapping

from sqlglot import exp

from orchestrator.audience.engines.shown import PER, Shown
from orchestrator.audience.engines.spark import from_json
from orchestrator.audience.tongue import call, column, template, text
from orchestrator.core.foreign import Clock, Place
from orchestrator.core.segments.tree import Kind

_DIALECT = "spark"
_ROOT = "value"


class SparkShown(Shown):
    """By casts that give NULL where they fail."""

    def typed(self, value: exp.Expr, kind: Kind) -> exp.Expr:
        """By a cast."""
        return exp.TryCast(this=value, to=exp.DataType.build(self.types[kind], dialect=_DIALECT, udt=True))

    def inside(self, document: exp.Expr, keys: tuple[str, ...], kind: Kind | None) -> exp.Expr:
        """Read as properties are."""
        *way, last = keys or (_ROOT,)
        found = self.document(document)
        if not keys:
            found = call("concat", text(f'{{"{_ROOT}":'), found, text("}"))
        elif way:
            found = call("get_json_object", found, text("$" + "".join(f"['{key}']" for key in way)))
        return from_json(found, last, kind)

    def micros(self, value: exp.Expr, clock: Clock) -> exp.Expr:
        """From a timestamp (without a zone it is UTC), or a count."""
        if clock is Clock.TIMESTAMP:
            return template(_DIALECT, "unix_micros(CAST(v AS TIMESTAMP))", v=value)
        if clock is Clock.MICROSECONDS:
            return template(_DIALECT, "try_cast(v AS BIGINT)", v=value)
        return template(_DIALECT, f"CAST(round(try_cast(v AS DECIMAL(28, 6)) * {PER[clock]}) AS BIGINT)", v=value)

    def document(self, value: exp.Expr | None, empty: str = "{}") -> exp.Expr:
        """Of text."""
        if value is None:
            return text(empty)
        return template(_DIALECT, "COALESCE(CAST(v AS STRING), empty)", v=value, empty=text(empty))

    def object(self, pairs: Mapping[str, exp.Expr]) -> exp.Expr:
        """By its own functions, which leave out what is missing."""
        return call("to_json", call("named_struct", *(one for name, value in pairs.items() for one in (text(name), value))))  # fmt: skip

    def joined(self, one: exp.Expr, other: exp.Expr) -> exp.Expr:
        """By a function of ours."""
        return call("orchestrator_json_joined", one, other)

    def said(self, place: Place, table: str, kind: Kind | None) -> exp.Expr:
        """Values keep their types; moments are written out."""
        found = column(table, place.column)
        if kind is None:
            return found if place.keys is None else self.inside(found, place.keys, Kind.TEXT)
        value = self.value(place, table, kind)
        if kind is Kind.TIME:
            sql = "date_format(timestamp_micros(v), \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\")"
            return template(_DIALECT, sql, v=value)
        return value

    def listed(self, item: exp.Expr, seen: exp.Expr) -> exp.Expr:
        """Sorted as pairs."""
        sql = "concat('[', array_join(transform(sort_array(collect_list(named_struct('seen', seen, 'item', item)), FALSE), x -> x.item), ','), ']')"
        return template(_DIALECT, sql, item=item, seen=seen)
