"""Segments on Spark SQL: the words that differ from DuckDB's.

Spark has no composed Unicode and reads JSON loosely; so values come out of JSON by core's own reading, registered as functions
of the session (`register`). Declared attributes are typed columns, and need none of them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlglot import exp

from orchestrator.audience.sql_columns import OurColumns
from orchestrator.audience.tongue import Tongue, call, column, number, template, text
from orchestrator.core.segments.regex import Regex, escaped
from orchestrator.core.segments.tree import Kind, Share
from orchestrator.core.segments.values import read

TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "string", Kind.NUMBER: "decimal(18,4)", Kind.BOOLEAN: "boolean", Kind.DATE: "date", Kind.TIME: "bigint",
    Kind.VERSION: "string", Kind.LIST: "array<string>",
}  # fmt: skip
_DIALECT = "spark"
_FUNCTION = "orchestrator_json_"


def register(session: Any) -> None:
    """Give a session the functions that read JSON as segments do: `orchestrator_json_number(document, key)` and its like."""
    for kind, type_ in TYPES.items():
        session.udf.register(f"{_FUNCTION}{kind}", _reader(kind), type_)
    session.udf.register(f"{_FUNCTION}any", _anything, "string")
    session.udf.register(f"{_FUNCTION}joined", _joined, "string")


def _reader(kind: Kind) -> Any:
    def value(document: str | None, key: str) -> str | Decimal | bool | int | date | list[str] | None:
        raw = (json.loads(document) if document else {}).get(key)
        if kind is Kind.VERSION:
            return raw if isinstance(raw, str) else None
        found = read(kind, raw)
        return list(found) if isinstance(found, tuple) else found

    return value


def _joined(one: str | None, other: str | None) -> str:
    """Two objects as one; the second wins."""
    return json.dumps({**(json.loads(one) if one else {}), **(json.loads(other) if other else {})})


def _anything(document: str | None, key: str) -> str | None:
    raw = (json.loads(document) if document else {}).get(key)
    return json.dumps(raw) if isinstance(raw, dict | list) else None if raw is None else str(raw)


@dataclass(frozen=True, slots=True)
class SparkTongue(Tongue):
    """The words of Spark SQL; patterns are Java's."""

    dialect: str = _DIALECT
    materialized: bool = False

    def contains(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """By its own function."""
        return call("contains", value, text(wanted))

    def starts_with(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """By its own function."""
        return call("startswith", value, text(wanted))

    def ends_with(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """By its own function."""
        return call("endswith", value, text(wanted))

    def like(self, value: exp.Expr, glob: str) -> exp.Expr:
        """As an expression: its LIKE refuses some patterns."""
        pattern = "".join({"*": ".*", "?": "."}.get(letter, escaped(letter)) for letter in glob)
        return call("rlike", value, text(f"(?s)\\A(?:{pattern})\\z"))

    def regex(self, value: exp.Expr, pattern: Regex) -> exp.Expr:
        r"""Its `$` also stands before a last line break; `\z` does not."""
        return call("rlike", value, text("(?s)" + pattern.anchored("\\A", "\\z")))

    def shares(self, value: exp.Expr, share: Share, wanted: Sequence[str]) -> exp.Expr:
        """Lists are arrays without missing items."""
        texts = exp.Array(expressions=[text(one) for one in wanted])
        found = "size(array_except(texts, v)) = 0" if share is Share.ALL else "arrays_overlap(v, texts)"
        sign = "NOT " if share is Share.NONE else ""
        return template(_DIALECT, f"CASE WHEN v IS NOT NULL THEN {sign}{found} END", v=value, texts=texts)

    def list_size(self, value: exp.Expr) -> exp.Expr:
        """Its `size` of what is missing may be -1."""
        return template(_DIALECT, "CASE WHEN v IS NOT NULL THEN size(v) END", v=value)

    def day_since(self, days: exp.Expr) -> exp.Expr:
        """By `date_add`."""
        return call("date_add", self.day(date(1970, 1, 1).toordinal()), exp.cast(days, "INT", copy=False))

    def month_day(self, value: exp.Expr) -> exp.Expr:
        """By `date_format`."""
        return call("date_format", value, text("MMdd"))

    def once(self, value: exp.Expr, body: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
        """By an array of one."""
        made = exp.Lambda(this=body(exp.column("moment_")), expressions=[exp.to_identifier("moment_")])
        return call("element_at", call("transform", exp.Array(expressions=[value]), made), number(1))

    def divided(self, value: exp.Expr, by: int) -> exp.Expr:
        """Whole numbers."""
        return exp.paren(exp.IntDiv(this=exp.paren(value, copy=False), expression=number(by)), copy=False)

    def latest(self, value: exp.Expr, at: exp.Expr, message_id: exp.Expr) -> exp.Expr:
        """By its own function."""
        return call("max_by", value, call("struct", at, message_id))

    def not_among(self, found: exp.Expr) -> exp.Expr:
        """It refuses NOT IN below an OR, because of values that may be missing; ours never are."""
        return exp.EQ(this=exp.paren(found, copy=False), expression=exp.false())


@dataclass(frozen=True, slots=True)
class SparkColumns(OurColumns):
    """Tables or views shaped like ours, their JSON as text."""

    tongue: Tongue = field(default_factory=SparkTongue)
    dialect: str = _DIALECT

    def any_device(self, devices: exp.Expr) -> exp.Expr:
        """By the length of the array."""
        return template(_DIALECT, "COALESCE(json_array_length(devices), 0) > 0", devices=devices)

    def read(self, table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
        """By the functions of `register`."""
        return from_json(column(table, document), name, kind)


def from_json(document: exp.Expr, key: str, kind: Kind | None) -> exp.Expr:
    """What a JSON object has under a key, as this kind."""
    return call(f"{_FUNCTION}{kind or 'any'}", document, text(key))
