"""What is proved and what came of it: the experiments, their results, and the one table that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.table import Table

from tests.proof.history import Lie, Verdict
from tests.proof.project import door

STORES = ("sqlite", "postgresql")
POLICIES = ("keys", "hold", "resend")
WEATHER = "accept:90,accept-then-drop:3,accept-then-503:2,drop-before-accept:2,reset:2,429:0.1"
"""A bad day at a provider. It takes messages and denies it, drops connections, and sometimes asks for patience."""


@dataclass(frozen=True, slots=True)
class Case:
    """One experiment. `signal`: `kill` without a word, a worker and the whole group in turn, or `term` in good order."""

    store: str
    policy: str
    kills: int = 200
    messages: int = 50_000
    seed: int = 1
    workers: int = 2
    signal: str = "kill"
    door: str = "mail"
    weather: str = ""
    """Faults of the sink by weight, on top of the kills."""
    forgetful: bool = False
    """The provider promises to know keys again and does not: a proof that can fail has to notice."""

    @property
    def people(self) -> int:
        """How many people each run goes to."""
        return min(10_000, max(500, self.messages // 2))

    @property
    def window(self) -> int:
        """How many messages one worker may have in the air."""
        return door(self.door, self.policy, 1).declaration.window


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case."""

    case: Case
    verdict: Verdict
    messages: int
    seconds: float
    in_flight: int
    worst_exit: int = 0
    stopped_by: str = ""
    """Why there were fewer faults than asked for."""

    @property
    def holds(self) -> bool:
        """Whether every promise was kept, with all the faults that were asked for."""
        return self.verdict.holds and self.worst_exit == 0 and self.verdict.faults == self.case.kills


def every_case(one: Case, terms: int) -> list[Case]:
    """The full proof after the pattern of `one`: kills under each policy, `terms` SIGTERMs, and kills in bad weather."""
    doors = {"keys": "webhook", "hold": "mail", "resend": "mail"}
    kills = [replace(one, store=store, policy=policy, door=doors[policy]) for store in STORES for policy in POLICIES]
    gently = [replace(one, store=store, policy="hold", door="mail", signal="term", kills=terms) for store in STORES]
    stormy = [replace(one, policy=policy, door="webhook", weather=WEATHER, kills=terms) for policy in POLICIES]
    return [*kills, *gently, *stormy]


def table(results: Sequence[Result]) -> Table:
    """One line for each case."""
    shown = Table(title="Every message is accounted for, whatever was killed", title_justify="left")
    columns = [
        "store",
        "door",
        "policy",
        "signal",
        "faults",
        "hits",
        "in_flight",
        "messages",
        "lost",
        "stuck",
        "dup",
        "unknown",
        "unexplained",
        "lies",
        "wall",
    ]
    for column in columns:
        shown.add_column(column, justify="left" if column in ("store", "door", "policy", "signal", "lies") else "right")
    for result in results:
        shown.add_row(*cells(result))
    return shown


def line(result: Result) -> str:
    """One case in words, told as soon as it is over."""
    return " · ".join(cells(result))


def cells(result: Result) -> list[str]:
    """A result as the table shows it."""
    case, verdict = result.case, result.verdict
    other = [f"{lie} {verdict.count(lie)}" for lie in verdict.lies]
    other += [verdict.void] if verdict.void else []
    other += (
        [f"stopped after {verdict.faults}: {result.stopped_by or 'nothing was in flight'}"]
        if verdict.faults < case.kills
        else []
    )
    other += [f"exit code {result.worst_exit}"] if result.worst_exit else []
    return [
        case.store,
        case.door,
        case.policy,
        f"{case.signal}, storm" if case.weather else case.signal,
        str(verdict.faults),
        f"{100 * verdict.hits / max(1, verdict.faults):.0f} %",
        f"{result.in_flight:,}",
        f"{result.messages:,}",
        str(verdict.count(Lie.LOST)),
        str(verdict.count(Lie.STUCK)),
        f"{verdict.duplicates:,}",
        f"{verdict.unknown:,}",
        str(verdict.count(Lie.UNEXPLAINED_DUP)),
        ", ".join(other) or "none",
        f"{result.seconds:.0f} s",
    ]
