"""Messages tried out before anybody is written to: what fails for whomever one makes up fails for everybody.

Only what is certain is a mistake. A message that can be written for some made-up person is well, whatever happens to others;
one that lacks data is nobody's mistake.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zlib import crc32

from orchestrator.core.errors import Mistake
from orchestrator.core.nouns import CODES, Address, Person, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, Instant
from orchestrator.rendering.child import RenderChild
from orchestrator.rendering.lookup import Cell
from orchestrator.rendering.rendering import Compiled, Refusal, RenderRequest
from orchestrator.rendering.scripts import Path
from orchestrator.rendering.writing import Limits

NOW = Instant(20_500 * DAY)
"""A moment in 2026: a trial says the same on every day."""
MANY = 300
"""So many people are made up for a message that fails for the first of them."""
_FATAL = 3
"""After so many messages that never ended nothing more is tried: each costs its whole time."""

_ANYTHING = "anything"
TEXTS = ("Ada", "12", "2026-03-02", "EUR", "Europe/Vienna", "de", "https://shop.example/a", "d MMMM")
_VALUES: Mapping[str, Sequence[Any]] = {
    "text": TEXTS,
    "number": (3, 1, 0, 2.5, 1000, -1),
    "boolean": (True, False),
    "date": ("2026-03-02", "2020-12-31"),
    "time": ("2026-01-10T12:00:00Z", "2020-12-31T23:59:59Z"),
    "version": ("2.10.1", "1"),
    "email": ("ada@shop.example",),
    "phone": ("+431234567",),
    "url": ("https://shop.example/a",),
    "list": (["a", "b"], [], ["12"]),
    _ANYTHING: (*TEXTS, 3, 0, 2.5, True, ["a", "b"]),
}
"""What a made-up person has, by the kind of the attribute; the typical one has the first."""
_KINDS = {
    "firstOccurrenceOf": "time", "lastOccurrenceOf": "time", "occurrencesOf": "number", "valueOf": "number",
    "lifetimeValue": "number", "numPriorSessions": "number", "minutesSpentInApp": "number", "firstRun": "time",
    "lastActive": "time",
}  # fmt: skip
_PLACE = re.compile(r"(?P<text>.*) \((?P<file>templates/[^()]*?)(?::(?P<line>\d+))?\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Values:
    """Of what kind the values of a path are (`text`, `number`, …), and the only ones there are, if they are few."""

    word: str
    values: Sequence[Any] = ()


Kinds = Mapping[Path, Values]
"""What the values of a template's paths may be, as far as that is declared."""


def tried(campaigns: Sequence[tuple[Compiled, Kinds]], limits: Limits | None = None) -> tuple[Mistake, ...]:
    """What goes wrong with the messages of these campaigns whoever gets them, held against the kinds of declared values.

    Each message is written for a typical person and for one of whom nothing is known, in a process of its own.
    """
    found: dict[Mistake, None] = {}
    fatal = 0
    cells = [(compiled, kinds, cell) for compiled, kinds in campaigns for cell in compiled.forms]
    if not cells:
        return ()
    with RenderChild(*(compiled for compiled, _ in campaigns), limits=limits) as child:
        for compiled, kinds, cell in cells:
            always = _always(compiled, child, cell, kinds)
            unknown = always or _one(compiled, child, _request(compiled, cell, {}))
            if unknown is not None:
                whom = "" if always else " for somebody of whom nothing is known"
                found[_mistake(compiled, cell, unknown, whom)] = None
                fatal += unknown.fatal
            if fatal >= _FATAL:
                break
    return tuple(found)


def _always(compiled: Compiled, child: RenderChild, cell: Cell, kinds: Kinds) -> Refusal | None:
    """Why a message fails for everybody who can be made up; None if it does not, or if that is not certain."""
    people = (_request(compiled, cell, _made_up(compiled, cell, kinds, number)) for number in range(MANY))
    first = _one(compiled, child, next(people))
    if first is None or first.reason is not Reason.TEMPLATE_ERROR:
        return first
    others = child.render_many(compiled, people)
    try:
        certain = all(isinstance(it, Refusal) and it.reason is Reason.TEMPLATE_ERROR for it in others)
    finally:
        others.close()  # so that the child is left in order
    return first if certain else None


def _one(compiled: Compiled, child: RenderChild, request: RenderRequest) -> Refusal | None:
    """Why one message cannot be written, if that is the template's mistake."""
    (answer,) = islice(child.render_many(compiled, [request]), 1)
    return answer if isinstance(answer, Refusal) and answer.state is not State.SKIPPED else None


def _request(compiled: Compiled, cell: Cell, values: Mapping[str, Any]) -> RenderRequest:
    if values:
        expires = "2026-12-31T12:00:00Z"
        values = {**values, CODES: {pool: {"code": "C0DE", "expires": expires} for pool in compiled.coupons()}}
    person = Person("ada", cell.segment, "", cell.locale, cell.variant, attributes=values)
    extras: dict[str, Any] = {"unsubscribe_url": "https://shop.example/u/0"}
    return RenderRequest(person, cell.channel, NOW, "0" * 32, Address("ada@shop.example"), extras)


def _made_up(compiled: Compiled, cell: Cell, kinds: Kinds, number: int) -> dict[str, Any]:
    """A person with everything a message reads; number 0 is the typical one."""
    script = compiled.forms[cell].script
    return made_up({path for path, _ in script.paths} if script is not None else (), kinds, number)


def made_up(paths: Iterable[Path], kinds: Kinds, number: int) -> dict[str, Any]:
    """Values for all of these paths; number 0 is the typical person."""
    values: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):
        known = kinds.get(path) or Values(_KINDS.get(path[0], _ANYTHING))
        choice = known.values or _VALUES.get(known.word, _VALUES[_ANYTHING])
        at = crc32(repr((number, path)).encode()) % len(choice) if number else 0
        inside = values
        for step in path[:-1]:
            inside = inside.setdefault(step, {})
        inside.setdefault(path[-1], choice[at])
    return values


def _mistake(compiled: Compiled, cell: Cell, answer: Refusal, whom: str) -> Mistake:
    """What people are told; the place is in the words of the refusal."""
    said = _PLACE.fullmatch(answer.detail)
    file, line = (said["file"], int(said["line"] or 0)) if said else (compiled.shelf.chain(cell)[-1].path, 0)
    text = said["text"] if said else answer.detail
    column = 1 if line else 0
    if answer.reason is Reason.TEMPLATE_TOO_SLOW:
        return Mistake(file, line, column, f"the message {text}{whom}", "let its loops end sooner")
    return Mistake(file, line, column, f"the message cannot be written{whom}: {text}")
