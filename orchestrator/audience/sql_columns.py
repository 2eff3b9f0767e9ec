"""Where the audience's tables keep what a segment asks about: the only place that knows this store's shape.

Another store is another mapping with the same methods; the compiler stays. Every method gives an expression that is NULL
where the value is missing or of another kind, exactly as core's `read` says: texts are NFC, numbers DECIMAL(18,4), moments
UTC microseconds, days DATE, versions text, lists arrays of texts.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from orchestrator.audience.columns import OWN, WHO, home
from orchestrator.audience.tongue import DECIMAL, Tongue, call, column, text
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.tree import Declared, Kind
from orchestrator.core.segments.values import DAY_PATTERN, TIME_PATTERN

__all__ = ["DECIMAL", "Columns", "DuckColumns", "call", "column", "text"]


class Columns(Protocol):
    """The tables of a store: `profile` with one row a user, `event`, and `list_member` (list, user)."""

    @property
    def tongue(self) -> Tongue:
        """The words of the engine."""
        ...

    @property
    def dialect(self) -> str:
        """sqlglot's name of the engine's dialect."""
        ...

    @property
    def key(self) -> str:
        """The column of `profile` and of `event` that tells whose a row is: the user, or a number that stands for one."""
        ...

    def attribute(self, name: str, kind: Kind | None) -> exp.Expr:
        """A profile's attribute as this kind; with None any text that is NULL only where there is no value."""
        ...

    def own(self, name: str) -> exp.Expr:
        """What a profile knows by itself, as a text: user, email, phone, zone, locale, language."""
        ...

    def address(self, channel: str) -> exp.Expr:
        """Whether there is an address for a channel; never NULL."""
        ...

    def property(self, name: str, kind: Kind | None) -> exp.Expr:
        """An event's property as this kind."""
        ...

    def amount(self, name: str) -> exp.Expr:
        """An event's property as a number, also where it was written as a text."""
        ...

    def home(self, name: str) -> str:
        """The column of `profile` that holds a declared attribute."""
        ...


