"""A planner process: resolves the audience of one due run and writes its shards, or asks about those again, then ends."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from orchestrator import app
from orchestrator.bundles import Bundles
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.holding import in_one, reason_to_hold
from orchestrator.core.nouns import Asked
from orchestrator.core.times import SECOND, Clock
from orchestrator.ledger import Ledger, Run, planning, runs
from orchestrator.logs import Log, set_up
from orchestrator.pipeline import Cast, Casting, Questions, ask_again, coupons_of, fill, plan
from orchestrator.wire.clock import WallClock

log = Log("planner")

SAY_EVERY = 5 * SECOND
TURN = 0.0001
"""Seconds a thread keeps the interpreter while another waits: each shard's rows come back from the ledger several times, and
with the usual five milliseconds the two threads of a plan hardly work side by side."""


def plan_run(opened: app.Opened, ledger: Ledger, run: Run, clock: Clock) -> int | None:
    """Plan a due run from its own bundle; the size of its audience, None if somebody else has it."""
    if not planning.begin_planning(ledger.store, run.id, ledger.boot):
        return None
    log.info("run.planning", run=run.id, campaign=run.campaign)
    bundles = Bundles(opened.project.environment, clock.now())
    project = bundles.project(ledger, run.version)
    prepared = bundles.prepare(ledger, run.campaign, run.version)
    audience = app.audience(opened)
    noted = Noted(run.id, clock)
    casting = Casting(audience, project, prepared.campaign, run.due_at, prepared.letters.touched(), note=noted)
    try:
        newest = audience.newest(prepared.campaign.hold_if.no_recent, clock.now())
        hold = reason_to_hold(prepared.campaign.hold_if, len(casting), newest, clock.now())
        hold = in_one(hold, app.untold(opened, ledger, prepared.campaign))
        wanted = coupons_of(project, prepared.letters)
        if wanted.pools:
            fill(ledger, project, ledger.bundle(run.version), wanted.pools, len(casting))
        cast = Cast(casting, hold, wanted if wanted.pools else None)
        members = plan(ledger, run, prepared.campaign, cast, clock.now())
    finally:
        casting.close()
        noted.tell()
    log.info("run.planned", run=run.id, campaign=run.campaign, audience=members, hold=hold or "none")
    return members


class Noted:
    """Writes down now and then how asking the services of linked data goes: the longest part of a plan, where there are any."""

    def __init__(self, run: int, clock: Clock) -> None:
        self._run = run
        self._clock = clock
        self._said = clock.now()
        self._last: dict[str, Questions] = {}

    def __call__(self, questions: Questions) -> None:
        """So many were asked by now."""
        self._last[questions.source] = questions
        now = self._clock.now()
        if now - self._said >= SAY_EVERY:
            self._said = now
            self.tell()

    def tell(self) -> None:
        """Say where it stands."""
        for name, questions in self._last.items():
            asked, unanswered = questions.asked, questions.unanswered
            log.info("linked.asked", run=self._run, source=name, asked=asked, unanswered=unanswered)


def ask_run(opened: app.Opened, ledger: Ledger, run: Run, clock: Clock) -> Counter[Asked]:
    """Ask the audience engine again about people of a run who have waited for over an hour and are due soon."""
    bundles = Bundles(opened.project.environment, clock.now())
    project = bundles.project(ledger, run.version)
    prepared = bundles.prepare(ledger, run.campaign, run.version)
    told = ask_again(ledger, lambda: app.audience(opened), project, prepared, run, clock.now())
    log.info(
        "run.asked_again",
        run=run.id,
        campaign=run.campaign,
        **{answer.value: told[answer] for answer in Asked if told[answer]},
    )
    return told


def main(arguments: list[str] | None = None) -> int:
    """Plan the run of this number, or ask about it again: 0 if done or done by somebody else, 1 if it could not be."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.planner", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--env", required=True)
    parser.add_argument("--version", default="", help="the version of the files to start from")
    parser.add_argument("--run", type=int, required=True)
    parser.add_argument("--again", action="store_true", help="ask again about people who have waited for long")
    options = parser.parse_args(arguments)
    set_up()
    clock = WallClock()
    try:
        opened = app.open_child(options.project.resolve(), options.env, options.version)
        app.calm_collector()
        sys.setswitchinterval(TURN)
        ledger = opened.ledger()
        ledger.begin_boot("planner", clock.now())
        run = runs.find(ledger.store, options.run)
        if run is None:
            log.trouble("run.unknown", run=options.run)
            return 1
        (ask_run if options.again else plan_run)(opened, ledger, run, clock)
        ledger.end_boot(clock.now())
    except OrchestratorError as problem:
        log.trouble("run.not_planned", run=options.run, why=str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
