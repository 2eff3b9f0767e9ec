"""About how long sending takes: by what the campaign and the providers allow, and by how fast it went lately."""

from collections.abc import Mapping

from orchestrator.config import Deliver, Project
from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Channel
from orchestrator.providers import registry


def seconds_to_send(
    project: Project, campaign: Campaign, messages: Mapping[Channel, int], lately: float | None
) -> float | None:
    """Seconds, for so many messages by channel; `lately` is a rate in messages a second. None if nothing is known of any rate."""
    total = sum(messages.values())
    rates = [rate for rate in (lately, campaign.policy.throttle and campaign.policy.throttle / 60) if rate]
    lengths = [total / rate for rate in rates]
    for channel, many in messages.items():
        rate = _rate(project, campaign, channel)
        if rate:
            lengths.append(many / rate)
    return max(lengths) if lengths else None


def _rate(project: Project, campaign: Campaign, channel: Channel) -> float | None:
    """What the first provider of a channel takes a second; None where nothing is set, or nothing leaves the machine."""
    route = campaign.routes.get(channel, ())
    known = project.settings.providers.get(route[0]) if route else None
    if known is None or project.environment.deliver is Deliver.SINK:
        return None
    return known.per_second or registry.provider(known.adapter).declaration.rate
