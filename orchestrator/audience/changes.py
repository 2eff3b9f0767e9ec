"""How a segment changes when the files do: how many were in it and are, who came and who went, in one question."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from orchestrator.audience.compiling import lists, predicate
from orchestrator.audience.questions import how_many
from orchestrator.audience.reader import Reader
from orchestrator.audience.tongue import column
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import All, AnyOf, Listed, Node, Not, Sample


@dataclass(frozen=True, slots=True)
class Version:
    """A segment as one version of the files has it, None if it has none; and the moment with its other segments."""

    segment: Segment | None
    moment: Moment


@dataclass(frozen=True, slots=True)
class Change:
    """How many people were in it and are now; how many came in and went out."""

    before: int
    after: int
    entered: int
    left: int


def change(reader: Reader, before: Version, after: Version) -> Change:
    """Ask about one segment, or audience, in both versions at once."""
    inner = exp.select(_flag(before, "before", reader), _flag(after, "after", reader)).from_("profile")
    was, is_ = column("flags", "before"), column("flags", "after")
    query = exp.select(
        how_many(was.copy(), "n_before"),
        how_many(is_.copy(), "n_after"),
        how_many(exp.and_(is_.copy(), exp.Not(this=was.copy())), "n_entered"),
        how_many(exp.and_(was.copy(), exp.Not(this=is_.copy())), "n_left"),
    ).from_(inner.subquery("flags"))
    needed = [name for one in (before, after) if one.segment for name in lists(one.segment, one.moment)]
    [row] = reader.ask(query, tuple(dict.fromkeys(needed)))
    return Change(*(int(many) for many in row))


def relisted(segment: Segment, names: Mapping[str, str]) -> Segment:
    """The same segment with lists of other names."""
    return replace(segment, root=_relisted(segment.root, names))


def _relisted(node: Node, names: Mapping[str, str]) -> Node:
    match node:
        case All(parts) | AnyOf(parts):
            return replace(node, parts=tuple(_relisted(part, names) for part in parts))
        case Not(part):
            return Not(_relisted(part, names))
        case Sample(of=of) if of is not None:
            return replace(node, of=_relisted(of, names))
        case Listed(name):
            return Listed(names.get(name, name))
        case _:
            return node


def _flag(version: Version, name: str, reader: Reader) -> exp.Expr:
    if version.segment is None:
        return exp.alias_(exp.false(), name, quoted=True)
    held = exp.paren(predicate(version.segment.root, version.moment, reader.columns), copy=False)
    return exp.alias_(exp.Coalesce(this=held, expressions=[exp.false()]), name, quoted=True)
