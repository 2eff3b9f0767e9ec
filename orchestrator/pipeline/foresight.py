"""Whose messages could not be written: foreseen for a whole audience from a few messages of each kind, which are written.

A message lacks data where the person does. So people of one message are alike if they have, lack, or have as nothing (0, an
empty text) the same of what it reads. The first of those alike have theirs written; where all of these end the same way, so
do the others. Everybody's is written where they end differently, and where a template decides by values what it needs.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Address, Channel, DeliveryKey, Person, delivery_id
from orchestrator.core.times import Instant
from orchestrator.pipeline.coupons import Coupons
from orchestrator.pipeline.prepared import Letter, Letters, Unwritten
from orchestrator.rendering import Reads

SAMPLES = 16
"""Messages written of people who are alike before the others are taken to end the same way."""
MOST = 20_000
"""Messages written for one plan at most, unless everybody's is asked for."""

_LACKS, _NOTHING, _HAS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that would be written: whose, on which channel and device, as of when."""

    person: Person
    channel: Channel
    slot: int
    at: Instant


@dataclass(slots=True)
class _Alike:
    """People of one message who have and lack the same: how many of theirs were written, and how these ended."""

    by_value: bool = False
    written: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: Unwritten | None = None


class Foresight:
    """Writes a few messages and says of every other whether it could be."""

    def __init__(
        self,
        campaign: Campaign,
        letters: Letters,
        coupons: Coupons,
        *,
        unasked: Collection[str] = (),
        everybody: bool = False,
    ) -> None:
        """`unasked` are sources of linked data nobody has asked: messages that read them are taken to be well.

        With `everybody`, every message is written.
        """
        self._campaign = campaign
        self._letters = letters
        self._coupons = coupons
        self._unasked = frozenset(unasked)
        self._everybody = everybody
        self._known: dict[tuple[Any, ...], _Alike] = {}
        self._reads: dict[tuple[str, Channel, str, str], Reads | None] = {}
        self.written = 0
        """Messages that were written."""
        self.taken = 0
        """Messages that were taken to end like those."""
        self.blind = 0
        """Messages of which nothing is known."""
        self.trouble = ""
        """Why nothing more could be written: a template that ends its writer."""

    def refused(self, drafts: Sequence[Draft]) -> dict[tuple[str, Channel, int], Unwritten]:
        """Of these messages those that could not be written, by user, channel and slot."""
        found: dict[tuple[str, Channel, int], Unwritten] = {}
        asked: list[tuple[Draft, _Alike]] = []
        others: list[tuple[Draft, _Alike]] = []
        for draft in drafts:
            alike = self._alike(draft)
            if alike is None:
                self.blind += 1
            elif self._wants(alike):
                alike.written += 1
                asked.append((draft, alike))
            else:
                others.append((draft, alike))
        self._write(asked, found)
        torn = [(draft, alike) for draft, alike in others if len(alike.ends) > 1]
        self._write(torn, found)
        for draft, alike in others:
            if len(alike.ends) == 1:
                self.taken += 1
                if alike.last is not None:
                    found[_name(draft)] = alike.last
            elif not alike.ends:
                self.blind += 1
        return found

    def _wants(self, alike: _Alike) -> bool:
        return self._everybody or alike.by_value or alike.written < SAMPLES or len(alike.ends) > 1

    def _alike(self, draft: Draft) -> _Alike | None:
        """The people this one is like; None if nothing can be foreseen for them."""
        person = draft.person
        place = (person.segment, draft.channel, person.variant, person.locale)
        if place not in self._reads:
            self._reads[place] = self._letters.reads(person, draft.channel)
        reads = self._reads[place]
        paths = () if reads is None else reads.paths
        if self._unasked and any(it[0] == "linkedData" and {*it[1:2]} <= self._unasked for it in paths):
            return None
        has = tuple(_state(person.attributes, path) for path in paths)
        name = place if reads is None else reads.name
        by_value = reads is not None and reads.by_value
        return self._known.setdefault((name, has, bool(person.locale), bool(person.zone)), _Alike(by_value))

    def _write(self, drafts: Sequence[tuple[Draft, _Alike]], found: dict[tuple[str, Channel, int], Unwritten]) -> None:
        """Write these, as far as any more are written, and note how each ended."""
        room = len(drafts) if self._everybody else max(0, MOST - self.written)
        wanted = [] if self.trouble else drafts[:room]
        answers = self._letters.render([self._letter(draft) for draft, _ in wanted]) if wanted else iter(())
        done = 0
        for (draft, alike), answer in zip(wanted, answers, strict=False):
            done += 1
            refusal = answer if isinstance(answer, Unwritten) else None
            alike.ends["" if refusal is None else refusal.reason, "" if refusal is None else refusal.detail] += 1
            alike.last = refusal
            if refusal is not None:
                found[_name(draft)] = refusal
        self.written += done
        self.blind += len(drafts) - done
        if done < len(wanted):
            self.trouble = "its messages take too long or too much memory to write; orchestrator check names them"

    def _letter(self, draft: Draft) -> Letter:
        person = self._coupons.sample(draft.person, draft.at) if self._coupons.pools else draft.person
        key = DeliveryKey(0, person.user, draft.channel, 0, draft.slot)
        return Letter(person, key, delivery_id(self._campaign.name, "plan", key), Address(""), draft.at)


def _name(draft: Draft) -> tuple[str, Channel, int]:
    return draft.person.user, draft.channel, draft.slot


def _state(attributes: Mapping[str, Any], path: Iterable[str]) -> int:
    """Whether a person has what stands at a path, has nothing of it, or lacks it."""
    root, *rest = path
    inside: Any = attributes.get(root)
    if inside is None:
        inside = (attributes.get("userAttribute") or {}).get(root)
    for key in rest:
        inside = inside.get(key) if isinstance(inside, Mapping) else None
    return _LACKS if inside is None else _HAS if inside else _NOTHING
