"""Asking a server of ClickHouse over HTTP: one question a request, its answer a stream of Arrow; nothing is ever written there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlglot import exp

from orchestrator.audience.engines.clickhouse import SETTINGS, TYPES, ClickHouseColumns
from orchestrator.audience.engines.clickhouse_tables import ClickHouseShown
from orchestrator.audience.engines.http_answer import Answer, told
from orchestrator.audience.spool import BATCH
from orchestrator.audience.tongue import template, text
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared, Kind
from orchestrator.wire import WireError
from orchestrator.wire.http_stream import Asking, Streamed, asking

_ASKED: Mapping[str, str | int] = {
    **SETTINGS, "readonly": 2, "max_block_size": BATCH, "default_format": "ArrowStream", "output_format_arrow_string_as_string": 1,
    "cancel_http_readonly_queries_on_client_close": 1,
}  # fmt: skip
"""What goes with each question. Whoever may only read and not set anything (readonly = 1) cannot ask: an empty join would be 0."""
_WRITE_LIKE = "clickhouse://user:${env:NAME}@host:8123/database"


class ClickHouseServer:
    """A database of a server by its URL: `clickhouse://user:password@host:8123/database`, with `?secure=true` for TLS."""

    name = "clickhouse"
    parts = None

    def __init__(self, url: str, declared: Mapping[str, Declared]) -> None:
        self._url, self._auth, self._database = _read(url)
        self.columns = ClickHouseColumns(declared)
        self.shown = ClickHouseShown(self.columns, TYPES)

    @contextmanager
    def visit(self) -> Iterator["_Visit"]:
        """One client a visit; it is not asked before there is a question."""
        with asking(self._url, self._auth) as server:
            yield _Visit(server, self._database)


class _Visit:
    def __init__(self, server: Asking, database: str) -> None:
        self._server = server
        self._database = database

    def table(self, name: str, columns: Mapping[str, Sequence[str]]) -> exp.Select:
        """Out of one JSON text inside the question: a user who only reads has no temporary tables."""
        rows = text(json.dumps(list(zip(*columns.values(), strict=True)), ensure_ascii=False))
        each = template("clickhouse", "arrayJoin(JSONExtract(rows, 'Array(Array(String))'))", rows=rows)
        query = exp.select().from_(exp.select(exp.alias_(each, "row_")).subquery(name))
        for place, one in enumerate(columns, 1):
            value = template("clickhouse", f"arrayElement(row_, {place})")
            query = query.select(exp.alias_(value, one, quoted=True), copy=False)
        return query

    def batches(self, sql: str) -> Iterator[Any]:
        """As the server streams them."""
        with self._answered(sql, {**_ASKED, "database": self._database}) as found:
            answer = Answer(found.pieces, self._server.url)
            for batch in answer.batches():
                for start in range(0, batch.num_rows, BATCH):
                    yield batch.slice(start, BATCH)

    def fields(self, table: str) -> list[str]:
        """As the server describes it."""
        named = exp.to_table(table, dialect="clickhouse").sql("clickhouse")
        return [name for batch in self.batches(f"DESCRIBE TABLE {named}") for name in batch.column(0).to_pylist()]

    def unfit(self) -> str:
        """By asking for every kind of value: what a server cannot read, it says then."""
        with self._answered("SELECT version()", {"default_format": "TSV"}) as found:
            version = b"".join(found.pieces).decode(errors="replace").strip()[:40]
        columns = ClickHouseColumns()
        of = exp.select(exp.alias_(text("{}"), "rest", quoted=True)).subquery("profile")
        kinds = [columns.read("profile", "rest", "x", kind) for kind in Kind]
        try:
            for _ in self.batches(exp.select(*kinds).from_(of).sql("clickhouse")):
                pass
        except StoreError as problem:
            return f"ClickHouse {version} cannot answer segments ({problem})"
        return ""

    @contextmanager
    def _answered(self, sql: str, settings: Mapping[str, str | int]) -> Iterator[Streamed]:
        """The answer while it comes; StoreError for whatever the server, or the way to it, has to say against it."""
        try:
            with self._server.ask(sql, settings) as found:
                if found.status != HTTPStatus.OK or "x-clickhouse-exception-code" in found.headers:
                    said = told(b"".join(found.pieces))
                    raise StoreError(f"clickhouse: {said or f'{self._server.url} answered {found.status}'}")
                yield found
        except WireError as problem:
            raise StoreError(f"clickhouse: {problem}") from problem


def _read(url: str) -> tuple[str, tuple[str, str] | None, str]:
    """Where to ask, as whom, and for which database; StoreError never quotes a password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        host, port, options = None, None, {}
        parts = urlsplit("clickhouse://")
    secure = options.pop("secure", "false")
    database = unquote(parts.path).strip("/")
    if not host or options or secure not in {"true", "false"} or "/" in database or parts.fragment:
        raise StoreError(f"clickhouse: cannot read the address of the server. Write it like {_WRITE_LIKE}, for TLS with ?secure=true and nothing else behind it")  # fmt: skip
    scheme, usual = ("https", 8443) if secure == "true" else ("http", 8123)
    named = f"[{host}]" if ":" in host else host
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return f"{scheme}://{named}:{port or usual}/", auth, database or "default"
