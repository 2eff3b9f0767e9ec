"""What a run's bundle gives the corridor to work with: its campaign, and its templates as letters are written from them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.campaigns import Campaign
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Address, Channel, Content, DeliveryKey, Person, State
from orchestrator.core.times import Instant
from orchestrator.rendering import Reads


@value(frozen=True, slots=True)
class Letter:
    """One message to render: for whom, on which channel, as of when, under which delivery id."""

    person: Person
    key: DeliveryKey
    id: str
    address: Address
    judged_at: Instant


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Why a letter could not be rendered: a state to leave the row in, a reason and a place."""

    state: State
    reason: str
    detail: str


class Letters(Protocol):
    """A campaign's compiled templates."""

    def render(self, letters: Iterable[Letter], weight: int | None = None) -> Iterator[Content | Unwritten]:
        """One answer for each letter, in order, rendered only as they are asked for.

        `weight`: bytes that nothing known of a person is longer than, where somebody has weighed it.
        """
        ...

    def touched(self) -> frozenset[tuple[str, ...]]:
        """The paths of data the templates may read."""
        ...

    def reads(self, person: Person, channel: Channel) -> Reads | None:
        """What this person's message on a channel reads; None if there is none to write."""
        ...

    def pools(self) -> frozenset[str]:
        """The pools of coupons the templates take codes from."""
        ...

    def pools_of(self, person: Person) -> frozenset[str]:
        """The pools this person's messages take a code from."""
        ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run's bundle says of its campaign, ready to work with; kept for as long as the bundle is in use."""

    campaign: Campaign
    letters: Letters
    halted: Callable[[int], str] = lambda _run: ""
    """Why a run (by number) must stand still until a person has looked; empty if it may go on."""
