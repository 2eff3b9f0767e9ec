"""Whose message filled a cap: what a plan says beside the people who get nothing for it."""

from collections.abc import Iterable

from orchestrator.core.campaigns import Campaign
from orchestrator.core.facts import Touch
from orchestrator.core.nouns import Channel
from orchestrator.core.phrases import say_cap
from orchestrator.core.times import Instant


def capped_by(campaign: Campaign, channel: Channel, cap: str, touches: Iterable[Touch], now: Instant) -> str:
    """The campaign of the newest message that counts for a cap (in its own words) on this channel.

    The campaign itself, if nothing but its own other channels fill it.
    """
    for known in campaign.policy.caps:
        if say_cap(known) == cap and known.channel in {None, channel}:
            counted = [it for it in touches if known.channel in {None, it.channel} and it.at > now - known.within]
            return max(counted, key=lambda it: it.at).campaign if counted else campaign.name
    return campaign.name
