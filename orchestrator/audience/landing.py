"""Putting people and events into the audience file, inside one transaction: what is new, what changed, what was known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import duckdb

from orchestrator.audience import numbering, opening
from orchestrator.audience.columns import WHO, quoted
from orchestrator.audience.replacing import Share, Whole
from orchestrator.audience.store import Audience
from orchestrator.core.times import DAY

_Count = TypeVar("_Count")

Progress = Callable[[str, int, int], None]
"""Told (`reading` or `writing`, rows done, rows in all); while reading, the whole is an estimate."""

_QUICK = 0.35
"""Seconds for which a slice should keep readers out; slices grow and shrink to meet it."""
_GROUPS = 2 * 122_880
"""Rows the engine keeps and compresses together, one lot for each of two threads: whole lots are written once, others twice."""
_LEAST, _LARGEST = _GROUPS // 16, 4 * _GROUPS
"""Rows of the smallest and the largest slice: opening and closing the file has a price."""

SAME_FOR = 7 * DAY
"""A message id means the same event if their times are no further apart: looking through all of history for every batch
would keep readers out for seconds."""

GONE = "gone:"
"""Prefix of the flag column that says a value is to be deleted."""


def land_events(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    """Append the events of `source` (user, name, time, message_id, properties) that are not there yet; how many were.

    The source is in time order and has no message id twice. Whoever did something has a profile from then on, if an empty one.
    """
    days = connection.sql(f'SELECT DISTINCT "time" // {DAY} FROM {source} ORDER BY 1').fetchall()
    if not days:
        return 0
    spans = _spans([day for (day,) in days])
    looked = " UNION ALL ".join(
        f'SELECT message_id FROM event WHERE "time" BETWEEN {low} AND {high}' for low, high in spans
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS SELECT k.message_id FROM ({looked}) AS k SEMI JOIN {source} AS s ON k.message_id = s.message_id"
    )
    fresh = source
    if connection.sql("SELECT count(*) FROM known").fetchall()[0][0]:
        fresh = f"(SELECT * FROM {source} WHERE message_id NOT IN (SELECT message_id FROM known))"
    numbering.given(connection, fresh)
    done = connection.execute(
        f'INSERT INTO event SELECT "user", name, "time", message_id, properties, {WHO} FROM {fresh} JOIN whose USING ("user")'
    ).fetchone()
    for table in ("known", "whose"):
        connection.execute(f"DROP TABLE {table}")
    return int(done[0]) if done else 0


def _spans(days: Sequence[int]) -> list[tuple[int, int]]:
    """The stretches of history in which events of these days may already stand, in microseconds, both ends included."""
    spans: list[tuple[int, int]] = []
    for day in days:
        low, high = day * DAY - SAME_FOR, (day + 1) * DAY + SAME_FOR
        if spans and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans


def land_people(connection: duckdb.DuckDBPyConnection, source: str, changed: Sequence[str]) -> tuple[int, int]:
    """Change the profiles of `source`: "user", the `changed` columns, a flag gone:COLUMN for each, and `rest`, a JSON patch.

    NULL changes nothing, unless the flag deletes. One row per user. Returns (new, changed); people who differ in nothing
    are not written.
    """
    sets, differs, values = [], [], []
    for name in changed:
        column, gone = quoted(name), quoted(GONE + name)
        sets.append(f"{column} = CASE WHEN i.{gone} THEN NULL ELSE coalesce(i.{column}, profile.{column}) END")
        differs.append(
            f"(i.{gone} AND profile.{column} IS NOT NULL) OR (i.{column} IS NOT NULL AND i.{column} IS DISTINCT FROM profile.{column})"
        )
        values.append(column)
    patched = "json_merge_patch(coalesce(profile.rest, '{}'), i.rest)"
    sets.append(f"rest = CASE WHEN i.rest IS NULL THEN profile.rest ELSE {patched} END")
    differs.append(f"(i.rest IS NOT NULL AND {patched} IS DISTINCT FROM coalesce(profile.rest, '{{}}'))")
    updated = connection.execute(
        f"""UPDATE profile SET {", ".join(sets)} FROM {source} AS i WHERE profile."user" = i."user" AND ({" OR ".join(differs)})"""
    ).fetchone()
    into = ", ".join(['"user"', WHO, *values, "rest"])
    numbering.begin(connection)
    taken = ", ".join(
        ['i."user"', numbering.NUMBER, *(f"i.{value}" for value in values), "json_merge_patch('{}', i.rest)"]
    )
    added = connection.execute(
        f"""INSERT INTO profile ({into}) SELECT {taken}
        FROM {source} AS i LEFT JOIN parted USING ("user") ANTI JOIN profile USING ("user")"""
    ).fetchone()
    return int(added[0]) if added else 0, int(updated[0]) if updated else 0


def land_devices(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    """Add the devices of `source` (user, token, app, platform, seen_at in microseconds) to their profiles; how many were new or changed.

    A token that is known is seen again, never forgotten: what is newer wins, and the latest stands first.
    """
    numbering.given(connection, source)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE known AS
        SELECT "user", device ->> 'token' AS token, device ->> 'app' AS app, device ->> 'platform' AS platform,
            CAST(device ->> 'seen_at' AS BIGINT) AS seen_at
        FROM (
            SELECT "user", unnest(json_extract(devices, '$[*]')) AS device
            FROM profile SEMI JOIN {source} USING ("user") WHERE devices IS NOT NULL
        )"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE latest AS
        SELECT "user", token, coalesce(arg_max(app, seen_at) FILTER (app <> ''), '') AS app,
            coalesce(arg_max(platform, seen_at) FILTER (platform <> ''), '') AS platform, max(seen_at) AS seen_at
        FROM (SELECT * FROM known UNION ALL SELECT "user", token, app, platform, seen_at FROM {source})
        GROUP BY "user", token"""
    )
    connection.execute(
        """UPDATE profile SET devices = s.devices FROM (
            SELECT "user", to_json(list(struct_pack(token := token, app := app, platform := platform, seen_at := seen_at)
                ORDER BY seen_at DESC, token)) AS devices
            FROM latest GROUP BY "user"
        ) AS s WHERE profile."user" = s."user" AND profile.devices IS DISTINCT FROM s.devices"""
    )
    [(changed,)] = connection.sql("SELECT count(*) FROM (FROM latest EXCEPT FROM known)").fetchall()
    for table in ("known", "latest", "whose"):
        connection.execute(f"DROP TABLE {table}")
    return int(changed)


