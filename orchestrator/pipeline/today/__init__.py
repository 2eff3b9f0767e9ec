"""What somebody looks at every morning: what needs a person, what happened, what comes, and whether the data is fresh."""

from orchestrator.pipeline.today.ahead import Ahead, Load, ahead
from orchestrator.pipeline.today.data import Data, Seen, data, say_waiting
from orchestrator.pipeline.today.lately import Lately, lately
from orchestrator.pipeline.today.morning import Morning, morning
from orchestrator.pipeline.today.needs import Need, needs

__all__ = [
    "Ahead",
    "Data",
    "Lately",
    "Load",
    "Morning",
    "Need",
    "Seen",
    "ahead",
    "data",
    "lately",
    "morning",
    "needs",
    "say_waiting",
]
