"""`python -m orchestrator.daemon`: what `orchestrator serve` becomes."""

import argparse
import sys
from pathlib import Path

from orchestrator.core.errors import ConfigError, OrchestratorError
from orchestrator.daemon.serving import run
from orchestrator.daemon.supervisor import Serving


def main() -> int:
    """Serve a project until SIGTERM: 0 in good order, 1 if it cannot, 2 for an unknown environment, 3 if another supervisor holds the ledger."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.daemon", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--env", required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=8026)
    options = parser.parse_args()
    try:
        return run(Serving(options.project.resolve(), options.env, options.workers, options.host, options.port))
    except OrchestratorError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2 if isinstance(problem, ConfigError) and problem.unknown_environment else 1


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        message = f"{text} is no port: a number from 0 (no web face) to {_LAST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


_LAST_PORT = 65_535

if __name__ == "__main__":
    sys.exit(main())
