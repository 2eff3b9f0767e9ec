"""A segment as SQL: one query that gives its members, and one that counts condition by condition.

Every value of a segment becomes a literal that sqlglot writes, never text put together by us; negation is pushed down to
the conditions, where a missing value is false.
"""

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from orchestrator.audience.sql_columns import Columns, column, text
from orchestrator.audience.sql_crowd import drawn, in_bands, scored
from orchestrator.audience.sql_events import users
from orchestrator.audience.sql_siblings import host
from orchestrator.audience.sql_values import passes
from orchestrator.core.draw import SPACE
from orchestrator.core.segments import tree
from orchestrator.core.segments.oracle import Moment, referred
from orchestrator.core.segments.tree import (
    All,
    AnyOf,
    Attribute,
    Band,
    Bucket,
    Condition,
    Event,
    IsSet,
    Listed,
    Member,
    Node,
    Not,
    Reach,
    Rfm,
    Sample,
    Segment,
)

_USER = column("profile", "user")
Measured = Callable[[Event], exp.Expr | None]
"""The test of a condition over columns that were measured for many at once; None for one that was not."""


def members(segment: Segment, moment: Moment, columns: Columns) -> exp.Select:
    """The query of a segment's members: one column, "user", each once."""
    return exp.select(_USER.copy()).from_("profile").where(predicate(segment.root, moment, columns), copy=False)


def members_sql(segment: Segment, moment: Moment, columns: Columns) -> str:
    """The same as text, in the dialect of the store."""
    return members(segment, moment, columns).sql(columns.dialect)


def steps(segment: Segment) -> tuple[Node, ...]:
    """The conditions `funnel` counts, in order: the parts of an `all`, or the whole."""
    return segment.root.parts if isinstance(segment.root, All) else (segment.root,)


def funnel(segment: Segment, moment: Moment, columns: Columns) -> exp.Select:
    """One row: everybody, then for each of `steps` how many pass it alone, how many are left after it, how many are unknown.

    Unknown are people without a value for a condition on an attribute, whom `not:` would let in and `is_not` does not.
    """
    conditions = exp.select().from_("profile")
    counts = exp.select(exp.alias_(exp.Count(this=exp.Star()), "everybody"))
    left: list[exp.Expr] = []
    for number, node in enumerate(steps(segment), 1):
        held = exp.Coalesce(this=exp.paren(predicate(node, moment, columns), copy=False), expressions=[exp.false()])
        conditions = conditions.select(
            exp.alias_(held, f"c{number}"), exp.alias_(_unknown(node, columns), f"u{number}"), copy=False
        )
        left.append(column("steps", f"c{number}"))
        counts = counts.select(
            _counted(column("steps", f"c{number}"), f"alone_{number}"),
            _counted(exp.and_(*left), f"left_{number}"),
            _counted(column("steps", f"u{number}"), f"unknown_{number}"),
            copy=False,
        )
    return counts.from_(conditions.subquery("steps"), copy=False)


def _counted(condition: exp.Expr, name: str) -> exp.Expr:
    one = exp.Case().when(condition, exp.Literal.number(1))
    return exp.alias_(exp.Count(this=one), name)


def _unknown(node: Node, columns: Columns) -> exp.Expr:
    if isinstance(node, Not):
        return _unknown(node.part, columns)
    if isinstance(node, Attribute) and not isinstance(node.test, IsSet):
        value = columns.own(node.name) if node.own else columns.attribute(node.name, node.kind)
        return exp.Is(this=value, expression=exp.null())
    return exp.false()


def lists(segment: Segment, moment: Moment) -> tuple[str, ...]:
    """The lists a segment looks into, through the segments it refers to."""
    found = [node.name for node in leaves(segment.root, moment) if isinstance(node, Listed)]
    return tuple(dict.fromkeys(found))


def leaves(node: Node, moment: Moment, within: tuple[str, ...] = ()) -> Iterator[Condition]:
    """Every condition of a tree, through samples and the segments it refers to."""
    for one in tree.leaves(node):
        if isinstance(one, Member):
            yield from leaves(referred(one.segment, moment.segments, within).root, moment, (*within, one.segment))
        else:
            yield one


