"""What every verb shares: the project's folder and environment, the clock, how answers are shown, how errors end."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

from orchestrator.core.errors import ConfigError, HeldError, Mistake, OrchestratorError

if TYPE_CHECKING:
    from orchestrator.app import Opened
    from orchestrator.config import Loaded, Project
    from orchestrator.ledger import Ledger, Run

OK, WRONG, USAGE, BUSY, CTRL_C, TERMINATED = 0, 1, 2, 3, 130, 143
EXIT_CODES = {
    OK: "done",
    WRONG: "mistakes or trouble; standard error says which",
    USAGE: "the command was wrong: an unknown word, name or option",
    BUSY: "somebody else holds what it needs: another daemon, a locked store",
    CTRL_C: "stopped by ctrl-c; a run under way is paused, nothing is lost",
    TERMINATED: "stopped by SIGTERM; a run under way is paused, nothing is lost",
}
"""What the command's exit code tells the program that called it."""

Given = ParamSpec("Given")


class Failed(SystemExit):
    """The end of a command that could not be done: why, its exit code, and the mistakes of the files if those are why."""

    def __init__(self, text: str, code: int, mistakes: tuple[Mistake, ...] = ()) -> None:
        super().__init__(code)
        self.text = text.rstrip()
        self.mistakes = mistakes

    def tell(self, *, as_json: bool) -> None:
        """Write it on standard error: a sentence for a person, one line of JSON for a program."""
        told = {"error": self.text, "code": self.code, "mistakes": [asdict(one) for one in self.mistakes]}
        _tell(told, self.text, as_json=as_json)


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
        """The project's files, with every mistake found in them; ends where they have no such environment."""
        from orchestrator import config  # noqa: PLC0415 - keeps `--help` fast

        self.stand()
        loaded = config.load_folder(self.root, self.environment)
        if ConfigError(loaded.mistakes).unknown_environment:
            raise ConfigError(loaded.mistakes)
        return loaded

    def stand(self) -> None:
        """End, unless there is a project where we stand."""
        if not self.root.is_dir():
            fail(f"{self.root}: there is no such folder", USAGE)
        if not (self.root / "config").is_dir():
            fail(
                f"{self.root}: no project here (it has no config/ folder); `orchestrator init FOLDER` makes one,"
                " --project names another folder",
                USAGE,
            )

    def open(self, *, sending: bool = False) -> "Opened":
        """The project without a mistake and the files it was read from; who sends needs every secret to be there."""
        from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast

        self.stand()
        return app.open_project(self.root, self.environment, sending=sending)

    def project(self) -> "Project":
        """The project, if it has no mistake; else all of them are shown and we end."""
        loaded = self.load()
        if loaded.project is None:
            raise ConfigError(loaded.mistakes)
        return loaded.project

    def zone(self) -> str:
        """The project's time zone, on whose clock people read moments; UTC where the settings cannot be read."""
        loaded = self.load()
        known = loaded.project or loaded.sketch
        return known.settings.time_zone if known is not None and known.settings is not None else "UTC"

    def names(self) -> tuple[list[str], list[str]]:
        """The names of campaigns and of providers, as far as they can be read where the files have mistakes."""
        loaded = self.load()
        known = loaded.project or loaded.sketch
        if known is None:
            raise ConfigError(loaded.mistakes)
        return [*known.campaigns], [*known.settings.providers] if known.settings is not None else []

    @contextmanager
    def ledger(self, *, despite_mistakes: bool = False) -> Iterator["Ledger"]:
        """The project's ledger; for a verb that needs nothing else, also where the files have mistakes elsewhere."""
        from orchestrator import config  # noqa: PLC0415 - keeps `--help` fast
        from orchestrator.ledger import Ledger  # noqa: PLC0415

        self.stand()
        loaded = self.load()
        found = loaded.project.environment.stores.ledger if loaded.project is not None else None
        if found is None and despite_mistakes and (found := config.ledger_of(loaded.files, self.environment)):
            self.note("the files have mistakes, of which `orchestrator check` tells; the ledger needs none of them")
        if found is None:
            raise ConfigError(loaded.mistakes)
        url = found.resolve(config.MachineSecrets(self.root))
        ledger = Ledger.open(url, self.root, environment=self.environment)
        try:
            yield ledger
        finally:
            ledger.close()

    def note(self, text: str) -> None:
        """Say something beside the answer, on standard error."""
        _tell({"note": text}, text, as_json=self.as_json)

    def show(self, data: Any, text: Callable[[], None]) -> None:
        """Show the same answer to a program or to a person."""
        if self.as_json:
            json.dump(data, sys.stdout, ensure_ascii=False, default=str)
            sys.stdout.write("\n")
        else:
            text()


