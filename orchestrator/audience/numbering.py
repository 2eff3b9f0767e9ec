"""The whole number that stands for a user beside their events. It is given with the profile and stays as long as there are events.

Whoever goes with a file that replaces all people may leave events behind; `parted` keeps their number, in case they come back.
"""

import duckdb

from orchestrator.audience.columns import EVENT, PROFILE, WHO, quoted

_NUMBERED = f'(SELECT "user", {WHO} FROM profile UNION ALL SELECT "user", {WHO} FROM parted)'


NUMBER = f"coalesce(parted.{WHO}, nextval('next_number'))"
"""SQL for the number of new people, to whom `parted` is joined; after `begin`."""


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Let new numbers begin after the highest that anybody has. Rows are not numbered in their order, which would take one thread."""
    highest = connection.sql(f"SELECT coalesce(max({WHO}), 0) FROM {_NUMBERED}").fetchall()[0][0]
    connection.execute(f"CREATE OR REPLACE TEMP SEQUENCE next_number START {highest + 1}")


def number_of(connection: duckdb.DuckDBPyConnection, user: str) -> int | None:
    """A user's number; None for one of whom there are neither a profile nor events."""
    found = connection.execute(f'SELECT {WHO} FROM {_NUMBERED} WHERE "user" = ?', [user]).fetchone()
    return int(found[0]) if found else None


def given(connection: duckdb.DuckDBPyConnection, users: str) -> None:
    """Make the temporary table `whose` ("user", who) of all of these users (SQL: a column "user"), and a profile for those without."""
    begin(connection)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE whose AS SELECT "user", coalesce(p.{WHO}, {NUMBER}) AS {WHO}, p.{WHO} IS NULL AS new
        FROM (SELECT DISTINCT "user" FROM {users}) LEFT JOIN profile AS p USING ("user") LEFT JOIN parted USING ("user")"""
    )
    connection.execute(f'INSERT INTO profile ("user", {WHO}) SELECT "user", {WHO} FROM whose WHERE new')


def given_to(connection: duckdb.DuckDBPyConnection, user: str) -> int | None:
    """A profile for one user, who may have one: the number."""
    if connection.execute('SELECT 1 FROM profile WHERE "user" = ?', [user]).fetchone():
        return number_of(connection, user)
    connection.execute('CREATE OR REPLACE TEMP TABLE one AS SELECT CAST(? AS VARCHAR) AS "user"', [user])
    given(connection, "one")
    for table in ("one", "whose"):
        connection.execute(f"DROP TABLE {table}")
    return number_of(connection, user)


def part(connection: duckdb.DuckDBPyConnection, gone: str) -> None:
    """Keep the numbers of people who are about to lose their profile (SQL: a condition on `profile`), if they have events."""
    connection.execute(
        f'INSERT INTO parted SELECT "user", {WHO} FROM profile WHERE ({gone}) AND {WHO} IN (SELECT {WHO} FROM event) '
        f"AND {WHO} NOT IN (SELECT {WHO} FROM parted)"
    )


def upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Give everybody in a file of an older release a number, and their events too: one pass, inside the caller's transaction."""
    connection.execute("CREATE TEMP TABLE former AS SELECT * FROM profile")
    connection.execute("DROP TABLE profile")
    connection.execute("ALTER TABLE event RENAME TO unnumbered")
    for table in (PROFILE, EVENT):
        connection.execute(table)
    declared = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'former'"
    ).fetchall()
    for name, kind in declared:
        connection.execute(f"ALTER TABLE profile ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}")
    begin(connection)
    connection.execute(f"INSERT INTO profile BY NAME SELECT *, nextval('next_number') AS {WHO} FROM former")
    connection.execute(
        """INSERT INTO parted SELECT "user", nextval('next_number')
        FROM (SELECT DISTINCT "user" FROM unnumbered ANTI JOIN profile USING ("user"))"""
    )
    connection.execute(
        f'INSERT INTO event BY NAME SELECT e.*, n.{WHO} FROM unnumbered AS e JOIN {_NUMBERED} AS n USING ("user")'
    )
    for table in ("former", "unnumbered"):
        connection.execute(f"DROP TABLE {table}")
