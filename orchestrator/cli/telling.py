"""Telling the audience what was just written into the ledger, by hand: where a daemon serves, it does so."""

from orchestrator import app
from orchestrator.bundles import Topics
from orchestrator.cli.desk import Desk
from orchestrator.core.errors import StoreError
from orchestrator.ledger import figures
from orchestrator.pipeline import Mirrors


def tell_the_audience(desk: Desk, opened: app.Opened) -> None:
    """So that the next question about messages and consent knows of these. What cannot be told now is told later."""
    if app.elsewhere(opened):
        return
    ledger = opened.ledger()
    try:
        if figures.alive(ledger.store, "supervisor"):
            return
        mirrors = Mirrors(Topics(opened.project.environment.name))
        while (step := mirrors.once(ledger, lambda: app.own_audience(opened))) is not None and step.more:
            pass
    except StoreError as problem:
        desk.note(f"segments do not know of this yet, the next daemon tells them: {problem}")
    finally:
        ledger.close()
