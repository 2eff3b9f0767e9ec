"""Serving from the first look at the files to the end: what must happen before there are threads, a loop or a port."""

import os

import uvloop

from orchestrator import app
from orchestrator.checking import refuse_broken_templates
from orchestrator.daemon import memory
from orchestrator.daemon.nursery import Nursery
from orchestrator.daemon.supervisor import Serving, Supervisor
from orchestrator.logs import Log, set_up
from orchestrator.web.face import listen
from orchestrator.wire.clock import WallClock

log = Log("daemon")


def run(serving: Serving) -> int:
    """Serve until told to stop; 0 in good order, 1 if it cannot serve."""
    set_up()
    memory.spare()
    opened = app.open_project(serving.root, serving.environment, sending=True)
    refuse_broken_templates(opened.project, opened.files)
    os.environ[app.LEDGER] = opened.project.environment.stores.ledger.resolve(opened.secrets)
    app.load_engines()
    # Forked before this process has threads, a loop, or a database whose locks a fork would share.
    nursery = Nursery(("orchestrator.worker", "orchestrator.planner"))
    clock = WallClock()
    lock = opened.ledger()
    try:
        holder = lock.only_supervisor()
        if holder:
            log.trouble("daemon.refused", why="another supervisor has this ledger", holder=holder)
            return 3
        app.refuse_other_audience(opened)
        # After the fork, so that no child keeps the port open; before any worker, so that none starts for nothing.
        doors = listen(serving.host, serving.port)

        async def inside() -> int:
            try:
                return await Supervisor(serving, opened, clock, nursery, doors).run()
            finally:
                nursery.close()

        return uvloop.run(inside())
    finally:
        lock.close()
