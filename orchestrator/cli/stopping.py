"""Signals that stop a verb which works: the first sets an event, and the work ends in order."""

import asyncio
import signal

from orchestrator.cli.desk import CTRL_C, TERMINATED

STOPS = {signal.SIGINT: (CTRL_C, "ctrl-c"), signal.SIGTERM: (TERMINATED, "SIGTERM")}
"""What stops the work: its exit code, and the reason the paused run is given."""


def stop_when_told(stopping: asyncio.Event) -> list[signal.Signals]:
    """Set the event at the first signal to stop; the list will hold the signals that came."""
    came: list[signal.Signals] = []

    def stop(by: signal.Signals) -> None:
        came.append(by)
        stopping.set()

    for by in STOPS:
        asyncio.get_running_loop().add_signal_handler(by, stop, by)
    return came
