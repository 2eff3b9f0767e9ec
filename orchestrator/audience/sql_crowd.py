"""A place among everybody in SQL: bands, scores from one to five, and samples. Counting instead of dividing keeps them exact."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from sqlglot import exp

from orchestrator.audience.sql_columns import Columns, column
from orchestrator.audience.sql_events import values
from orchestrator.core.segments.crowd import score_bands, score_events
from orchestrator.core.segments.oracle import Moment
from orchestrator.core.segments.tree import Attribute, Band, Event, Node, Rfm, Sample

_USER = column("profile", "user")
_FINE = 10_000
"""Per cents have four decimals."""
_BELOW, _OF = column("placed", "below"), column("placed", "everybody")


def in_bands(of: Attribute | Event, bands: Sequence[Band], moment: Moment, columns: Columns) -> exp.Select:
    """The users who stand in one of these bands."""
    inside = exp.or_(*(_inside(band) for band in bands), copy=False)
    whose = column("placed", columns.key)
    return exp.select(whose).from_(places(of, moment, columns).subquery("placed")).where(inside, copy=False)


def places(of: Attribute | Event, moment: Moment, columns: Columns) -> exp.Select:
    """The key, below (how many stand at or below them), everybody (how many have a value): one row for each of the latter."""
    if isinstance(of, Event):
        measured = values(of, moment, columns)
    else:
        value = columns.own(of.name) if of.own else columns.attribute(of.name, of.kind)
        known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
        whose = column("profile", columns.key)
        measured = exp.select(whose, exp.alias_(value, "value", quoted=True)).from_("profile").where(known, copy=False)
    value = column("measured", "value")
    order = exp.Order(expressions=[exp.Ordered(this=value.copy())])
    below = exp.Window(this=exp.Count(this=value.copy()), order=order)  # its frame ends with the last of the equal ones
    everybody = exp.Window(this=exp.Count(this=value.copy()))
    return exp.select(
        column("measured", columns.key),
        exp.alias_(below, "below", quoted=True),
        exp.alias_(everybody, "everybody", quoted=True),
    ).from_(measured.subquery("measured"))


def _inside(band: Band) -> exp.Expr:
    place = exp.Mul(this=_BELOW.copy(), expression=exp.Literal.number(100 * _FINE))
    over, upto = (
        exp.Mul(this=_OF.copy(), expression=exp.Literal.number(_fine(edge))) for edge in (band.over, band.upto)
    )
    return exp.and_(exp.GT(this=place, expression=over), exp.LTE(this=place.copy(), expression=upto), copy=False)


def _fine(edge: Decimal) -> int:
    return int(edge * _FINE)


def scored(rfm: Rfm, moment: Moment, columns: Columns) -> list[exp.Select]:
    """One query of users for each score that is asked for; members are in all of them."""
    return [in_bands(event, score_bands(scores), moment, columns) for event, scores in score_events(rfm).values()]


def drawn(sample: Sample, columns: Columns, predicate: Callable[[Node], exp.Expr]) -> exp.Select:
    """The users of a sample: the smallest by draw, then by user."""
    found = exp.select(column("profile", columns.key)).from_("profile")
    if sample.of is not None:
        found = found.where(predicate(sample.of), copy=False)
    draw = columns.tongue.draw(sample.salt, _USER.copy())
    order = [exp.Ordered(this=columns.tongue.by_code_point(key)) for key in (draw, _USER.copy())]
    return found.order_by(*order, copy=False).limit(sample.number, copy=False)
