"""What takes long shows how far it is: a send by a live bar on a terminal and a line now and then elsewhere, the rest on a terminal."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.table import Table
from rich.text import Text

from orchestrator.cli.desk import Desk
from orchestrator.core.nouns import State
from orchestrator.core.times import SECOND, Clock, Instant
from orchestrator.core.turns import Mark, Permission
from orchestrator.dispatch import HalfTurn
from orchestrator.ledger import Run, Shard
from orchestrator.logs import fitted
from orchestrator.pipeline import Questions

Item = TypeVar("Item")

TELL_EVERY = 1000
"""After so many people the line of a wait is written anew."""

LINE_EVERY = 5 * SECOND
"""How often a line is written where there is no terminal to draw on."""

_COLUMNS = {State.HELD: "held", State.RETRY_WAIT: "held", State.ACCEPTED: "accepted", State.DELIVERED: "accepted"}
_UNDECIDED = frozenset({State.PLANNED, State.INTENT})
_LEFT = frozenset(
    {State.INTENT, State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.FAILED, State.UNKNOWN}
)
"""States of messages that were handed to a provider."""
_FAILED = frozenset({State.FAILED, State.RENDER_FAILED, State.UNKNOWN})


class Asking:
    """Says how asking the services of linked data goes, for as long as a plan takes; `told` is the newest by source."""

    def __init__(self, clock: Clock, *, quiet: bool, console: Console | None = None) -> None:
        self.told: dict[str, Questions] = {}
        self._clock = clock
        self._quiet = quiet
        self._console = console or Console(stderr=True, file=sys.stderr)
        self._said = clock.now()
        self._status: Status | None = None

    def __call__(self, questions: Questions) -> None:
        """So many were asked by now."""
        self.told[questions.source] = questions
        if self._quiet:
            return
        now = self._clock.now()
        if self._console.is_terminal:
            if self._status is None:
                self._status = self._console.status(self.line())
                self._status.start()
            self._status.update(self.line())
        elif now - self._said >= LINE_EVERY:
            self._said = now
            self._console.print(self.line(), highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Leave the terminal to others."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def line(self) -> str:
        """One plain line."""
        told = [
            f"{name} asked {one.asked:,}" + (f", {one.unanswered:,} without an answer" if one.unanswered else "")
            for name, one in self.told.items()
        ]
        return f" linked data   {' · '.join(told)}"


class Progress:
    """Counts what the corridor reports of one run: sent, accepted, held, failed, messages a second.

    What other runs had due, and is worked along with it, is counted apart.
    """

    def __init__(self, run: Run, rows: int, clock: Clock, *, quiet: bool, console: Console | None = None) -> None:
        self._run = run.id
        self._name = run.campaign
        self._others = 0
        self._rows = rows
        self._clock = clock
        self._quiet = quiet
        self._console = console or Console(stderr=True, file=sys.stderr)
        self._began = clock.now()
        self._said = self._began
        self._counts: Counter[str] = Counter()
        self._done = 0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._began = self._said = self._clock.now()
        if not self._quiet and self._console.is_terminal:
            self._live = Live(get_renderable=self._drawn, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._quiet:
            self._print()

    def turned(self, shard: Shard, turn: HalfTurn, permitted: Permission) -> None:
        """A turn is written."""
        if shard.run != self._run:
            self._others += len(permitted.go) + len(permitted.accepted)
            return
        self._counts["sent"] += len(permitted.go) + len(permitted.accepted)
        self._counts["accepted"] += len(permitted.accepted)
        self._note([settled.state for settled in turn.answered])
        self._done += len(permitted.accepted)
        self._say()

    def marked(self, shard: Shard, marks: Sequence[Mark]) -> None:
        """Verdicts that are no message."""
        if shard.run != self._run:
            return
        self._note([mark.state for mark in marks])
        self._say()

    def stands(self, rows: Mapping[State, int]) -> None:
        """The whole run as the ledger has it: what other processes did of it counts as well."""
        self._counts = Counter()
        for state, count in rows.items():
            if state not in _UNDECIDED:
                self._counts["failed" if state in _FAILED else _COLUMNS.get(state, "nothing")] += count
        self._counts["sent"] = sum(count for state, count in rows.items() if state in _LEFT)
        self._done = sum(count for state, count in rows.items() if state not in _UNDECIDED)
        self._say()

    def _note(self, states: Sequence[State]) -> None:
        for state in states:
            self._counts["failed" if state in _FAILED else _COLUMNS.get(state, "nothing")] += 1
        self._done += len(states)

    def _say(self) -> None:
        now = self._clock.now()
        if self._live is None and not self._quiet and now - self._said >= LINE_EVERY:
            self._said = now
            self._print()

    def _print(self) -> None:
        """The plain line, as it fits a terminal."""
        self._console.print(fitted(self.line(), self._console.file, 3), highlight=False, soft_wrap=True, markup=False)

    def _rate(self, now: Instant) -> float:
        return self._counts["sent"] * SECOND / max(1, now - self._began)

    def figures(self) -> str:
        """What there is to say in numbers of rows, one a person and channel: people are counted when it is over."""
        return " · ".join(
            f"{what} {self._counts[what]:,}" for what in ("sent", "accepted", "held", "failed", "nothing")
        )

    def line(self) -> str:
        """One plain line."""
        return f" {self._name}   rows: {self.figures()}   {self._rate(self._clock.now()):,.0f}/s"

    def _drawn(self) -> RenderableType:
        now = self._clock.now()
        seconds = (now - self._began) // SECOND
        done = min(self._done, self._rows)
        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True, justify="right")
        bar.add_row(
            f" {self._name}",
            ProgressBar(total=max(1, self._rows), completed=done),
            f"{done:,} of {self._rows:,} rows  {self._rate(now):,.0f}/s  {seconds // 60}:{seconds % 60:02}",
        )
        also = [Text(f" of other runs that were due too: sent {self._others:,}")] if self._others else []
        return Group(bar, Text(f" rows: {self.figures()}"), *also, Text(" ctrl-c pauses, nothing is lost", style="dim"))


class Waiting:
    """One line on a terminal that says what is being done, and how far it is; nothing elsewhere."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._status: Status | None = None
        self._quiet = quiet or not console.is_terminal

    def __call__(self, text: str) -> None:
        """Say what is being done now."""
        if self._quiet:
            return
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def through(self, people: Iterable[Item], text: str, total: int) -> Iterator[Item]:
        """The same people, counted as they pass."""
        for number, person in enumerate(people):
            if not self._quiet and number % TELL_EVERY == 0:
                self(f"{text}: {number:,} of {total:,}")
            yield person

    def over(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


@contextmanager
def waiting(desk: Desk, console: Console | None = None) -> Iterator[Waiting]:
    """A line for whoever waits at a terminal; gone at the end, however it ends."""
    line = Waiting(console or Console(stderr=True, file=sys.stderr), quiet=desk.as_json)
    try:
        yield line
    finally:
        line.over()
