"""Which provider takes a message: the first of its route that is up, the next where one stands still or is out of reach."""

from collections.abc import Mapping, Sequence

from orchestrator.core.devices import carriers
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.times import Instant
from orchestrator.core.turns import Ready
from orchestrator.dispatch.jobs import Job, Outgoing
from orchestrator.dispatch.lanes import Lane


class Routes:
    """The routes of one shard's channels, and which of their providers stand still."""

    def __init__(self, lanes: Mapping[str, Lane], job: Job) -> None:
        self._lanes = lanes
        self._by_platform = job.by_platform
        self._routes = {
            channel: [lanes[name] for name in names if name in lanes] for channel, names in job.routes.items()
        }
        self._parked: dict[str, tuple[Instant, str]] = {}
        """Providers that stand still for long with nobody in their place: until when, and which pause it is."""

    @property
    def window(self) -> int:
        """How many messages may be in the air: as many as the narrowest of the providers allows."""
        return min((lane.declaration.window for route in self._routes.values() for lane in route), default=128)

    @property
    def all_parked(self) -> bool:
        """Whether no provider of any channel is left."""
        return all(lane.name in self._parked for route in self._routes.values() for lane in route)

    def parked(self, provider: str) -> bool:
        """Whether nothing is offered to a provider any more."""
        return provider in self._parked

    def first(self, item: Outgoing, now: Instant) -> Lane:
        """The first provider of the message's route that is not known to be down; one that was out of reach comes last."""
        message = item.message
        route = self._of(message.key.channel, message.address)
        if item.unsent:
            after = 1 + next((place for place, lane in enumerate(route) if lane.name == item.provider), -1)
            route = [*route[after:], *route[:after]]
        for lane in route:
            if lane.down_until <= now:
                return lane
        return route[0]

    def elsewhere(self, waiting: Sequence[Ready], now: Instant) -> bool:
        """Whether another provider of the same route could take them."""
        return not any(ready.doubtful and ready.again_until is not None for ready in waiting) and any(
            lane.down_until <= now
            for lane in self._of(waiting[0].key.channel, waiting[0].address)
            if lane.name != waiting[0].provider
        )

    def park(self, ready: Ready, until: Instant, paused: str, now: Instant) -> tuple[Instant, str]:
        """Put aside the providers of this message, all of which stand still; when what waits goes on, and which pause it waits for.

        That is whatever ends first: what stopped this message (`paused`, if it is a pause), or the pause of another of its route.
        """
        waits = [(until, paused)]
        route = self._of(ready.key.channel, ready.address)
        down = [lane.name for lane in route if lane.down_until > now]
        for lane in route:
            if now < lane.back_at < until:
                lane.down_until = now  # the first to be asked then, or earlier if somebody resumes it
                waits.append((lane.back_at, f"provider:{lane.name}"))
        self._parked.update(dict.fromkeys(down, min(waits)))
        return min(self._parked.values())

    def _of(self, channel: Channel, address: Address) -> Sequence[Lane]:
        """The providers that can carry a message to this address."""
        if channel is not Channel.PUSH or not self._by_platform:
            return self._routes[channel]
        return [self._lanes[name] for name in carriers(self._by_platform, address) if name in self._lanes]
