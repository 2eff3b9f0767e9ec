"""The daemon's processes end with it, whatever they are about to do."""

import asyncio

from orchestrator.daemon.children import Children
from orchestrator.wire.clock import WallClock

FOR_EVER = ["timeit", "-n", "1", "-r", "1", "import time; time.sleep(600)"]


async def test_a_process_that_is_born_while_the_daemon_stops_ends_too():
    children, stopping = Children(WallClock()), asyncio.Event()
    keeping = asyncio.create_task(children.keep(lambda: FOR_EVER, stopping))
    await asyncio.sleep(0)  # it has begun, and nothing is born yet
    assert [child.process for child in children.kept] == [None]
    stopping.set()
    await children.stop()
    await asyncio.wait_for(keeping, 60)
    assert children.kept[0].process.returncode is not None
