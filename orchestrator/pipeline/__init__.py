"""The corridor: the only order in which a message is made, from the plan of a run to the put-back of its last shard."""

from orchestrator.pipeline.plan import PEOPLE_A_SHARD, Cast, plan
from orchestrator.pipeline.work import LedgerThread, Letter, Letters, Parts, Prepared, Sight, Unwritten, work

__all__ = [
    "PEOPLE_A_SHARD",
    "Cast",
    "LedgerThread",
    "Letter",
    "Letters",
    "Parts",
    "Prepared",
    "Sight",
    "Unwritten",
    "plan",
    "work",
]
