"""Messages before and after a change of the files, written for one example person each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator import app
from orchestrator.cli.desk import USAGE, fail
from orchestrator.cli.message_lines import Written, compared
from orchestrator.cli.occasions import Occasion
from orchestrator.core.assignment import addresses_of, assign
from orchestrator.core.nouns import (
    Address,
    Channel,
    DeliveryKey,
    Person,
    delivery_id,
)
from orchestrator.pipeline import Casting, Forecast, Letter, Prepared, coupons_of

MOST = 200
"""Example people at most: one for each message there is, in every language somebody speaks."""


@dataclass(slots=True)
class Versions:
    """A campaign's templates before and after, and who is to be the example; None: the first who is reached."""

    campaign: str
    user: str | None = None
    before: Prepared | None = None
    after: Prepared | None = None


@dataclass(frozen=True, slots=True)
class MessageChange:
    """One message for one person with the templates of before and after; None: there was none, or there is none any more."""

    channel: Channel
    segment: str
    variant: str
    locale: str
    user: str
    before: Written
    after: Written


def changed_messages(
    opened: app.Opened, versions: Versions, found: Forecast | None, occasion: Occasion
) -> list[MessageChange]:
    """The messages that say something else than before, each with one person's data."""
    if versions.after is None or found is None:
        return []
    places = _examples(versions, found)
    changes: list[MessageChange] = []
    seen: set[Any] = set()
    for person in _people(opened, versions, sorted({user for user, _ in places}), occasion):
        for channel in versions.after.campaign.channels:
            if versions.user is None and (person.user, channel) not in places:
                continue
            names = tuple(_cell(side, person, channel) for side in (versions.before, versions.after))
            if names in seen:
                continue
            seen.add(names)
            before = _written(versions.before, person, channel, occasion)
            after = _written(versions.after, person, channel, occasion)
            if before != after:
                place = (channel, person.segment, person.variant, person.locale, person.user)
                changes.append(MessageChange(*place, before, after))
    order = list(versions.after.campaign.channels)
    return sorted(changes, key=lambda it: (it.segment, order.index(it.channel), it.variant, it.locale))


def _examples(versions: Versions, found: Forecast) -> set[tuple[str, Channel]]:
    """Who stands for which message: somebody who gets it, else anybody in the audience."""
    if versions.user is not None and versions.after is not None:
        return {(versions.user, channel) for channel in versions.after.campaign.channels}
    chosen = {**found.others, **found.cells}
    return {(user, place[1]) for place, user in list(chosen.items())[:MOST]}


def _people(opened: app.Opened, versions: Versions, users: Sequence[str], occasion: Occasion) -> Iterator[Person]:
    """These people with all that the templates of either version read."""
    if versions.after is None or not users:
        return
    campaign, touched = versions.after.campaign, versions.after.letters.touched()
    if versions.before is not None:
        touched |= versions.before.letters.touched()
    casting = Casting(app.audience(opened), opened.project, campaign, occasion.at, touched, among=users)
    try:
        people = list(casting)
    finally:
        casting.close()
    if versions.user is not None and not people:
        fail(f"{versions.user} is not in the audience of {campaign.name}, so no example of its messages", USAGE)
    coupons = coupons_of(opened.project, versions.after.letters)
    for person in people:
        variant, _ = assign(campaign, person.user)
        yield coupons.sample(replace(person, variant=variant), occasion.at)


def _cell(side: Prepared | None, person: Person, channel: Channel) -> Any:
    reads = side.letters.reads(person, channel) if side is not None else None
    return channel, None if reads is None else reads.name


def _written(side: Prepared | None, person: Person, channel: Channel, occasion: Occasion) -> Written:
    """A person's message as one version's templates write it; None where that version has none for them."""
    if side is None or channel not in side.campaign.channels or side.letters.reads(person, channel) is None:
        return None
    key = DeliveryKey(0, person.user, channel)
    address = next(iter(addresses_of(person, channel)), Address(""))
    letter = Letter(person, key, delivery_id(side.campaign.name, "preview", key), address, occasion.at)
    return next(iter(side.letters.render([letter])), None)


def difference(change: MessageChange) -> list[str]:
    """What both say, the lines that differ marked."""
    return compared(change.before, change.after)
