"""The daemon: everything that goes on by itself."""

from orchestrator.daemon.serving import run
from orchestrator.daemon.supervisor import Serving

__all__ = ["Serving", "run"]
