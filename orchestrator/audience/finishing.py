"""From typed cells to what is written: events, people, devices, people's words and stopped addresses, as SQL over a bench."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import duckdb

from orchestrator.audience import subscribing
from orchestrator.audience.bench import Bench
from orchestrator.audience.cell import Cell
from orchestrator.audience.columns import OWN, home, literal, quoted
from orchestrator.audience.landing import GONE
from orchestrator.audience.mapping import ADDRESSES, CONSENT, EVERY, STOPPED
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.tree import Kind
from orchestrator.core.times import Instant


def good(bench: Bench) -> str:
    """SQL: rows that have everything they need."""
    needed = [f"v{number} IS NOT NULL" for number, cell in enumerate(bench.cells) if cell.required]
    return " AND ".join(needed) or "TRUE"


def events(bench: Bench, event: str | None) -> str:
    """SQL for events, each message id once; `event` is the name of them all. Rows without a message id get one made of what they say, counted
    among those that say the same: the same file twice is the same events, and equal lines of one file stay apart.
    """
    name = literal(event) if event is not None else bench.column("event")
    number = bench.number("message_id")
    message, joined = _made_ids(bench)
    once = ""
    if number is not None:
        message = f"coalesce(v{number}, {message})"
        ids = f"SELECT count(DISTINCT {message}) = count(*) FROM read{joined} WHERE {good(bench)}"
        if not bench.engine.sql(ids).fetchall()[0][0]:
            once = " QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY line) = 1"
    return (
        f'SELECT {bench.column("user")} AS "user", {name} AS name, {bench.column("time")} AS "time", '
        f"{message} AS message_id, {_properties(bench)} AS properties FROM read{joined} WHERE {good(bench)}{once}"
    )


def in_order(engine: duckdb.DuckDBPyConnection, events: str) -> None:
    """Make the table `ready` of these events (SQL), in the order of time; most files are in it already."""
    engine.execute(f"CREATE TABLE ready AS {events}")
    told = 'SELECT "time" AS moment, lag("time") OVER () AS previous FROM ready'
    if engine.sql(f"SELECT coalesce(bool_and(moment >= previous), TRUE) FROM ({told})").fetchall()[0][0]:
        return
    engine.execute("ALTER TABLE ready RENAME TO unordered")
    engine.execute('CREATE TABLE ready AS SELECT * FROM unordered ORDER BY "time", message_id')
    engine.execute("DROP TABLE unordered")


def _made_ids(bench: Bench) -> tuple[str, str]:
    """SQL for the id of a row that has none, and the join it needs. Only rows with a twin have to be counted, and few have."""
    bench.engine.execute(
        """CREATE OR REPLACE TABLE twins AS SELECT line, row_number() OVER (PARTITION BY hash ORDER BY line) AS twin FROM read
        WHERE hash IN (SELECT hash FROM read WHERE hash IS NOT NULL GROUP BY hash HAVING count(*) > 1)"""
    )
    if bench.engine.sql("SELECT count(*) FROM twins").fetchall()[0][0]:
        return "hash || '-' || coalesce(twin, 1)", " LEFT JOIN twins USING (line)"
    return "hash || '-1'", ""


def _properties(bench: Bench) -> str:
    cells = [(number, cell) for number, cell in enumerate(bench.cells) if not cell.owned]
    base = bench.number("properties")
    if base is None:
        return json_patch(cells, lambda _: "FALSE")
    text = f"CAST(v{base} AS VARCHAR)"
    whole = f"CASE WHEN json_valid({text}) AND json_type({text}) = 'OBJECT' THEN {text} ELSE '{{}}' END"
    wrong = json_patch(cells, lambda n: f"x{n} OR (t{n} IS NOT NULL AND v{n} IS NULL)")
    # Most objects say nothing that had to be read otherwise, and merging would only write them anew.
    differs = " OR ".join(f"x{n} OR t{n} IS NOT NULL OR o{n} IS NOT NULL" for n, _ in cells) or "FALSE"
    return f"CASE WHEN {differs} OR contains({text}, ' ') THEN json_merge_patch({whole}, {wrong}) ELSE {whole} END"


def json_patch(cells: Sequence[tuple[int, Cell]], deleted: Callable[[int], str]) -> str:
    """SQL for a JSON object of the cells that say something; null for those that `deleted` (SQL by cell number) names."""
    parts = []
    for number, cell in cells:
        key = literal(json.dumps(cell.to, ensure_ascii=False) + ":")
        null = literal(json.dumps(cell.to, ensure_ascii=False) + ":null")
        parts.append(f"CASE WHEN {deleted(number)} THEN {null} WHEN o{number} IS NOT NULL THEN {key} || o{number} END")
    return f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'" if parts else "'{}'"


def columns_of(bench: Bench, declared: Collection[str]) -> dict[str, int]:
    """The profile's columns that the file speaks of, and the cell of each."""
    found: dict[str, int] = {}
    for number, cell in enumerate(bench.cells):
        if cell.owned and cell.to in OWN:
            found[cell.to] = number
        elif not cell.owned and cell.to in declared:
            found[home(cell.to)] = number
    return found


