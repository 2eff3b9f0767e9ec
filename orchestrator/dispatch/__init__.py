"""Dispatch: hands messages to providers half a window at a time, and turns their answers into settlements."""

import asyncio
from collections.abc import Iterable, Mapping

from orchestrator.core.times import Clock
from orchestrator.dispatch.jobs import Item, Job, Outgoing
from orchestrator.dispatch.lanes import Engine, Lane, Tokens
from orchestrator.dispatch.turns import Dice, HalfTurn, Turns


class Dispatch:
    """The lanes of one process."""

    def __init__(self, lanes: Iterable[Lane], clock: Clock, dice: Dice) -> None:
        self.lanes: Mapping[str, Lane] = {lane.name: lane for lane in lanes}
        self.stopping = asyncio.Event()
        """Set it, and no further message is offered; those in the air are still settled."""
        self._clock = clock
        self._dice = dice

    def turns(self, items: Iterable[Item], job: Job) -> Turns:
        """The turns in which these items leave; iterate over it, handing each turn's permission to `go`."""
        return Turns(self.lanes, items, job, self._clock, self._dice, self.stopping)

    async def close(self) -> None:
        """Close every lane."""
        for lane in self.lanes.values():
            await lane.close()


__all__ = ["Dice", "Dispatch", "Engine", "HalfTurn", "Item", "Job", "Lane", "Outgoing", "Tokens", "Turns"]