def fail(text: str, code: int = WRONG) -> NoReturn:
    """End with a sentence, which whoever called the verb writes on standard error."""
    raise Failed(text, code)


def no_such(kind: str, name: str, known: Iterable[str]) -> NoReturn:
    """End because there is no such thing, naming the one that was probably meant, and all there are."""
    from difflib import get_close_matches  # noqa: PLC0415 - only to help with a mistake

    names = list(known)
    close = get_close_matches(name, names, n=1)
    guess = f"Did you mean {close[0]}? " if close else ""
    fail(f"no {kind} {name}. {guess}There are: {', '.join(names) or 'none'}.", USAGE)


def run_number(word: str) -> int | None:
    """The number of a run if the word is one, None for a name; ends where no run can have it."""
    if not (word.isascii() and word.isdigit()):
        return None
    if len(word) > _LONGEST:
        _no_run(word)
    return int(word)


def run_of(ledger: "Ledger", number: int) -> "Run":
    """The run of this number; ends if there is none."""
    from orchestrator.ledger import runs  # noqa: PLC0415 - keeps `--help` fast

    # A ledger's numbers have 64 bits: no store can be asked for a larger one.
    return (runs.find(ledger.store, number) if len(str(number)) <= _LONGEST else None) or _no_run(str(number))


def _no_run(number: str) -> NoReturn:
    fail(f"no run {number}; `orchestrator report CAMPAIGN` lists them", USAGE)


_LONGEST = 18
"""Digits of a run's number, at most."""


def honest(verb: Callable[Given, None]) -> Callable[Given, None]:
    """A verb whose known errors end in their own words, without a traceback; in JSON where it answers in JSON."""

    @wraps(verb)
    def careful(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except Failed as problem:
            failed = problem
        except OrchestratorError as problem:
            failed = Failed(str(problem), _code(problem), problem.mistakes if isinstance(problem, ConfigError) else ())
        else:
            return
        desk = getattr(kwargs.get("context"), "obj", None)
        failed.tell(as_json=isinstance(desk, Desk) and desk.as_json)
        raise SystemExit(failed.code)

    return careful


def _code(problem: OrchestratorError) -> int:
    """The exit code of a known error."""
    if isinstance(problem, ConfigError) and problem.unknown_environment:
        return USAGE
    return BUSY if isinstance(problem, HeldError) else WRONG


def _tell(data: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Write on standard error: one line of JSON for a program; for a person the text, as it fits a terminal."""
    from orchestrator.logs import fitted  # noqa: PLC0415 - keeps `--help` fast

    lines = (fitted(line, sys.stderr, len(line) - len(line.lstrip()) + 2) for line in text.split("\n"))
    sys.stderr.write((json.dumps(data, ensure_ascii=False) if as_json else "\n".join(lines)) + "\n")


def table(title: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their columns; a column's value is its alignment (`left`, `right`).

    On a terminal it is as wide as there is room: texts are broken between words, at last each row becomes a block.
    """
    from orchestrator.cli import screen  # noqa: PLC0415 - keeps `--help` fast

    if title:
        screen.say(title)
    shown = [screen.Column(name, right=side == "right", wraps=side != "right") for name, side in columns.items()]
    cells = [[str(cell) for cell in row] for row in rows]
    screen.show(screen.table(shown, cells, screen.width(), indent="").lines)
