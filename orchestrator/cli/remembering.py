"""Who was in a segment when a run was planned: the ledger's own word, not a question asked anew."""

from orchestrator.cli.desk import USAGE, Desk, fail, no_such, run_of
from orchestrator.ledger import deliveries


def remembered(desk: Desk, name: str, run: int, at: str | None, engine: str | None) -> list[str]:
    """The members as a run had them, whatever became of the segment's file since."""
    if at is not None or engine is not None:
        fail("--run is answered by the ledger: leave --at and --engine away", USAGE)
    with desk.ledger() as ledger:
        if run_of(ledger, run).audience is None:
            fail(f"run {run} is not planned yet: nobody was counted to any segment; ask again later", USAGE)
        found = deliveries.members(ledger.store, run, name)
    if not found and name not in (known := desk.project().segments):
        no_such("segment", name, known)
    return found
