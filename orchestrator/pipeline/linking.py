"""Linked data: what tables and services beside the audience say of each person, for templates that read `linkedData`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from orchestrator.config import MachineSecrets, SecretSource, Source
from orchestrator.core.blanks import USER, Blanks, as_text
from orchestrator.core.errors import StoreError
from orchestrator.core.frozen import changed
from orchestrator.core.nouns import UNLINKED, Person
from orchestrator.pipeline.answers import Answers, Questions
from orchestrator.pipeline.tables import UNREADABLE, Row, content_of, table
from orchestrator.wire.lookup import Unanswered

AT_A_TIME = 500
"""People whose questions are asked together: as many answers as are held before they are written."""

Note = Callable[[Questions], None]
"""Told how asking goes, after each of these."""


class _Told(Protocol):
    """One source in use."""

    def prepare(self, people: Iterable[Person]) -> None:
        """Make ready what these people need."""
        ...

    def of(self, person: Person) -> Any:
        """What it says of a person; None if nothing, `Unanswered` if it could not say."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


class Linked:
    """The sources that some templates read, for as long as a run is planned. Close it when it is."""

    def __init__(
        self, root: Path, sources: Mapping[str, Source], touched: Iterable[tuple[str, ...]], note: Note | None = None
    ) -> None:
        """Read the tables of the sources in use; StoreError for one that cannot be read, unless it says to skip."""
        paths = [path for path in touched if path[0] == "linkedData" and len(path) > 1]
        names = sorted({path[1] for path in paths} & set(sources))
        secrets = MachineSecrets(root)
        self._used = [sources[name] for name in names]
        self._told = {name: _told(root, sources[name], _columns(paths, name), secrets, note) for name in names}

    @property
    def asks(self) -> tuple[str, ...]:
        """The sources that are asked about each person."""
        return tuple(source.name for source in self._used if Blanks(source.url).names)

    def attributes(self) -> set[tuple[str, ...]]:
        """The attributes that people are looked up by, as paths of a template."""
        names = {name for source in self._used for name in _names(source)}
        return {("userAttribute", name) for name in names - {USER}}

    def upon(self, people: Iterable[Person]) -> Iterator[Person]:
        """The same people with what the sources say of them; a source that does not know somebody is left out."""
        return self._upon(people) if self._told else iter(people)

    def close(self) -> None:
        """Let go of connections."""
        for told in self._told.values():
            told.close()

    def _upon(self, people: Iterable[Person]) -> Iterator[Person]:
        source = iter(people)
        while together := list(islice(source, AT_A_TIME)):
            for told in self._told.values():
                told.prepare(together)
            yield from map(self._with, together)

    def _with(self, person: Person) -> Person:
        found: dict[str, Any] = {}
        why: dict[str, str] = {}
        for name, told in self._told.items():
            said = told.of(person)
            if isinstance(said, Unanswered):
                why[name] = said.why
            elif said is not None:
                found[name] = said
        more = {"linkedData": found} if found else {}
        if why:
            more[UNLINKED] = why
        return changed(person, attributes={**person.attributes, **more}) if more else person


def _columns(paths: Iterable[tuple[str, ...]], name: str) -> frozenset[str] | None:
    """The columns of a source that templates read; None where one goes through all of it."""
    read = {path[2:3] for path in paths if path[1] == name}
    return None if () in read else frozenset(column for (column,) in read)


def _names(source: Source) -> tuple[str, ...]:
    return Blanks(source.url).names or ((source.by,) if source.by else ())


def _value(person: Person, name: str) -> Any:
    return person.user if name == USER else (person.attributes.get("userAttribute") or {}).get(name)


def _told(
    root: Path, source: Source, columns: frozenset[str] | None, secrets: SecretSource, note: Note | None
) -> _Told:
    told = note or (lambda _: None)
    answers = Answers(source, columns, secrets) if source.url else None
    if answers is not None and answers.names:
        return _Service(answers, told)
    what = source.file or "its url"
    try:
        if answers is None:
            rows = table(content_of(root, source), source, is_csv=source.file.endswith(".csv"))
            return _Table(rows, source.by, columns)
        answer = answers.whole(told)
        if source.key:
            is_csv = "csv" in answer.headers.get("content-type", "")
            return _Table(table(answer.body, source, is_csv=is_csv), source.by, columns)
        return _Same(_sound(answers.read(answer.body)))
    except UNREADABLE as problem:
        if source.skips:
            return _Same(Unanswered(f"{what} cannot be read ({problem})"))
        text = f"source {source.name}: {what} cannot be read ({problem}); mend it, or write `on_error: skip`"
        raise StoreError(text) from problem
    finally:
        if answers is not None:
            answers.close()


def _sound(answer: Any) -> Any:
    if isinstance(answer, Unanswered):
        raise StoreError(answer.why)
    return answer


class _Table:
    """Rows by key."""

    def __init__(self, rows: Mapping[str, Row], by: str, columns: frozenset[str] | None) -> None:
        self._rows = rows
        self._by = by
        self._columns = columns

    def prepare(self, people: Iterable[Person]) -> None:
        """Everything is here already."""

    def of(self, person: Person) -> Row | None:
        """The row of this person, with the columns that templates read."""
        value = _value(person, self._by)
        row = None if value is None else self._rows.get(str(value))
        if row is None or self._columns is None:
            return row
        return {name: value for name, value in row.items() if name in self._columns}

    def close(self) -> None:
        """Nothing to let go of."""


class _Same:
    """One answer for everybody."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def prepare(self, people: Iterable[Person]) -> None:
        """Everything is here already."""

    def of(self, person: Person) -> Any:  # noqa: ARG002 - whoever it is
        """The answer."""
        return self._answer

    def close(self) -> None:
        """Nothing to let go of."""


class _Service:
    """One answer for each person."""

    def __init__(self, answers: Answers, told: Note) -> None:
        self._answers = answers
        self._told = told

    def prepare(self, people: Iterable[Person]) -> None:
        """Ask about all who can be asked about."""
        self._answers.fetch(filter(None, map(self._url, people)), self._told)

    def of(self, person: Person) -> Any:
        """The answer; None for somebody without a value for a blank."""
        url = self._url(person)
        return None if url is None else self._answers.of(url)

    def close(self) -> None:
        """Let go of connections."""
        self._answers.close()

    def _url(self, person: Person) -> str | None:
        values = [as_text(_value(person, name)) for name in self._answers.names]
        return self._answers.url(values) if all(values) else None
