"""The kill loop: serve, kill without a word, start again, drain, and hold the ledger against what the provider received.

What is killed is `orchestrator serve` on a real project: its workers with their render children, and the whole group with
the supervisor and its planners.

    python -m tests.proof.kill --kills 200 --messages 50000 --store sqlite --policy hold
    python -m tests.proof.kill --full        both stores under each policy, the SIGTERMs and the storms, one table

Under `--full` a case that holds is remembered with the files it held for, and is not run again until one of them changes.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator import app
from orchestrator.ledger import runs
from tests.proof.cases import POLICIES, STORES, Case, Result, every_case, line, table
from tests.proof.evidence import Fired, Witness, fresh_ledger, now
from tests.proof.history import Fault, History, Verdict, check, terms
from tests.proof.product import Product, free_port
from tests.proof.project import CAMPAIGN, LIVE, SECRET, bring_people, door, write_files
from tests.proof.remembering import Memory
from tests.proof.remote import RemoteSink, running_sink

LATENCY = "5..60"
"""Milliseconds the sink takes to answer: long enough that a kill finds messages waiting there."""

AIM = 0.3
"""Seconds after the first message in flight within which a kill lands."""

PATIENCE = 120.0
"""Seconds until a restart must have a message in flight, and a drain must move."""


class Loop:
    """One case while it runs."""

    def __init__(self, case: Case, witness: Witness, sink: RemoteSink, product: Product) -> None:
        self.case, self.witness, self.sink, self.product = case, witness, sink, product
        self.dice = random.Random(case.seed)
        self.faults: list[Fault] = []
        self.worst_exit = 0
        self.arrived: set[str] = set()
        self.read = 0

    def feed(self) -> None:
        """Fire all the messages asked for, and more before the open ones run out, so that every kill lands on sends."""
        reserve = max(2 * self.case.window * self.case.workers, 1500)
        while self.witness.planned < self.case.messages or self.witness.still_open() < reserve:
            self.witness.fire()

    def strike(self, number: int) -> None:
        """Wait for a message in flight, then a little, then make one fault and start again what it ended."""
        self.feed()
        mark = self.sink.stats()["arrivals"]
        self.sink.wait(since=mark, seconds=PATIENCE)
        time.sleep(self.dice.uniform(0, AIM))
        if self.case.signal == "term":
            in_flight = self.at_provider(self.witness.in_the_air())
            self.worst_exit = max(self.worst_exit, abs(self.product.terminate()))
            self.faults.append(Fault("term", now(), in_flight))
            self.product.start()
        elif number % 2:
            self.kill_everything()
        else:
            self.kill_a_worker()

    def at_provider(self, deliveries: set[str]) -> int:
        """How many of these have reached the sink."""
        news = self.sink.log(self.read)
        self.read += len(news)
        self.arrived.update(arrival.key for arrival in news)
        return len(deliveries & self.arrived)

    def kill_everything(self) -> None:
        """Kill the whole group, see what it left in the air, and start again."""
        at = now()
        self.product.kill_group()
        in_flight = self.at_provider(self.witness.in_the_air())
        self.faults.append(Fault("kill group", at, in_flight, self.case.workers * self.case.window))
        self.product.start()

    def kill_a_worker(self) -> None:
        """Kill one worker drawn by the seed among those that send; the supervisor has to notice by itself."""
        workers = sorted(self.product.family(), key=lambda process: process.pid)
        sending = [worker for worker in workers if worker.pid in self.witness.senders()]
        if not workers:
            raise RuntimeError(f"no worker lives to be killed; what they said is in {self.product.said}")
        victim, at = self.dice.choice(sending or workers), now()
        try:
            self.product.kill(victim)
        except psutil.NoSuchProcess:  # a planner that had come to its end meanwhile
            self.kill_a_worker()
            return
        in_flight = self.at_provider(self.witness.in_the_air({victim.pid}))
        self.faults.append(Fault("kill worker", at, in_flight, self.case.window))

    def drain(self) -> None:
        """Wait until every run has come to its end, then end the product in good order."""
        seen, until = -1, time.monotonic() + PATIENCE
        while not self.witness.drained() and time.monotonic() < until:
            arrivals = self.sink.stats()["arrivals"]
            if arrivals != seen:
                seen, until = arrivals, time.monotonic() + PATIENCE
            time.sleep(0.1)
        self.worst_exit = max(self.worst_exit, abs(self.product.terminate()))

    def verdict(self) -> Verdict:
        """Hold everything that was written down against each other."""
        arrivals = self.sink.log()
        promised = terms(self.case.policy, self.faults, arrivals)
        return check(
            History(
                self.witness.due(),
                self.witness.rows(),
                arrivals,
                self.faults,
                promised,
                self.witness.summaries(),
            )
        )


@contextmanager
def stage(case: Case) -> Iterator[Loop]:
    """A fresh project, its ledger, a sink and the product of one case, below one folder; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="orchestrator-proof-"))
    try:
        with ExitStack() as stack:
            url = stack.enter_context(fresh_ledger(case.store, folder))
            sink = stack.enter_context(running_sink(*weather(case)))
            way = door(case.door, case.policy, sink.smtp if case.door == "mail" else sink.http)
            secrets = {"PROOF_LEDGER": url, "PROOF_SECRET": SECRET}
            stack.enter_context(pretended(secrets))
            write_files(folder / "project", way, case.policy)
            opened = app.open_project(folder / "project", LIVE, sending=True)
            ledger = opened.ledger()
            stack.callback(ledger.close)
            bring_people(opened, ledger, way, case.people, now())
            version = runs.keep_bundle(ledger.store, opened.files, now())
            on_ambiguous = opened.project.campaigns[CAMPAIGN].policy.on_ambiguous
            witness = Witness(ledger, version, Fired(case.people, way.channel, on_ambiguous))
            words = ["-e", LIVE, "serve", "--workers", str(case.workers), "--port", str(free_port())]
            product = Product(opened.root, words, secrets, folder / "said.log")
            stack.callback(product.close)
            yield Loop(case, witness, sink, product)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def weather(case: Case) -> list[str]:
    """What the sink is told of a case."""
    options = ["--latency", LATENCY, "--seed", str(case.seed), "--weights", case.weather, "--forms", "seconds"]
    return options if case.policy == "keys" and not case.forgetful else [*options, "--no-keys"]


