"""The command line: `orchestrator`, or `orc` for short."""

from orchestrator.cli.main import main

__all__ = ["main"]
