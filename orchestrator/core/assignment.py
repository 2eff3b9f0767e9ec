"""What is laid down for a person before anybody judges: their rows, their addresses, their variant, the step of the ramp."""

from functools import lru_cache

from orchestrator.core.campaigns import Campaign
from orchestrator.core.draw import pick, share
from orchestrator.core.facts import RowFacts
from orchestrator.core.nouns import Address, Channel, Person, State
from orchestrator.core.times import NEVER, Instant

# Enumeration members are read once: every row of a run asks for them.
_PLANNED = State.PLANNED
_PUSH, _IN_APP, _WEBHOOK = Channel.PUSH, Channel.IN_APP, Channel.WEBHOOK


def planned_rows(campaign: Campaign, person: Person, step: int = 0) -> tuple[RowFacts, ...]:
    """The rows a plan writes for a member, as the judge sees them."""
    if campaign.devices != "all":
        return _planned_each(campaign.channels, step)
    return tuple(RowFacts(channel, step, slot, _PLANNED) for channel, slot in places(campaign, person))


def places(campaign: Campaign, person: Person) -> tuple[tuple[Channel, int], ...]:
    """A member's rows by channel and slot: one for each channel; for push to all devices, one for each of them."""
    if campaign.devices != "all":
        return _one_each(campaign.channels)
    return tuple((channel, slot) for channel in campaign.channels for slot in range(_slots(person, channel)))


@lru_cache(maxsize=64)
def _planned_each(channels: tuple[Channel, ...], step: int) -> tuple[RowFacts, ...]:
    return tuple(RowFacts(channel, step, 0, _PLANNED) for channel in channels)


@lru_cache(maxsize=64)
def _one_each(channels: tuple[Channel, ...]) -> tuple[tuple[Channel, int], ...]:
    return tuple((channel, 0) for channel in channels)


def addresses_of(person: Person, channel: Channel) -> tuple[Address, ...]:
    """A person's addresses, the one seen last first: a row's slot is the place in this order.

    Our own inbox and the customer's endpoint know people by their user id.
    """
    if channel in {_IN_APP, _WEBHOOK}:
        return (Address(person.user),)
    found = person.addresses.get(channel, ())
    return found if len(found) < 2 else tuple(sorted(found, key=lambda address: (-address.seen_at, address.value)))


def assign(campaign: Campaign, user: str) -> tuple[str, bool]:
    """(variant, holdout) of a user, stable under the experiment's salt (else the campaign's name).

    The two draws know nothing of each other: a member of the holdout has the variant it would have got.
    """
    experiment = campaign.experiment
    if experiment is None:
        return "", False
    salted = salt(campaign)
    variant = pick(f"{salted}:variant", user, experiment.variants) if experiment.variants else ""
    return variant, share(f"{salted}:holdout", user, experiment.holdout)


def ramp_at(campaign: Campaign, began: Instant, now: Instant) -> tuple[float, Instant]:
    """How many percent of the people a campaign is open to, and when the next step lets in more (NEVER after the last).

    `began` is when its first run was due. After the last step its share stays until somebody changes the file.
    """
    steps = campaign.experiment.ramp if campaign.experiment else ()
    ends = began
    for percent, lasts in steps:
        ends = Instant(ends + lasts)
        if now < ends:
            return percent, (NEVER if (percent, lasts) == steps[-1] else ends)
    return (steps[-1][0] if steps else 100.0), NEVER


def _slots(person: Person, channel: Channel) -> int:
    return max(1, len(addresses_of(person, channel))) if channel == _PUSH else 1


def salt(campaign: Campaign) -> str:
    """What an experiment's draws are salted with: its own word, or the campaign's name."""
    return (campaign.experiment and campaign.experiment.salt) or campaign.name
