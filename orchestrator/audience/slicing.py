"""A run's people in order, a slice at a time: what the engine holds in memory does not grow with the audience."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from orchestrator.audience.columns import quoted
from orchestrator.audience.spool import BATCH

PEOPLE_A_SLICE = 25_000
SLICES = 40
"""At most so many: each looks through all profiles once, so that a run of ten million takes ten times what one million takes."""
ROOM = "64MB"
"""What the engine may take for one slice; a sort spills beside the file then."""
_SAMPLE = 64
"""People drawn for each slice to find where it ends; slices then differ in size by an eighth or so."""


def in_order(connection: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[str], order: Sequence[str]) -> Any:
    """The rows of `sql` (which has a column "user"), each with these columns of its profile (`pyarrow.RecordBatchReader`).

    `order` is ("user",) or ("zone", "user"). Who is in it is found once and kept, by user and zone only, in a table of this
    connection; their profiles are read and sorted slice by slice.
    """
    zone = "" if order == ("user",) else ", coalesce(p.zone, '') AS in_zone"
    home = ' LEFT JOIN profile AS p USING ("user")' if zone else ""
    connection.execute(f"CREATE TEMP TABLE chosen AS SELECT m.*{zone} FROM ({sql}) AS m{home}")
    slices = _Slices(connection, columns, by_zone=bool(zone))
    return pa.RecordBatchReader.from_batches(slices.schema, slices.batches())


class _Slices:
    def __init__(self, connection: duckdb.DuckDBPyConnection, columns: Sequence[str], *, by_zone: bool) -> None:
        self._connection = connection
        self._keys = ("in_zone", '"user"') if by_zone else ('"user"',)
        more = "".join(f", p.{quoted(column)}" for column in columns)
        hidden = " EXCLUDE (in_zone)" if by_zone else ""
        self._query = (
            f"SELECT m.*{hidden}{more} FROM (SELECT * FROM chosen WHERE {{inside}}) AS m"
            ' LEFT JOIN (SELECT * FROM profile WHERE {near}) AS p USING ("user")'
            f" ORDER BY {', '.join(f'm.{key}' for key in self._keys)} OFFSET {{done}}"
        )
        self._by_zone = by_zone
        nobody = self._query.format(inside="false", near="false", done=0)
        self.schema = connection.sql(nobody).to_arrow_reader(BATCH).schema

    def batches(self) -> Iterator[Any]:
        cuts = self._cuts()
        self._room(ROOM)
        for low, high in zip((None, *cuts), (*cuts, None), strict=True):
            yield from self._slice(low, high)

    def _slice(self, low: tuple[str, ...] | None, high: tuple[str, ...] | None) -> Iterator[Any]:
        done = 0
        try:
            for batch in self._rows(low, high, done):
                yield batch
                done += batch.num_rows
        except duckdb.OutOfMemoryException:  # people of many columns: better with more memory than not at all
            self._room(None)
            yield from self._rows(low, high, done)

    def _rows(self, low: tuple[str, ...] | None, high: tuple[str, ...] | None, done: int) -> Iterator[Any]:
        inside, near = ["true"], ["true"]
        values: dict[str, str] = {}
        for end, sign, among in ((low, ">", "low"), (high, "<", "high")):
            if end is None:
                continue
            values |= {f"{among}_{place}": value for place, value in enumerate(end)}
            inside.append(_beyond(self._keys, sign, among))
            near.append(f"coalesce(zone, '') {sign}= ${among}_0" if self._by_zone else f'"user" {sign}= ${among}_0')
        if self._by_zone and low is not None and high is not None and low[0] == high[0]:
            near.append('"user" BETWEEN $low_1 AND $high_1')
        query = self._query.format(inside=" AND ".join(inside), near=" AND ".join(near), done=done)
        yield from self._connection.sql(query, params=values).to_arrow_reader(BATCH)

    def _cuts(self) -> list[tuple[str, ...]]:
        """Where one slice ends and the next begins, in order."""
        found = self._connection.execute("SELECT count(*) FROM chosen").fetchone()
        people = found[0] if found else 0
        slices = min(SLICES, -(-people // PEOPLE_A_SLICE))
        if slices < 2:
            return []
        keys = ", ".join(self._keys)
        drawn = self._connection.execute(
            f"SELECT {keys} FROM (SELECT {keys} FROM chosen USING SAMPLE reservoir({slices * _SAMPLE} ROWS) REPEATABLE (1))"
            f" ORDER BY {keys}"
        ).fetchall()
        return [*dict.fromkeys(drawn[number * len(drawn) // slices] for number in range(1, slices))]

    def _room(self, size: str | None) -> None:
        """What the engine may take; what it holds already and cannot let go of, it keeps."""
        try:
            self._connection.execute("RESET memory_limit" if size is None else f"SET memory_limit = '{size}'")
        except duckdb.OutOfMemoryException:
            return


def _beyond(keys: Sequence[str], sign: str, end: str) -> str:
    """Whether a row stands on this side of an end; the lower end belongs to the slice, the upper to the next."""
    *before, last = (f"${end}_{place}" for place in range(len(keys)))
    told = f"{keys[-1]} {'>=' if sign == '>' else '<'} {last}"
    for key, value in zip(keys, before, strict=False):
        told = f"({key} {sign} {value} OR ({key} = {value} AND {told}))"
    return told
