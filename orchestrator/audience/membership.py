"""Which of many segments given people are in: their own events are read once, and every segment is asked of those alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlglot import exp

from orchestrator.audience.compiling import lists, members, predicate
from orchestrator.audience.grouping import Passes, measured, of_a_crowd
from orchestrator.audience.reader import Reader
from orchestrator.audience.sql_columns import Columns, column, text
from orchestrator.audience.tongue import number
from orchestrator.core.segments import Moment, Segment

USERS = 10_000
"""So many people in one question; more are asked in turn, and each time the events are read again."""
SEGMENTS = 250
"""So many segments in one question, each of which is a column of the answer."""
_EVENT = frozenset({"user", "name", "time", "message_id", "properties"})


def membership(
    audience: Reader, users: Iterable[str], segments: Mapping[str, Segment], moment: Moment
) -> dict[str, frozenset[str]]:
    """The names of the segments that each of these users is in at the moment; none for whom nobody knows.

    Who stands where among everybody (bands, scores, samples) can only be asked of everybody: a question for each such segment.
    """
    asked = list(dict.fromkeys(users))
    crowd = {name: segment for name, segment in segments.items() if of_a_crowd(segment, moment)}
    own = {name: segment for name, segment in segments.items() if name not in crowd}
    found: dict[str, set[str]] = {user: set() for user in asked}
    for some in _steps(asked, USERS):
        for names in _steps(list(own), SEGMENTS):
            for user, flags in _rows(audience, some, [own[name] for name in names], moment):
                found[user].update(name for name, flag in zip(names, flags, strict=True) if flag)
        for name, segment in crowd.items():
            inside = members(segment, moment, audience.columns).where(_among(some, "profile"))
            for (user,) in audience.ask(inside, lists(segment, moment)):
                found[user].add(name)
    return {user: frozenset(names) for user, names in found.items()}


def _rows(
    audience: Reader, users: Sequence[str], segments: Sequence[Segment], moment: Moment
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Each user who is known, and for each segment whether they are in it."""
    columns = audience.columns
    passes = Passes((one for segment in segments for one in measured(segment, moment)), moment, columns)
    query = exp.select(column("profile", "user")).from_("profile")
    for place, segment in enumerate(segments):
        held = predicate(segment.root, moment, columns, measured=passes.test)
        one = exp.Case().when(held, number(1), copy=False).else_(number(0), copy=False)
        query = query.select(exp.alias_(one, f"s{place}", quoted=True, copy=False), copy=False)
    needed = dict.fromkeys(name for segment in segments for name in lists(segment, moment))
    for user, *flags in audience.ask(narrowed(passes.joined(query), users, columns), tuple(needed)):
        yield user, tuple(flags)


def narrowed(query: exp.Select, users: Sequence[str], columns: Columns) -> exp.Select:
    """The same question of tables that hold these users alone, read once however often it names them."""
    read: dict[str, set[str]] = {"profile": {"user", columns.key}, "event": {columns.key}}
    tables: list[exp.Table] = []
    for one in query.walk():
        if isinstance(one, exp.Column) and one.table in read:
            read[one.table].add(one.name)
        elif isinstance(one, exp.Table) and one.name in read:
            tables.append(one)
    read["event"] &= _EVENT | {columns.key}  # a subquery may be called so, too
    for table in tables:
        table.replace(exp.alias_(exp.to_table(_some(table.name)), table.name, copy=False))
    # Whoever reads events reads profiles too; their key is looked up there.
    for name in sorted(dict.fromkeys(table.name for table in tables), reverse=True):
        rows = exp.select(*(column(name, one) for one in sorted(read[name])), copy=False).from_(name, copy=False)
        rows = rows.where(_among(users, name, columns.key), copy=False)
        query = query.with_(_some(name), as_=rows, materialized=columns.tongue.materialized or None, copy=False)
    return exp.select(exp.Star()).from_(query.subquery("answer", copy=False), copy=False)


def _steps(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _some(table: str) -> str:
    return f"some_{table}"


def _among(users: Sequence[str], table: str, key: str = "user") -> exp.Expr:
    if table == "profile" or key == "user":
        return exp.In(this=column(table, "user"), expressions=[text(user) for user in users])
    known = exp.select(column(_some("profile"), key)).from_(_some("profile"))
    return exp.In(this=column(table, key), query=known.subquery(copy=False))