@dataclass(frozen=True, slots=True)
class Landing:
    """How the table `ready` of a workbench lands: in slices, or at once if it replaces the `whole` of what is there."""

    audience: Audience
    progress: Progress
    whole: Whole | None

    def share(self, engine: duckdb.DuckDBPyConnection) -> Share:
        """How much of what is there `ready` speaks of, before it lands."""
        if self.whole is None or not self.audience.path.exists():
            return Share()
        with self.audience.taking(engine):
            return self.whole.share(engine, _READY)

    def run(
        self, engine: duckdb.DuckDBPyConnection, land: Callable[[duckdb.DuckDBPyConnection, str], _Count]
    ) -> tuple[list[_Count], Share]:
        """Land it all; what `land` said of every slice, and how much of what was there was replaced."""
        total = engine.sql("SELECT count(*) FROM ready").fetchall()[0][0]
        wanted = _GROUPS if self.whole is None else total
        said: list[_Count] = []
        share = Share()
        done = 0
        cramped = False
        while done < total or (self.whole is not None and not said):
            inside = perf_counter()
            try:
                with self.audience.taking(engine):
                    inside = perf_counter()
                    engine.execute(
                        f"CREATE OR REPLACE TEMP VIEW incoming AS SELECT * FROM {_READY} "
                        f"WHERE rowid BETWEEN {done} AND {done + wanted - 1}"
                    )
                    if self.whole is not None:
                        share = self.whole.share(engine, "incoming")
                        self.whole.clear(engine, "incoming")
                    landed = land(engine, "incoming")
            except opening.CrampedError:  # what is there is too much for it: nothing of the slice was written
                if cramped:
                    raise
                cramped = True
                opening.unconfine(engine)
                continue
            said.append(landed)
            done = min(done + wanted, total)
            self.progress("writing", done, total)
            wanted = _next(wanted, perf_counter() - inside)
        return said, share


_READY = "memory.main.ready"


def _next(rows: int, took: float) -> int:
    """How many rows to land next, when so many took so many seconds."""
    fit = max(_LEAST, min(_LARGEST, int(rows * min(2.0, _QUICK / took))))
    return fit - fit % _GROUPS if fit > _GROUPS else fit
