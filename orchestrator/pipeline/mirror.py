"""Telling the audience engine what the ledger knows: messages, what became of them, and people's words, as events.

Every event carries an id made of what it tells and the time at which it happened, so telling it twice changes nothing:
whoever dies in here, or meets somebody else at the same work, just begins again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

import msgspec
import pyarrow as pa

from orchestrator.audience.mirroring import Place, mirror, place
from orchestrator.audience.store import Audience
from orchestrator.core.mirrors import CONSENT, GRANTED, Deed, consent_id, deed_id, message_event, sent_id
from orchestrator.core.nouns import delivery_id
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, mirrors
from orchestrator.ledger.mirrors import FIRST_PERSON, FIRST_SHARD, Due, Message, ShardKey, Word

MOST = 20_000
"""Events of one pass, about: more would keep readers of the audience out for longer, and take more memory."""

AT_ONCE = 10_000
"""Events handed to the engine together; as Python's values they take five times the room that they take as columns."""

Topics = Callable[[Ledger, str, str], str]
"""The topic of a campaign as a version of the files has it: (ledger, version, campaign); empty without one."""
_Event = tuple[str, str, Instant, str, str]
_File = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What a pass did: events that were new to the engine, and whether there may be more to do at once."""

    events: int
    more: bool


class Mirrors:
    """One ledger's mirror in one audience file, as one process keeps it."""

    def __init__(self, topics: Topics, most: int = MOST) -> None:
        self._topics = topics
        self._most = most
        self._whole: tuple[Path, _File] | None = None
        """The file that is known to have had everything once, as it was left: one that looks otherwise is asked again."""

    def once(self, ledger: Ledger, opened: Callable[[], Audience]) -> Mirrored | None:
        """One pass, None if there was nothing to tell. While nothing is new, the audience is left to others."""
        entries = mirrors.due(ledger.store, self._most)
        if not entries and self._whole is not None and _file(self._whole[0]) == self._whole[1]:
            return None
        audience = opened()
        name, told = mirrors.name(ledger.store), mirrors.told(ledger.store)
        was = place(audience, name)
        at = was if was is not None and was.passes >= told else _beginning(told)
        step = self._next(ledger, entries, at)
        becomes = replace(step.at, passes=at.passes + 1)
        fresh = 0
        if step.events or replace(becomes, passes=at.passes) != was:
            if not step.events and was is None and not audience.path.exists():
                return None  # nobody has said anything yet: no reason to make a file
            written = mirror(audience, name, was, becomes, step.events)
            if written is None:
                return Mirrored(0, more=True)
            fresh = written
        else:
            becomes = at
        if entries:
            mirrors.done(ledger.store, entries, becomes.passes)
        file = _file(audience.path)
        self._whole = None if becomes.walking or file is None else (audience.path, file)
        return Mirrored(fresh, more=becomes.walking or bool(entries)) if entries or at.walking else None

    def forget(self, ledger: Ledger) -> None:
        """Let go of what waits to be told where nobody can be told; an audience of our own would be told all from the beginning."""
        if entries := mirrors.due(ledger.store, self._most):
            mirrors.done(ledger.store, entries, mirrors.told(ledger.store) + 1)

    def _next(self, ledger: Ledger, entries: Sequence[Due], at: Place) -> "_Step":
        """What the queue asks for, and the next piece of the walk if it is not over."""
        shards = [ShardKey(one.run, one.number) for one in entries if one.run]
        people = [one.user for one in entries if not one.run]
        room = self._most - len(shards) * mirrors.WEIGHT - len(people)
        if at.run is not None and room > 0:
            most = max(1, room // mirrors.WEIGHT)
            more = mirrors.shards_after(ledger.store, ShardKey(at.run, at.number), most)
            end = more[-1] if len(more) == most else ShardKey(0, 0)
            at = replace(at, run=end.run or None, number=end.number)
            shards += more
        elif at.user is not None and room > 0:
            found = mirrors.people_after(ledger.store, at.user, room)
            at = replace(at, user=found[-1] if len(found) == room else None)
            people += found
        return _Step(at, _tables(self._events(ledger, dict.fromkeys(shards), list(dict.fromkeys(people)))))

    def _events(self, ledger: Ledger, shards: Iterable[ShardKey], people: Sequence[str]) -> Iterator[list[_Event]]:
        """What the engine is told of these shards and people, a shard or some people at a time."""
        for shard in shards:
            yield [self._of_message(ledger, one) for one in mirrors.sent_in(ledger.store, shard)]
        everybody = iter(people)
        while some := list(islice(everybody, mirrors.WEIGHT)):
            yield [self._of_message(ledger, one) for one in mirrors.deeds_of(ledger.store, some)]
            yield [_of_word(one) for one in mirrors.words_of(ledger.store, some)]

    def _of_message(self, ledger: Ledger, message: Message) -> _Event:
        key = message.key
        delivery = delivery_id(message.campaign, message.occurrence, key)
        deed = Deed(message.deed) if message.deed else Deed.SENT
        identity = deed_id(delivery, deed, message.at) if message.deed else sent_id(delivery)
        topic = self._topics(ledger, message.version, message.campaign)
        said = _said(message.campaign, message.variant, key.channel, message.segment, topic, key.step)
        return key.user, message_event(deed), message.at, identity, said


@dataclass(frozen=True, slots=True)
class _Step:
    at: Place
    events: list[pa.Table]


def _beginning(told: int) -> Place:
    return Place(told, *FIRST_SHARD, FIRST_PERSON)


def _file(path: Path) -> _File | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


@lru_cache(maxsize=4096)
def _said(campaign: str, variant: str, channel: str, segment: str, topic: str, step: int) -> str:
    """The properties of an event of a message; what it does not have is left out."""
    texts = {"campaign": campaign, "variant": variant, "channel": str(channel), "segment": segment, "topic": topic}
    return msgspec.json.encode({**{key: text for key, text in texts.items() if text}, "step": step}).decode()


def _of_word(word: Word) -> _Event:
    said = _agreed(word.channel, word.topic, word.granted)
    return word.user, CONSENT, word.at, consent_id(word.user, word.channel, word.topic, word.at), said


@lru_cache(maxsize=1024)
def _agreed(channel: str, topic: str, granted: bool) -> str:
    return msgspec.json.encode({"channel": channel, "topic": topic, GRANTED: granted}).decode()


_COLUMNS = {
    "user": pa.string(), "name": pa.string(), "time": pa.int64(), "message_id": pa.string(), "properties": pa.string()
}  # fmt: skip


def _tables(pieces: Iterable[list[_Event]]) -> list[pa.Table]:
    """Pieces of some 10,000 events as columns, each in time order."""
    tables, gathered = list[pa.Table](), list[_Event]()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= AT_ONCE:
            tables.append(_table(gathered))
            gathered = []
    return [*tables, _table(gathered)] if gathered else tables


def _table(events: Sequence[_Event]) -> pa.Table:
    columns = zip(*sorted(events, key=lambda event: (event[2], event[3])), strict=True)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, _COLUMNS.values(), strict=True)]
    return pa.table(dict(zip(_COLUMNS, arrays, strict=True)))