@contextmanager
def pretended(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables in our own environment for a while, as they are in the product's."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def prove(case: Case, tell: Callable[[int], None] = lambda _: None) -> Result:
    """Run one case to its verdict; `tell` hears of every fault made."""
    started = time.monotonic()
    with stage(case) as loop:
        loop.feed()
        loop.product.start()
        # A product that stands still gets no further faults; the drain and the verdict show what is stuck.
        stopped_by = ""
        try:
            for number in range(case.kills):
                loop.strike(number)
                tell(number + 1)
        except TimeoutError as problem:
            stopped_by = str(problem)
        loop.drain()
        verdict = loop.verdict()
        in_flight = sum(fault.in_flight for fault in loop.faults)
        return Result(
            case, verdict, loop.witness.planned, time.monotonic() - started, in_flight, loop.worst_exit, stopped_by
        )


def cases(options: argparse.Namespace) -> list[Case]:
    """What the command line asks for."""
    one = Case(
        options.store,
        options.policy,
        options.kills,
        options.messages,
        options.seed,
        options.workers,
        options.signal,
        options.door,
        options.weather,
    )
    if not options.full:
        return [one]
    return every_case(one, options.terms)


def main() -> int:
    """Prove, print the table, and answer 0 only if every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.kill", description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="both stores, all policies, and the SIGTERMs")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--policy", choices=POLICIES, default="keys")
    parser.add_argument("--signal", choices=["kill", "term"], default="kill")
    parser.add_argument("--door", choices=["mail", "webhook"], default="webhook")
    parser.add_argument("--weather", default="", help="faults of the sink by weight: accept:9,accept-then-drop:1")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--terms", type=int, default=50, help="SIGTERMs of the full proof")
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="run again what is remembered to hold")
    options = parser.parse_args()
    console, results = Console(width=None if sys.stdout.isatty() else 160), []
    memory = Memory(Path(".proof") if options.full else None)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for case in cases(options):
            known = None if options.again else memory.recall(case)
            if known is None:
                task = progress.add_task(f"{case.store} {case.policy} {case.signal}", total=case.kills)
                known = prove(case, lambda done, task=task: progress.update(task, completed=done))  # type: ignore[misc] # bound now on purpose
                memory.keep(known)
                progress.print(line(known))
            results.append(known)
    console.print(table(results))
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
