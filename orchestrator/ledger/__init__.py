"""The ledger: runs, shards, deliveries, consent, pace. It says for every member what happened and why, and never lies."""

from orchestrator.ledger.boots import Boot
from orchestrator.ledger.consent import ConsentChange
from orchestrator.ledger.facts import Wanted
from orchestrator.ledger.inbox import InboxMessage
from orchestrator.ledger.ledger import Ledger, Recovery
from orchestrator.ledger.links import Purpose, Seal, write_key
from orchestrator.ledger.pace import Grant
from orchestrator.ledger.planning import Planned
from orchestrator.ledger.runs import NewRun, Run, RunState
from orchestrator.ledger.shards import Shard

__all__ = [
    "Boot",
    "ConsentChange",
    "Grant",
    "InboxMessage",
    "Ledger",
    "NewRun",
    "Planned",
    "Purpose",
    "Recovery",
    "Run",
    "RunState",
    "Seal",
    "Shard",
    "Wanted",
    "write_key",
]
