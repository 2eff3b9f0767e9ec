"""Two ids that turn out to be one person: what the old one was and did becomes the new one's."""

import duckdb

from orchestrator.audience import numbering
from orchestrator.audience.columns import WHO, quoted
from orchestrator.audience.landing import land_devices
from orchestrator.audience.shaping import columns


def merge(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> None:
    """Give everything of the id `old` to `new`; where both say something, the new one is right."""
    was = numbering.number_of(connection, old)
    if was is None:
        return
    known = connection.execute('SELECT 1 FROM profile WHERE "user" = ?', [old]).fetchone()
    becomes = numbering.given_to(connection, new) if known else numbering.number_of(connection, new)
    if becomes is None:  # neither has a profile any more
        connection.execute("INSERT INTO parted VALUES (?, ?)", [new, was])
        becomes = was
    connection.execute(f'UPDATE event SET "user" = ?, {WHO} = ? WHERE {WHO} = ?', [new, becomes, was])
    connection.execute('DELETE FROM parted WHERE "user" = ?', [old])
    if not known:
        return
    connection.execute('CREATE OR REPLACE TEMP TABLE former AS SELECT * FROM profile WHERE "user" = ?', [old])
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE carried AS
        SELECT ? AS "user", device ->> 'token' AS token, device ->> 'app' AS app, device ->> 'platform' AS platform,
            CAST(device ->> 'seen_at' AS BIGINT) AS seen_at
        FROM (SELECT unnest(json_extract(devices, '$[*]')) AS device FROM former)""",
        [new],
    )
    kept = [name for name in columns(connection) if name not in ("user", "devices", "rest", WHO)]
    sets = [f"{quoted(name)} = coalesce(profile.{quoted(name)}, f.{quoted(name)})" for name in kept]
    sets.append("rest = json_merge_patch(coalesce(f.rest, '{}'), coalesce(profile.rest, '{}'))")
    connection.execute(f"""UPDATE profile SET {", ".join(sets)} FROM former AS f WHERE profile."user" = ?""", [new])
    land_devices(connection, "carried")
    connection.execute('DELETE FROM profile WHERE "user" = ?', [old])
    connection.execute("DROP TABLE former")
    connection.execute("DROP TABLE carried")
