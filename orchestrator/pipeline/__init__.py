"""The corridor: the only order in which a message is made, from the plan of a run to the put-back of its last shard."""

from orchestrator.pipeline.answers import Questions
from orchestrator.pipeline.asking import AHEAD, ask_again
from orchestrator.pipeline.casting import Again, Casting
from orchestrator.pipeline.coupons import Coupons, coupons_of, fill, stock, supply
from orchestrator.pipeline.forecast import dry_run, forecasting
from orchestrator.pipeline.foreseen import Foreseen, Steps, together
from orchestrator.pipeline.foresight import Foresight
from orchestrator.pipeline.lasting import seconds_to_send
from orchestrator.pipeline.learn import Pace, learn
from orchestrator.pipeline.ledger_thread import LedgerThread
from orchestrator.pipeline.letters import BundleLetters
from orchestrator.pipeline.mirror import Mirrors
from orchestrator.pipeline.plan import PEOPLE_A_SHARD, Cast, plan
from orchestrator.pipeline.prepared import Letter, Letters, Prepared, Unwritten
from orchestrator.pipeline.previewing import Scene, letter_to, marked, tiles
from orchestrator.pipeline.reckoning import Asked, Forecast, Named, Wave
from orchestrator.pipeline.work import Parts, Sight, Watch, work

__all__ = [
    "AHEAD",
    "PEOPLE_A_SHARD",
    "Again",
    "Asked",
    "BundleLetters",
    "Cast",
    "Casting",
    "Coupons",
    "Forecast",
    "Foreseen",
    "Foresight",
    "LedgerThread",
    "Letter",
    "Letters",
    "Mirrors",
    "Named",
    "Pace",
    "Parts",
    "Prepared",
    "Questions",
    "Scene",
    "Sight",
    "Steps",
    "Unwritten",
    "Watch",
    "Wave",
    "ask_again",
    "coupons_of",
    "dry_run",
    "fill",
    "forecasting",
    "learn",
    "letter_to",
    "marked",
    "plan",
    "seconds_to_send",
    "stock",
    "supply",
    "tiles",
    "together",
    "work",
]