def predicate(
    node: Node,
    moment: Moment,
    columns: Columns,
    within: tuple[str, ...] = (),
    *,
    negated: bool = False,
    measured: Measured | None = None,
) -> exp.Expr:
    """A node over one row of `profile`. Read as a filter: NULL counts as false.

    With `measured`, the tests of conditions that it knows stand beside the row already.
    """
    match node:
        case Not(part):
            return predicate(part, moment, columns, within, negated=not negated, measured=measured)
        case All(parts) | AnyOf(parts):
            together = isinstance(node, All) is not negated
            inner: list[exp.Expr] = []
            left = parts
            if together and measured is None:
                inner, left = _hosted(parts, moment, columns, negated=negated)
            inner += [predicate(part, moment, columns, within, negated=negated, measured=measured) for part in left]
            joined = exp.and_ if together else exp.or_
            return exp.paren(joined(*inner, copy=False), copy=False)
        case Member(name):
            root = referred(name, moment.segments, within).root
            return predicate(root, moment, columns, (*within, name), negated=negated, measured=measured)
        case Sample():
            query = drawn(node, columns, lambda of: predicate(of, moment, columns, within))
            return _one_of(query, columns, negated=negated)
        case Event() if measured is not None and (test := measured(node)) is not None:
            return _denied(test) if negated else test
        case _:
            return _leaf(node, moment, columns, negated=negated)


def _hosted(
    parts: tuple[Node, ...], moment: Moment, columns: Columns, *, negated: bool
) -> tuple[list[exp.Expr], tuple[Node, ...]]:
    """Of conditions that must hold together, those that are asked as one, and the parts that are left."""
    found = host(parts, negated=negated)
    if found is None:
        return [], parts
    place, guests = found
    among = [_happened(parts[guest], moment, columns, (), "event", negated=negated) for guest in guests]
    left = tuple(part for other, part in enumerate(parts) if other != place and other not in guests)
    return [_happened(parts[place], moment, columns, among, "profile", negated=negated)], left


def _happened(
    part: Node, moment: Moment, columns: Columns, among: Sequence[exp.Expr], whose: str, *, negated: bool
) -> exp.Expr:
    """A condition on events, or what denies one, over one row of the table `whose`."""
    while isinstance(part, Not):
        part, negated = part.part, not negated
    if not isinstance(part, Event):
        raise TypeError(part)
    query, positive = users(part, moment, columns, among)
    return _one_of(query, columns, column(whose, columns.key), negated=negated is positive)


def _leaf(  # noqa: PLR0911 - one answer per condition
    node: Attribute | Event | Rfm | Reach | Listed | Bucket, moment: Moment, columns: Columns, *, negated: bool
) -> exp.Expr:
    match node:
        case Attribute(test=Band() as band) | Event(test=Band() as band):
            return _one_of(in_bands(node, [band], moment, columns), columns, negated=negated)
        case Attribute(name, kind, test, own):
            value = columns.own(name) if own else columns.attribute(name, kind)
            found = passes(test, kind, value, moment, columns.tongue)
            return _denied(found) if negated else found
        case Rfm():
            joined = exp.or_ if negated else exp.and_
            return exp.paren(
                joined(*(_one_of(one, columns, negated=negated) for one in scored(node, moment, columns)), copy=False),
                copy=False,
            )
        case Reach(channel):
            there = columns.address(channel)
            return exp.Not(this=exp.paren(there)) if negated else there
        case Event():
            return _happened(node, moment, columns, (), "profile", negated=negated)
        case Listed(name):
            here = exp.EQ(this=column("list_member", "list"), expression=text(name))
            listed = exp.select(column("list_member", "user")).from_("list_member").where(here)
            return _one_of(listed, columns, _USER, negated=negated)
        case Bucket():
            inside = _in_buckets(node, columns)
            return exp.Not(this=exp.paren(inside, copy=False)) if negated else inside


def _denied(found: exp.Expr) -> exp.Expr:
    """The exact complement of a test that may be NULL."""
    return exp.Not(this=exp.Coalesce(this=exp.paren(found, copy=False), expressions=[exp.false()]))


def _one_of(query: exp.Select, columns: Columns, whose: exp.Expr | None = None, *, negated: bool) -> exp.Expr:
    """A user (by the key, unless said otherwise) among those of a query. Neither side is ever NULL, so the complement is exact."""
    this = column("profile", columns.key) if whose is None else whose.copy()
    found = exp.In(this=this, query=query.subquery(copy=False))
    return columns.tongue.not_among(found) if negated else found


def _in_buckets(node: Bucket, columns: Columns) -> exp.Expr:
    """The draw of core, as text: eight hex digits compare like the number they write, on every engine."""
    digits = columns.tongue.by_code_point(columns.tongue.draw(node.salt, _USER.copy()))
    first = -(-node.first * SPACE // node.of)
    after = -(-(node.last + 1) * SPACE // node.of)
    parts: list[exp.Expr] = [exp.GTE(this=digits, expression=text(f"{first:08x}"))]
    if after < SPACE:
        parts.append(exp.LT(this=digits.copy(), expression=text(f"{after:08x}")))
    return exp.and_(*parts, copy=False)