@dataclass(frozen=True, slots=True)
class OurColumns(ABC):
    """Tables of our own shape: declared attributes are typed columns of `profile`, everything else is JSON."""

    declared: Mapping[str, Declared] = field(default_factory=dict)
    tongue: Tongue = field(default_factory=Tongue)
    dialect: str = ""
    key: str = "user"

    def attribute(self, name: str, kind: Kind | None) -> exp.Expr:
        """A declared attribute from its column, what a profile knows by itself from that, any other from `rest`."""
        if name in self.declared:
            wrong = kind not in {None, self.declared[name].kind}
            return exp.null() if wrong else column("profile", self.home(name))
        if name in OWN and kind in {Kind.TEXT, None}:
            return column("profile", name)
        return self.read("profile", "rest", name, kind)

    def own(self, name: str) -> exp.Expr:
        """From a column; the language is cut off its locale."""
        if name != "language":
            return column("profile", name)
        return self.language(column("profile", "locale"))

    def address(self, channel: str) -> exp.Expr:
        """A column that is filled; for push, a device."""
        if channel == Channel.PUSH:
            return self.any_device(column("profile", "devices"))
        filled = exp.Is(this=column("profile", "email" if channel == Channel.EMAIL else "phone"), expression=exp.null())
        return exp.Not(this=filled)

    def property(self, name: str, kind: Kind | None) -> exp.Expr:
        """A property out of the event's JSON."""
        return self.read("event", "properties", name, kind)

    def amount(self, name: str) -> exp.Expr:
        """As a number, or out of a text that reads like one."""
        return exp.Coalesce(this=self.property(name, Kind.NUMBER), expressions=[self.number_in(name)])

    def number_in(self, name: str) -> exp.Expr:
        """The number that a text property says; NULL where it says none."""
        return exp.TryCast(this=self.property(name, Kind.TEXT), to=exp.DataType.build(DECIMAL))

    def home(self, name: str) -> str:
        """The column of a declared attribute."""
        return home(name)

    def language(self, locale: exp.Expr) -> exp.Expr:
        """What stands before the first `-` or `_` of a locale, in small letters."""
        joined = exp.Replace(this=locale, expression=text("_"), replacement=text("-"))
        first = exp.SplitPart(this=joined, delimiter=text("-"), part_index=exp.Literal.number(1))
        return self.tongue.without_case(first)

    @abstractmethod
    def any_device(self, devices: exp.Expr) -> exp.Expr:
        """Whether the JSON array of devices has any; never NULL."""

    @abstractmethod
    def read(self, table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
        """One value of the JSON object in this column, as this kind; an expression nobody else holds."""


@dataclass(frozen=True, slots=True)
class DuckColumns(OurColumns):
    """Our own DuckDB file."""

    dialect: str = "duckdb"
    key: str = WHO

    def any_device(self, devices: exp.Expr) -> exp.Expr:
        """By the length of the array."""
        size = exp.Coalesce(this=call("json_array_length", devices), expressions=[exp.Literal.number(0)])
        return exp.GT(this=size, expression=exp.Literal.number(0))

    def amount(self, name: str) -> exp.Expr:
        """What stands there as text, cast: numbers and texts alike."""
        return exp.TryCast(this=self.property(name, None), to=exp.DataType.build(DECIMAL))

    def read(self, table: str, document: str, name: str, kind: Kind | None) -> exp.Expr:
        """By a JSON pointer."""
        return _json(column(table, document), name, kind)


def _json(document: exp.Expr, name: str, kind: Kind | None) -> exp.Expr:  # noqa: PLR0911 - one answer per kind
    """One value of a JSON object. The key is a JSON pointer (RFC 6901), in which only ~ and / have a meaning."""
    place = text("/" + name.replace("~", "~0").replace("/", "~1"))
    string = call("json_extract_string", document, place)
    raw = exp.cast(call("json_extract", document.copy(), place.copy()), "VARCHAR")
    match kind:
        case Kind.TEXT:
            return _if_type("VARCHAR", document, place, call("nfc_normalize", string))
        case Kind.VERSION:
            return _if_type("VARCHAR", document, place, string)
        case Kind.NUMBER:
            # Inside JSON a text keeps its quotes and true its letters: neither can be cast, so neither is a number.
            return exp.TryCast(this=raw, to=exp.DataType.build(DECIMAL))
        case Kind.BOOLEAN:
            return exp.Case(this=raw).when(text("true"), exp.true()).when(text("false"), exp.false())
        case Kind.DATE:
            day = exp.TryCast(this=string, to=exp.DataType.build("DATE"))
            return _if_type("VARCHAR", document, place, _if_matches(string, DAY_PATTERN, day))
        case Kind.TIME:
            moment = call("epoch_us", exp.TryCast(this=string, to=exp.DataType.build("TIMESTAMPTZ")))
            return _if_type("VARCHAR", document, place, _if_matches(string, TIME_PATTERN, moment))
        case Kind.LIST:
            return _if_type("ARRAY", document, place, _texts(call("json_extract", document.copy(), place.copy())))
        case None:
            return string


def _if_type(json_type: str, document: exp.Expr, place: exp.Expr, then: exp.Expr) -> exp.Expr:
    found = call("json_type", document.copy(), place.copy())
    return exp.Case().when(exp.EQ(this=found, expression=text(json_type)), then)


def _if_matches(string: exp.Expr, pattern: str, then: exp.Expr) -> exp.Expr:
    return exp.Case().when(call("regexp_full_match", string.copy(), text(pattern)), then)


def _texts(array: exp.Expr) -> exp.Expr:
    """The texts of a JSON array; what else is in it is left out."""
    one = exp.column("one")
    items = exp.TryCast(this=array, to=exp.DataType.build("JSON[]", dialect="duckdb"))
    is_text = exp.EQ(this=call("json_type", one), expression=text("VARCHAR"))
    kept = call("list_filter", items, exp.Lambda(this=is_text, expressions=[exp.to_identifier("one")]))
    composed = call("nfc_normalize", call("json_extract_string", one.copy(), text("$")))
    return call("list_transform", kept, exp.Lambda(this=composed, expressions=[exp.to_identifier("one")]))