def people(bench: Bench, declared: Collection[str]) -> str:
    """SQL for changes of profiles, one row a user: of several lines about one person, each value's last one counts."""
    columns = columns_of(bench, declared)
    rest = [(n, cell) for n, cell in enumerate(bench.cells) if not cell.owned and cell.to not in declared]
    user = bench.column("user")
    kept = sorted({*columns.values(), *(number for number, _ in rest)})
    parts = ['"user"']
    for name, number in columns.items():
        parts += [f"v{number} AS {quoted(name)}", f"x{number} AS {quoted(GONE + name)}"]
    patch = json_patch(rest, lambda number: f"x{number}")
    parts.append(f"nullif({patch}, '{{}}') AS rest" if rest else "CAST(NULL AS VARCHAR) AS rest")
    latest = [f'{user} AS "user"']
    with_json = {number for number, _ in rest}
    for number in kept:
        said = f"FILTER (v{number} IS NOT NULL OR x{number})"
        letters = "vo" if number in with_json else "v"
        latest += [f"arg_max_null({letter}{number}, line) {said} AS {letter}{number}" for letter in letters]
        latest.append(f"coalesce(arg_max(x{number}, line) {said}, FALSE) AS x{number}")
    one = f"(SELECT {', '.join(latest)} FROM read WHERE {good(bench)} GROUP BY ALL)"
    if _apart(bench, user):
        one = f'(SELECT {user} AS "user", * FROM read WHERE {good(bench)})'
    return f"SELECT {', '.join(parts)} FROM {one}"


def _apart(bench: Bench, user: str) -> bool:
    """Whether every line is about somebody else."""
    return bool(
        bench.engine.sql(f"SELECT count(DISTINCT {user}) = count(*) FROM read WHERE {good(bench)}").fetchall()[0][0]
    )


def devices(bench: Bench, constants: Mapping[str, str], now: Instant) -> str:
    """SQL for the devices the file speaks of; those without a time were seen now."""
    fixed = {
        name: f"coalesce({bench.column(name)}, {literal(constants.get(name, ''))})" for name in ("app", "platform")
    }
    platform = subscribing.platform(bench.column("device"), f"lower({fixed['platform']})")
    return (
        f'SELECT {bench.column("user")} AS "user", {bench.column("device")} AS token, {fixed["app"]} AS app, '
        f"{platform} AS platform, CAST(coalesce({bench.column('seen_at')}, {now}) AS BIGINT) AS seen_at "
        f"FROM read WHERE {good(bench)} AND {bench.column('device')} IS NOT NULL"
    )


def consent(bench: Bench, constants: Mapping[str, str], source: str, now: Instant, topics: Collection[str] = ()) -> str:
    """SQL for people's words: user, channel, topic, granted, time, source, proof; in the order of the file.

    Of one row, a no comes before a yes of the same moment: of two such words the ledger takes the first. `topics` are all there are.
    """
    time = f"CAST(coalesce({bench.column('time')}, {now}) AS BIGINT)"
    common = f"coalesce({bench.column('source')}, {literal(source)}) AS source, coalesce({bench.column('proof')}, '') AS proof"
    parts = []
    for number, cell in enumerate(bench.cells):
        if cell.owned and cell.to.startswith(CONSENT):
            granted, at = _answer(number, cell, time)
            parts += [
                _word(bench, literal(channel), literal(topic), granted, at, common)
                for channel, topic in _meant(cell.to, topics)
            ]
    if bench.number("granted") is not None:
        channel, topic = (
            f"coalesce({bench.column(name)}, {literal(constants.get(name, ''))})" for name in ("channel", "topic")
        )
        parts.append(_word(bench, f"lower({channel})", topic, bench.column("granted"), time, common))
    words = " UNION ALL ".join(parts)
    return words and f"SELECT * EXCLUDE (line) FROM ({words}) ORDER BY line, granted, channel, topic"


def _meant(to: str, topics: Collection[str]) -> Iterator[tuple[str, str]]:
    """The channels and topics that a target `consent.CHANNEL.TOPIC` is about."""
    channel, _, topic = to.removeprefix(CONSENT).partition(".")
    for one in Channel if channel == EVERY else (channel,):
        for other in sorted(topics) if topic == EVERY else (topic,):
            yield str(one), other


def _answer(number: int, cell: Cell, time: str) -> tuple[str, str]:
    """SQL: yes, no or NULL, and since when. A time that cannot be read leaves the word itself, which must not be lost."""
    if cell.kind is not Kind.TIME or cell.words is None:
        return f"v{number}", time
    said = f"v{number} IS NOT NULL OR t{number} IS NOT NULL"
    return f"CASE WHEN {said} THEN {cell.words.any} END", f"CAST(coalesce(v{number}, {time}) AS BIGINT)"


def _word(bench: Bench, channel: str, topic: str, granted: str, time: str, common: str) -> str:
    return (
        f'SELECT line, {bench.column("user")} AS "user", {channel} AS channel, {topic} AS topic, {granted} AS granted, '
        f'{time} AS "time", {common} FROM read WHERE {good(bench)} AND {granted} IS NOT NULL'
    )


def suppressions(
    bench: Bench, constants: Mapping[str, str], now: Instant, *, addresses: Collection[str] = ADDRESSES
) -> str:
    """SQL for addresses nothing may go to: channel, address, reason, time. Where a column says who is stopped, only theirs."""
    time = f"CAST(coalesce({bench.column('time')}, {now}) AS BIGINT)"
    reason = f"coalesce({bench.column('reason')}, {literal(constants.get('reason', 'imported'))})"
    whose = "TRUE"
    if (stopped := bench.number(STOPPED)) is not None:
        said, time = _answer(stopped, bench.cells[stopped], time)
        whose = f"coalesce({said}, FALSE)"
    parts = [
        f'SELECT line, {literal(channel)} AS channel, v{number} AS address, {reason} AS reason, {time} AS "time" '
        f"FROM read WHERE {whose} AND v{number} IS NOT NULL"
        for name, channel in (("email", "email"), ("phone", "sms"), ("device", "push"))
        if name in addresses and (number := bench.number(name)) is not None
    ]
    return f"SELECT * EXCLUDE (line) FROM ({' UNION ALL '.join(parts)}) ORDER BY line" if parts else ""
