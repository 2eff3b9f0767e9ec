"""What every verb shares: the project's folder and environment, the clock, how answers are shown, how errors end."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

from orchestrator.core.errors import ConfigError, OrchestratorError
from orchestrator.core.times import Instant, iso

if TYPE_CHECKING:
    from orchestrator.config import Loaded, Project
    from orchestrator.ledger import Ledger

OK, WRONG, USAGE, BUSY = 0, 1, 2, 3
"""Exit codes: done · mistakes or trouble · the command was wrong · somebody else holds what we need."""

Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class Desk:
    """One call of the command line."""

    root: Path
    environment: str
    as_json: bool

    @classmethod
    def here(cls, project: Path | None, environment: str | None, *, as_json: bool) -> "Desk":
        """From the options: the folder (default: where we stand), ORCHESTRATOR_ENV (default: dev)."""
        return cls(
            (project or Path.cwd()).resolve(), environment or os.environ.get("ORCHESTRATOR_ENV") or "dev", as_json
        )

    def load(self) -> "Loaded":
        """The project's files, with every mistake found in them."""
        from orchestrator import config  # noqa: PLC0415 - keeps `--help` fast

        if not (self.root / "config").is_dir():
            fail(f"{self.root}: no config/ folder; go to the project's folder, or name it with --project")
        return config.load(config.read_tree(self.root), self.environment)

    def project(self) -> "Project":
        """The project, if it has no mistake; else all of them are shown and we end."""
        loaded = self.load()
        if loaded.project is None:
            raise ConfigError(loaded.mistakes)
        return loaded.project

    @contextmanager
    def ledger(self) -> Iterator["Ledger"]:
        """The project's ledger."""
        from orchestrator import config  # noqa: PLC0415 - keeps `--help` fast
        from orchestrator.ledger import Ledger  # noqa: PLC0415

        url = self.project().environment.stores.ledger.resolve(config.MachineSecrets(self.root))
        ledger = Ledger.open(url, self.root)
        try:
            yield ledger
        finally:
            ledger.close()

    def show(self, data: Any, text: Callable[[], None]) -> None:
        """Show the same answer to a program or to a person."""
        if self.as_json:
            json.dump(data, sys.stdout, ensure_ascii=False, default=str)
            sys.stdout.write("\n")
        else:
            text()


def fail(text: str, code: int = WRONG) -> NoReturn:
    """End with a sentence on standard error."""
    sys.stderr.write(text.rstrip() + "\n")
    raise SystemExit(code)


def honest(verb: Callable[Given, None]) -> Callable[Given, None]:
    """A verb whose known errors end in their own words, without a traceback."""

    @wraps(verb)
    def careful(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except OrchestratorError as problem:
            fail(str(problem))

    return careful


def table(title: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their columns; a column's value is its alignment (`left`, `right`)."""
    from rich.console import Console  # noqa: PLC0415 - keeps `--help` fast
    from rich.table import Table  # noqa: PLC0415

    shown = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column, justify in columns.items():
        shown.add_column(column, justify="right" if justify == "right" else "left")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    Console(soft_wrap=False).print(shown)


def when(at: Instant | None) -> str:
    """A moment for people, empty for none."""
    return "" if at is None else iso(Instant(at - at % 1_000_000)).replace("T", " ")
