"""The daemon: everything that goes on by itself."""

from orchestrator.daemon.supervisor import Serving, run

__all__ = ["Serving", "run"]
