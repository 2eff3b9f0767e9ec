"""How an engine says what segments need beyond plain SQL. These are DuckDB's words; other engines change those that differ.

Every value an expression here is given is NULL where it is missing, and so is the answer then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

from sqlglot import exp, parse_one

from orchestrator.core.segments.regex import Regex
from orchestrator.core.segments.tree import Share
from orchestrator.core.segments.values import PARTS, VERSION_PATTERN

DECIMAL = "DECIMAL(18, 4)"
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Tongue:
    """The words of one engine; `dialect` is sqlglot's name for it, `materialized` whether it can be told to read a common table once."""

    dialect: str = "duckdb"
    materialized: bool = True

    def contains(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """Whether a text holds another."""
        place = exp.StrPosition(this=value, substr=text(wanted))
        return exp.GT(this=place, expression=number(0))

    def starts_with(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """Whether a text begins with another."""
        return exp.EQ(this=exp.Left(this=value, expression=number(len(wanted))), expression=text(wanted))

    def ends_with(self, value: exp.Expr, wanted: str) -> exp.Expr:
        """Whether a text ends with another."""
        return exp.EQ(this=exp.Right(this=value, expression=number(len(wanted))), expression=text(wanted))

    def like(self, value: exp.Expr, glob: str) -> exp.Expr:
        """Whether the whole text fits a pattern of `*` and `?`; LIKE's own signs are escaped where the pattern has them."""
        pattern = "".join(
            _ESCAPE + letter if letter in "%_\\" else {"*": "%", "?": "_"}.get(letter, letter) for letter in glob
        )
        found = exp.Like(this=value, expression=text(pattern))
        return exp.Escape(this=found, expression=text(_ESCAPE)) if _ESCAPE in pattern else found

    def regex(self, value: exp.Expr, pattern: Regex) -> exp.Expr:
        """Whether an expression is found in a text."""
        return call("regexp_matches", value, text("(?s)" + pattern.anchored("^", "$")))

    def without_case(self, value: exp.Expr) -> exp.Expr:
        """A text with A to Z written small."""
        return call("translate", value, text(ascii_uppercase), text(ascii_lowercase))

    def version(self, value: exp.Expr) -> exp.Expr:
        """A stored version as core writes it: nine digits a part; NULL where it is none."""
        numbers = exp.Nullif(this=self.version_numbers(value), expression=text(""))
        joined: exp.Expr | None = None
        for place in range(1, PARTS + 1):
            part = self.padded(exp.SplitPart(this=numbers.copy(), delimiter=text("."), part_index=number(place)))
            joined = part if joined is None else self.joined(joined, part)
        return exp.paren(joined or text(""), copy=False)

    def version_numbers(self, value: exp.Expr) -> exp.Expr:
        """The numbers of a version with their dots, empty or NULL where it is none."""
        return exp.RegexpExtract(this=value, expression=text("(?s)" + VERSION_PATTERN), group=number(1))

    def padded(self, part: exp.Expr) -> exp.Expr:
        """Digits made nine by zeros in front."""
        return call("lpad", part, number(9), text("0"))

    def joined(self, one: exp.Expr, other: exp.Expr) -> exp.Expr:
        """One text after the other."""
        return exp.DPipe(this=one, expression=other, safe=True)

    def shares(self, value: exp.Expr, share: Share, wanted: Sequence[str]) -> exp.Expr:
        """How much of what is wanted a list contains."""
        texts = exp.Array(expressions=[text(one) for one in wanted])
        if share is Share.ALL:
            return exp.ArrayContainsAll(this=value, expression=texts)
        common = exp.ArrayOverlaps(this=value, expression=texts)
        return exp.Not(this=exp.paren(common, copy=False)) if share is Share.NONE else common

    def list_size(self, value: exp.Expr) -> exp.Expr:
        """How many texts a list holds."""
        return exp.ArraySize(this=value)

    def day(self, ordinal: int) -> exp.Expr:
        """A day as a literal; beyond the calendar, its first or last day."""
        return exp.cast(text(within_calendar(ordinal).isoformat()), "DATE")

    def day_since(self, days: exp.Expr) -> exp.Expr:
        """The day so many days after 1970-01-01."""
        return exp.paren(exp.Add(this=self.day(EPOCH), expression=exp.cast(days, "INT", copy=False)), copy=False)

    def once(self, value: exp.Expr, body: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
        """What `body` makes of a value that is worked out once, however often it stands in it."""
        made = exp.Lambda(this=body(exp.column("moment_")), expressions=[exp.to_identifier("moment_")])
        return call("list_extract", call("list_transform", exp.Array(expressions=[value]), made), number(1))

    def month_day_since(self, days: exp.Expr) -> exp.Expr:
        """The same of the day so many days after 1970-01-01."""
        return self.month_day(self.day_since(days))

    def month_day(self, value: exp.Expr) -> exp.Expr:
        """A day as four digits, month and day."""
        return exp.TimeToStr(this=value, format=text("%m%d"))

    def decimal(self, value: Decimal | str | int | None) -> exp.Expr:
        """A number as a literal of the type all numbers have; NULL for none."""
        if value is None:
            return exp.null()
        return exp.cast(exp.Literal.number(f"{Decimal(value):f}"), DECIMAL)

    def divided(self, value: exp.Expr, by: int) -> exp.Expr:
        """A whole number, not negative, divided without a rest."""
        return exp.IntDiv(this=exp.paren(value, copy=False), expression=number(by))

    def draw(self, salt: str, user: exp.Expr) -> exp.Expr:
        """The draw of core as eight hex digits, which compare like the number they write."""
        return exp.Substring(this=self.md5(self.joined(text(f"{salt}:"), user)), start=number(1), length=number(8))

    def md5(self, value: exp.Expr) -> exp.Expr:
        """The 32 hex digits, small."""
        return exp.MD5(this=value)

    def latest(self, value: exp.Expr, at: exp.Expr, message_id: exp.Expr) -> exp.Expr:
        """Of many rows the value of the last one, by time and then by message id."""
        return call("arg_max", value, exp.Tuple(expressions=[at, message_id]))

    def not_among(self, found: exp.Expr) -> exp.Expr:
        """That a user is not among those of a query; users are never NULL, on either side."""
        return exp.Not(this=found)

    def by_code_point(self, value: exp.Expr) -> exp.Expr:
        """A text to be put in order by code point."""
        return value


EPOCH = date(1970, 1, 1).toordinal()


def within_calendar(ordinal: int) -> date:
    """A day; beyond the calendar, its first or last one."""
    return date.fromordinal(min(max(ordinal, date(1, 1, 1).toordinal()), date.max.toordinal()))


def text(value: str) -> exp.Expr:
    """A text as a literal: sqlglot quotes it."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expr:
    """A whole number as a literal."""
    return exp.Literal.number(value)


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A function of an engine by its own name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def column(table: str, name: str) -> exp.Column:
    """A column, quoted."""
    return exp.column(name, table=table, quoted=True)


def template(dialect: str, sql: str, **parts: exp.Expr) -> exp.Expr:
    """An engine's own SQL with expressions put in the places of bare names; what is a value stays one."""

    def put(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in parts:
            return parts[node.name].copy()
        return node

    return _parsed(dialect, sql).transform(put)


@lru_cache(maxsize=256)
def _parsed(dialect: str, sql: str) -> exp.Expr:
    return parse_one(sql, dialect=dialect)
