"""All of it at one moment: the ledger is always asked, the audience as far as it answers."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orchestrator.audience.freshness import freshness
from orchestrator.audience.questions import Questions, everybody
from orchestrator.audience.reader import Reader
from orchestrator.config import Files, Project
from orchestrator.core.errors import StoreError
from orchestrator.core.segments import Moment
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, standing
from orchestrator.pipeline.today.ahead import Ahead, ahead
from orchestrator.pipeline.today.data import Data, data
from orchestrator.pipeline.today.lately import Lately, goals, lately
from orchestrator.pipeline.today.needs import Need, Takers, needs

REJECTS = Path("data") / "rejects"
"""Where imports write what they refused, below the project's folder."""


@dataclass(frozen=True, slots=True)
class Morning:
    """What there is to know this morning."""

    needs: tuple[Need, ...]
    lately: tuple[Lately, ...]
    ahead: tuple[Ahead, ...]
    data: Data


def morning(
    ledger: Ledger, project: Project, files: Files, audience: Reader | str, root: Path, now: Instant, takers: Takers
) -> Morning:
    """Look at everything; `audience` is whom to ask about people and events, or why nobody can be asked."""
    trouble = audience if isinstance(audience, str) else ""
    moment = Moment(now, project.settings.time_zone, project.segments)
    questions = None if isinstance(audience, str) else Questions(audience.ask, audience.columns, moment)
    events = []
    if not isinstance(audience, str):
        try:
            events = freshness(audience, list(project.catalogue.events), now)
            if not events:  # nothing was asked yet, so an audience that is not there would look well
                everybody(audience.ask)
        except StoreError as problem:
            questions, trouble = None, str(problem)
    converted = goals(project, questions.count) if questions is not None else lambda _: None
    count = cache(lambda run: standing.people(ledger.store, run))
    return Morning(
        tuple(needs(ledger, project, files, count, takers, now)),
        tuple(lately(ledger, project, count, converted, now)),
        tuple(ahead(ledger, project, questions.overlap if questions is not None else None, now)),
        data(ledger, project.campaigns.values(), events, root / REJECTS, now, trouble),
    )
