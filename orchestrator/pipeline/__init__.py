"""The corridor: the only order in which a message is made, from the plan of a run to the put-back of its last shard."""

from orchestrator.pipeline.casting import Casting
from orchestrator.pipeline.forecast import Forecast, forecast
from orchestrator.pipeline.letters import BundleLetters
from orchestrator.pipeline.plan import PEOPLE_A_SHARD, Cast, plan
from orchestrator.pipeline.work import LedgerThread, Letter, Letters, Parts, Prepared, Sight, Unwritten, work

__all__ = [
    "PEOPLE_A_SHARD",
    "BundleLetters",
    "Cast",
    "Casting",
    "Forecast",
    "LedgerThread",
    "Letter",
    "Letters",
    "Parts",
    "Prepared",
    "Sight",
    "Unwritten",
    "forecast",
    "plan",
    "work",
]
