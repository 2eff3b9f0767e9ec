"""What a daemon finds when it starts after a crash, and what becomes of it; without a crash it says nothing."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator.core.nouns import OnAmbiguous
from orchestrator.core.times import Instant, iso
from orchestrator.ledger import Ledger, Recovery, RunState, boots, runs, standing
from orchestrator.ledger.boots import Life
from orchestrator.logs import Log, fitted, for_people

log = Log("daemon")


def tell_what_was_left(ledger: Ledger, now: Instant) -> None:
    """Take back what the dead held, and say so: as an event, and in sentences where a person reads along."""
    lives = boots.crashed(ledger.store, "supervisor", ledger.boot, now)
    found = ledger.recover(now)
    log.info(
        "daemon.started",
        recovered_boots=found.boots,
        crashed=len(lives),
        shards=len(found.shards),
        plans=len(found.plans),
        again=found.again,
        resent=found.resent,
        unknown=found.unknown,
    )
    if for_people():
        for line in sentences(ledger, lives, found):
            sys.stderr.write(f"{fitted(line, sys.stderr)}\n")


def sentences(ledger: Ledger, lives: Sequence[Life], found: Recovery) -> Iterator[str]:
    """What happened, what was in the air and what becomes of it, and where each run stands; nothing without a crash."""
    if not lives and not found.boots:
        return
    for life in lives:
        started = iso(Instant(life.started_at - life.started_at % 1_000_000))
        yield f"The daemon before this one crashed or was killed (process {life.pid} on {life.host}, since {started})."
    if not lives:
        yield f"{_many(found.boots, 'process of before crashed or was', 'processes of before crashed or were')} killed."
    if in_the_air := found.again + found.resent + found.unknown:
        yield (
            f"  {_many(in_the_air, 'message was', 'messages were')} in the air: {found.again:,} sent again with the same"
            f" key · {found.resent:,} sent again without one · {found.unknown:,} in doubt"
        )
    else:
        yield "  nothing was in the air: nothing is lost, nothing is sent twice"
    if found.shards:
        yield f"  {_many(len(found.shards), 'shard', 'shards')} being worked: free again, and worked on from where each row stands"
    for number in found.plans:
        yield f"  run {number} was being planned: it is planned anew, from the beginning"
    yield from _runs(ledger, found)


def _runs(ledger: Ledger, found: Recovery) -> Iterator[str]:
    """How the runs stand that are under way, and what is in doubt of each."""
    doubt, twice = Counter[int](), Counter[int]()
    for part in found.shards:
        doubt[part.run] += part.unknown
        twice[part.run] += part.resent
    for run in reversed(runs.listed(ledger.store, states=[RunState.WORKING, RunState.PAUSED])):
        people = standing.people(ledger.store, run.id)
        goes = "goes on" if run.state is RunState.WORKING else f"is paused ({run.reason})"
        yield f"  run {run.id} of {run.campaign} {goes}: {people.reached:,} reached, {_many(people.waiting, 'person waits', 'people wait')}"
    for number in sorted(doubt.keys() | twice.keys()):
        known = runs.find(ledger.store, number)
        if known is None:
            continue
        if doubt[number]:
            look = f"orchestrator deliveries {known.campaign} --run {number} --state unknown"
            yield f"  run {number}: {doubt[number]:,} in doubt are not sent again (on_ambiguous: {OnAmbiguous.HOLD}): {look}"
        if twice[number]:
            yield f"  run {number}: {twice[number]:,} may arrive twice (on_ambiguous: {OnAmbiguous.RESEND})"


def _many(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
