"""States and reasons of deliveries, as the ledger writes them."""

from docs.generate.tables import code, table
from orchestrator.core.nouns import OPEN, State
from orchestrator.core.reasons import Reason

INTRO = """# States and reasons

Every member of every audience has one delivery per channel. `orchestrator why CAMPAIGN PERSON` shows its state and the
reason; these words stand in the ledger for good."""


def page() -> str:
    """The page."""
    return "\n\n".join(
        [
            INTRO,
            "## States",
            table(
                ["state", "", "meaning"],
                [(code(state), "goes on" if state in OPEN else "ends here", state.meaning) for state in State],
            ),
            "## Reasons",
            "In the order they are asked for; the first that holds is the one.",
            table(["reason", "meaning"], [(code(reason), reason.meaning) for reason in Reason]),
        ]
    )
