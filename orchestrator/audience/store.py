"""The audience: everybody we know, what they are and what they did, in one DuckDB file."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
from sqlglot import exp
from sqlglot.dialects import duckdb as _dialect  # noqa: F401 - else every planner's first question would import it

from orchestrator.audience import gates, opening, shaping, slicing, spool
from orchestrator.audience.casting import Question
from orchestrator.audience.lists import fill_lists, read_list
from orchestrator.audience.spool import Spool
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.errors import Mistake, OtherEnvironmentError, StoreError
from orchestrator.core.segments.tree import Declared
from orchestrator.core.times import Instant

_Answer = TypeVar("_Answer")

OURS = "duckdb"
"""How the URL of an audience of our own begins."""

AMONG = "among"
"""The users an answer is narrowed to, as a table of one connection."""

HOLD = 5.0
"""Seconds a reader may keep writers out; a longer question is asked of a copy of the file."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is; `newest` is the time of the latest event (0 without one)."""

    profiles: int
    events: int
    newest: Instant


class Audience:
    """One audience file. Every visit opens it, reads or writes, and closes it again, so any process may come any time."""

    def __init__(
        self,
        path: Path,
        root: Path,
        attributes: Mapping[str, Declared],
        give_up: gates.GiveUp | None = None,
        environment: str = "",
    ) -> None:
        """`give_up` says whether whoever waits for the file is not to wait any longer; they get a HeldError then.

        What is written belongs to `environment` from then on, if one is named.
        """
        self.path = path
        self.environment = environment
        self.give_up = give_up
        self.root = root
        self.attributes = attributes
        self.hold = HOLD
        self.spools = path.parent / "spool"

    @classmethod
    def open(
        cls,
        url: str,
        root: Path,
        attributes: Mapping[str, Declared] | None = None,
        give_up: gates.GiveUp | None = None,
        environment: str = "",
    ) -> "Audience":
        """The audience at `duckdb:PATH` (relative to `root`), with a column for every attribute the catalogue declares.

        A file that is not there yet is made by the first import; reading it before that is a StoreError. With
        `environment`, it belongs to that one; OtherEnvironmentError, and nothing is written, if it has another.
        """
        kind, _, place = url.partition(":")
        if kind != OURS or not place:
            # The rest of an address may hold a password.
            raise StoreError(
                f"stores.audience: {kind}: is only read: its tables belong to whoever fills them; change them there, or"
                " keep an audience of our own: write duckdb:data/audience.duckdb"
            )
        made = cls(root / place, root, dict(attributes or {}), give_up, environment)
        shaping.refuse_twins(made.attributes)
        if made.path.exists():
            made._catch_up()
        return made

    def _catch_up(self) -> None:
        """Give attributes that were declared since the last time their columns, and a file that is nobody's its environment."""
        with opening.to_read(self.path, self.give_up) as connection:
            owner = self._refuse_other(shaping.owner(connection))
            due = shaping.missing(connection, self.attributes)
        if due or owner != self.environment:
            with self.writing():
                pass

    def _refuse_other(self, owner: str) -> str:
        """Whose it is (ours, where nobody asks whose), if it is no other environment's."""
        if not self.environment:
            return ""
        if owner and owner != self.environment:
            raise OtherEnvironmentError(f"audience {self.path}", owner, self.environment)
        return owner

    def _shape(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Tables and columns in place, and our environment's name, unless it has another's: then nothing is written."""
        owner = self._refuse_other(shaping.owner(connection))
        shaping.shape(connection, self.attributes)
        if owner != self.environment:
            connection.execute("INSERT INTO belongs VALUES (?)", [self.environment])

    @contextmanager
    def reading(self, lists: Sequence[str] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection with these lists (paths as written in segments) in `list_member`. Leave it soon."""
        people = [read_list(self.root, name) for name in dict.fromkeys(lists)]
        with opening.to_read(self.path, self.give_up) as connection:
            fill_lists(connection, people)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction on the file, its tables and columns in place."""
        with opening.to_write(self.path, self.give_up) as connection:
            self._shape(connection)
            yield connection

    @contextmanager
    def taking(self, engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """One transaction on the file by an engine of one's own, whose tables are in `memory.main` meanwhile."""
        with opening.attached(engine, self.path, self.give_up), opening.transaction(engine):
            self._shape(engine)
            yield

    def rows(self, sql: str, parameters: Sequence[Any] = (), *, lists: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """A small answer, in memory."""
        return self._ask(lambda connection: connection.execute(sql, list(parameters)).fetchall(), lists)

    def ask(self, query: exp.Select, lists: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """The same of a question the compiler wrote."""
        return self.rows(query.sql("duckdb"), lists=lists)

    @property
    def columns(self) -> DuckColumns:
        """Where the file keeps what."""
        return DuckColumns(self.attributes)

    def cast(self, question: Question, order: Sequence[str] = ("user",), among: Sequence[str] | None = None) -> Spool:
        """The people of a run with what is asked of them, as `members`."""
        return self.members(question.query.sql("duckdb"), question.columns, order=order, lists=question.lists, among=among)  # fmt: skip

    def members(
        self,
        sql: str,
        columns: Sequence[str] = (),
        *,
        order: Sequence[str] = ("user",),
        lists: Sequence[str] = (),
        among: Sequence[str] | None = None,
    ) -> Spool:
        """The rows of `sql` (which has a column "user"), each with these columns of its profile, in this order.

        With `among`, only those of these users.
        The answer is on disk when this returns and the engine is free; close the spool to remove the file.
        """
        some = "" if among is None else f' SEMI JOIN {AMONG} USING ("user")'
        to = spool.fresh(self.spools)

        def fill(connection: duckdb.DuckDBPyConnection) -> Spool:
            if among is not None:
                connection.register(AMONG, pa.table({"user": pa.array(among, pa.string())}))
            people = f"SELECT * FROM ({sql}){some}"
            return spool.answered(lambda: slicing.in_order(connection, people, columns, order), to)

        return self._ask(fill, lists)

    def counts(self) -> Counts:
        """How many people and events there are."""
        found = self.rows(
            'SELECT (SELECT count(*) FROM profile), (SELECT count(*) FROM event), (SELECT coalesce(max("time"), 0) FROM event)'
        )
        return Counts(found[0][0], found[0][1], Instant(found[0][2]))

    def newest(self, events: Iterable[str], now: Instant) -> dict[str, Instant]:
        """The time of the latest event of each of these names until now; names without one are left out."""
        names = list(events)
        if not names:
            return {}
        marks = ", ".join("?" for _ in names)
        query = f'SELECT name, max("time") FROM event WHERE name IN ({marks}) AND "time" <= ? GROUP BY name'
        found = self.rows(query, [*names, now])
        return {name: Instant(at) for name, at in found}

    def mistakes(self) -> list[Mistake]:
        """None: its tables are ours."""
        return []

    def doubled(self) -> list[Mistake]:
        """None: its profiles have a key."""
        return []

    def erase(self, user: str) -> bool:
        """Remove a person and all they did: from now on no query finds them. False if nobody was known by this id.

        Their bytes go with the next `compact`.
        """
        with self.writing() as connection:
            gone = 0
            for table in ("profile", "event", "parted"):
                found = connection.execute(f'DELETE FROM {table} WHERE "user" = ?', [user]).fetchone()
                gone += found[0] if found else 0
        return gone > 0

    def compact(self) -> None:
        """Write the file anew, events in time order, and swap it in: erased people are gone from the disk as well."""
        fresh = self.path.with_name(self.path.name + ".new")
        for old in (fresh, fresh.with_name(fresh.name + ".wal")):
            old.unlink(missing_ok=True)
        with gates.writing(self.path, self.give_up), opening.opened(self.path, read_only=False) as connection:
            shaping.copy(connection, fresh)
            connection.execute("CHECKPOINT")
            connection.close()
            fresh.replace(self.path)

    def _ask(self, question: Callable[[duckdb.DuckDBPyConnection], _Answer], lists: Sequence[str]) -> _Answer:
        """Ask one question within the time readers have, or of a copy of the file if it takes longer."""
        people = [read_list(self.root, name) for name in dict.fromkeys(lists)]
        try:
            with opening.to_read(self.path, self.give_up) as connection:
                fill_lists(connection, people)
                limit = Timer(self.hold, connection.interrupt)
                limit.start()
                try:
                    return question(connection)
                finally:
                    limit.cancel()
        except StoreError as problem:
            if not isinstance(problem.__cause__, duckdb.InterruptException):
                raise
        with self._copied() as copy, opening.opened(copy, read_only=True) as connection:
            fill_lists(connection, people)
            return question(connection)

    @contextmanager
    def _copied(self) -> Iterator[Path]:
        """A copy of the file as of now, gone afterwards."""
        copy = spool.fresh(self.spools)
        try:
            with gates.reading(self.path, self.give_up):
                shutil.copyfile(self.path, copy)
                log = self.path.with_name(self.path.name + ".wal")
                if log.exists():
                    shutil.copyfile(log, copy.with_name(copy.name + ".wal"))
            yield copy
        finally:
            for file in (copy, copy.with_name(copy.name + ".wal")):
                file.unlink(missing_ok=True)
