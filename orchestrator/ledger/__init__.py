"""The ledger: runs, shards, deliveries, consent, pace. It says for every member what happened and why, and never lies."""

from orchestrator.ledger.boots import Boot
from orchestrator.ledger.consent import ConsentChange
from orchestrator.ledger.ledger import Ledger, Recovery
from orchestrator.ledger.pace import Grant, Pacing
from orchestrator.ledger.runs import NewRun, Planned, Run, RunState
from orchestrator.ledger.shards import Mark, Shard
from orchestrator.ledger.turn import Permission, Ready, Recheck, Settlement, Turn

__all__ = [
    "Boot",
    "ConsentChange",
    "Grant",
    "Ledger",
    "Mark",
    "NewRun",
    "Pacing",
    "Permission",
    "Planned",
    "Ready",
    "Recheck",
    "Recovery",
    "Run",
    "RunState",
    "Settlement",
    "Shard",
    "Turn",
]
