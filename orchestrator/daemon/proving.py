"""Whether an edit's messages can be written, found out in a process of its own: writing them forks, and the supervisor has threads."""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import asdict

from orchestrator import app, config
from orchestrator.checking import refuse_broken_templates
from orchestrator.core.errors import ConfigError, Mistake, OrchestratorError

PATIENCE = 120
"""Seconds; trying out ends long before, even where templates do not."""


def refuse_elsewhere(opened: app.Opened) -> None:
    """As refuse_broken_templates, in a process of its own; OrchestratorError if that process does not answer."""
    tree = {name: b64encode(content).decode() for name, content in opened.files.items()}
    command = [sys.executable, "-m", "orchestrator.daemon.proving", opened.project.environment.name]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, our own arguments
            command, input=json.dumps(tree), capture_output=True, text=True, check=True, timeout=PATIENCE
        )
    except (subprocess.SubprocessError, OSError) as problem:
        raise OrchestratorError(f"the templates could not be tried out: {problem}") from problem
    found = tuple(Mistake(**one) for one in json.loads(done.stdout))
    if found:
        raise ConfigError(found)


def main() -> None:
    """Read a tree as JSON from standard input, and write the mistakes of its templates to standard output."""
    files = {name: b64decode(content) for name, content in json.load(sys.stdin).items()}
    found: tuple[Mistake, ...] = ()
    try:
        refuse_broken_templates(config.load(files, sys.argv[1]).sound(), files)
    except ConfigError as problem:
        found = problem.mistakes
    json.dump([asdict(one) for one in found], sys.stdout)


if __name__ == "__main__":
    main()
