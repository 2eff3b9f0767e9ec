"""How many are in each of many segments: those that measure events of the same names are counted in one question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from orchestrator.audience.compiling import lists, predicate
from orchestrator.audience.grouping import Passes, alone, measured
from orchestrator.audience.questions import Questions, how_many
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import Event

NAMES = 8
"""Names of events in one question: each is a table of everybody who did it, which the engine holds."""
SEGMENTS = 250
"""Segments in one question, each of which is a column of the answer; PostgreSQL has some 1,600."""

Note = Callable[[int, int], None]
"""Hears how many segments are counted by now, and of how many."""


@dataclass(slots=True)
class _Group:
    """Segments that are counted together, and the names of the events they measure."""

    segments: dict[str, Segment] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    conditions: list[Event] = field(default_factory=list)

    def takes(self, names: set[str]) -> bool:
        """Whether there is room for one more that measures events of these names."""
        return not self.segments or (len(self.segments) < SEGMENTS and len(self.names | names) <= NAMES)


def counts(questions: Questions, segments: Mapping[str, Segment], note: Note = lambda *_: None) -> dict[str, int]:
    """How many members each has, as each alone would be counted; `note` hears of every step."""
    moment = questions.moment
    found: dict[str, int] = {}
    own = {name: segment for name, segment in segments.items() if alone(segment, moment)}
    for group in _groups({name: one for name, one in segments.items() if name not in own}, moment):
        note(len(found), len(segments))
        found |= _together(questions, group)
    for name, segment in own.items():
        note(len(found), len(segments))
        found[name] = questions.count(segment)
    note(len(found), len(segments))
    return {name: found[name] for name in segments}


def _groups(segments: Mapping[str, Segment], moment: Moment) -> Sequence[_Group]:
    """Each segment in the first group that has room; those of the same names come together."""
    taken = {name: measured(segment, moment) for name, segment in segments.items()}
    groups: list[_Group] = []
    for name in sorted(segments, key=lambda one: sorted({condition.name for condition in taken[one]})):
        names = {condition.name for condition in taken[name]}
        group = next((one for one in groups if one.takes(names)), None)
        if group is None:
            groups.append(group := _Group())
        group.segments[name] = segments[name]
        group.names |= names
        group.conditions += taken[name]
    return groups


def _together(questions: Questions, group: _Group) -> dict[str, int]:
    moment, columns = questions.moment, questions.columns
    passes = Passes(group.conditions, moment, columns)
    held = [predicate(one.root, moment, columns, measured=passes.test) for one in group.segments.values()]
    query = exp.select(*(how_many(one, f"n{place}") for place, one in enumerate(held))).from_("profile")
    needed = dict.fromkeys(name for segment in group.segments.values() for name in lists(segment, moment))
    [row] = questions.ask(passes.joined(query), tuple(needed))
    return {name: int(many) for name, many in zip(group.segments, row, strict=True)}
