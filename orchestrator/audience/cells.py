"""From a file's columns to the cells of a workbench: which column goes where, and as what it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.audience import allowed
from orchestrator.audience.allowed import Allowed
from orchestrator.audience.bench import INSIDE, Bench
from orchestrator.audience.cell import FORMS, Cell
from orchestrator.audience.coercion import PLAIN, Clock
from orchestrator.audience.columns import literal, pointer
from orchestrator.audience.mapping import (
    ADDRESSES,
    CONSENT,
    FIELDS,
    IGNORE,
    NEEDED,
    STOPPED,
    Plan,
    Target,
    What,
    enveloped,
    refuse_consents,
    targets,
    understood,
)
from orchestrator.audience.texts import FileError
from orchestrator.core.segments.tree import Catalogue, Declared, Kind

_NESTED = {What.PROFILES: ("traits", "attributes"), What.EVENTS: ()}
"""Objects whose keys count as if they stood beside them, as tracking libraries write people."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a file: what it tells, how it is mapped, what the catalogue knows, and its name for errors.

    `topics` are those people can agree to; None: nobody has looked.
    """

    what: What
    told: Plan
    catalogue: Catalogue
    where: str
    topics: frozenset[str] | None = None


def cells_of(bench: Bench, asked: Asked, names: Sequence[str] | None, *, json: bool) -> tuple[list[Cell], str]:
    """The cells of the raw rows, and SQL for a row's whole content. `names` is None for JSON lines, which name their own."""
    what = asked.what
    types: dict[str, str] = {}
    if names is None:
        raws, content = _alike(bench, asked, _keys(bench, what)), "json"
    else:
        texts = ", ".join(f"coalesce(CAST(c{place} AS VARCHAR), '')" for place in range(len(names)))
        raws, content = (
            {name: _column(place, json=json) for place, name in enumerate(names)},
            f"concat_ws(chr(31), {texts})",
        )
        there = bench.types() if json else {}
        types = {name: there[f"c{place}"] for place, name in enumerate(names) if there.get(f"c{place}") in PLAIN}
    found = targets(what, list(raws), asked.told, asked.where)
    if asked.topics is not None:
        refuse_consents(found, asked.topics, asked.where)
    cells = [
        _typed(_cell(asked, name, found[name], raw, json=json), types.get(name, ""))
        for name, raw in raws.items()
        if found[name].to != IGNORE and not (names is None and what is What.EVENTS and _wrapped(found[name], name))
    ]
    if (same := asked.told.constants.get("user", "")) in raws and "user" in FIELDS[what]:
        cells.insert(0, _typed(_cell(asked, same, Target("user"), raws[same], json=json), types.get(same, "")))
    if what is What.SUPPRESSIONS and sum(cell.to in ADDRESSES for cell in cells) == 1:
        cells = [replace(cell, required=cell.to in ADDRESSES) for cell in cells]
    if what is What.EVENTS:
        cells += _inside(cells, asked)
    return cells, content if what is What.EVENTS else ""


def _keys(bench: Bench, what: What) -> dict[str, str]:
    """Every key of the JSON lines and the SQL that reads it."""
    raws = {key: f"json_extract(json, {literal(pointer(key))})" for key in bench.keys_of()}
    for outer in _NESTED.get(what, ()):
        if raws.pop(outer, None):
            inner = {key: f"json_extract(json, {literal(pointer(outer, key))})" for key in bench.keys_of(outer)}
            both = {key: f"coalesce({raw}, {raws[key]})" for key, raw in inner.items() if key in raws}
            raws = {**inner, **raws, **both}
    return raws


def _alike(bench: Bench, asked: Asked, raws: Mapping[str, str]) -> dict[str, str]:
    """The same keys; those by which one needed field is known are one key, where no line has two of them.

    Each line of JSON names its own keys, so a file may say `user_id` here and `id` there.
    """
    found, told = dict(raws), asked.told
    said = {target.to for target in told.columns.values()} | set(told.constants)
    for field in NEEDED[asked.what] or sorted(ADDRESSES):
        names = understood(field, [name for name in found if name not in told.columns])
        if len(names) < 2 or field in said:
            continue
        here = [f"nullif({found[name]}, 'null')" for name in names]
        both = " + ".join(f"CAST({raw} IS NOT NULL AS INTEGER)" for raw in here)
        if not bench.engine.sql(f"SELECT 1 FROM raw WHERE {both} > 1 LIMIT 1").fetchall():
            found[names[0]] = f"coalesce({', '.join(here)}, {found[names[0]]})"
            for name in names[1:]:
                del found[name]
    return found


def _column(place: int, *, json: bool) -> str:
    return f"CASE WHEN c{place} IS NOT NULL THEN to_json(c{place}) END" if json else f"c{place}"


def _typed(cell: Cell, stored: str) -> Cell:
    """A cell of a typed file, read without a detour over JSON if its type allows; a text of `properties` is the object itself."""
    if cell.to == "properties" and cell.owned and stored == "VARCHAR":
        cell = replace(cell, kind=Kind.TEXT)
    if not stored or cell.kind is None:
        return cell
    column = cell.raw.removeprefix("CASE WHEN ").partition(" ")[0]
    return replace(cell, raw=column, json=False, stored=stored)


def _wrapped(target: Target, name: str) -> bool:
    return target.to not in FIELDS[What.EVENTS] and enveloped(name)


def _cell(asked: Asked, name: str, target: Target, raw: str, *, json: bool) -> Cell:
    what, catalogue = asked.what, asked.catalogue
    own = FIELDS[what].get(target.to)
    _refuse_kind(asked, name, target)
    consent = target.to.startswith(CONSENT)
    kind = own or target.kind
    if consent or (own and target.to == STOPPED):
        # A word may be told by the time since when it holds.
        kind = Kind.TIME if target.kind is Kind.TIME else Kind.BOOLEAN
    elif target.to == "properties" and own:
        kind = None if json else Kind.TEXT
    elif kind is None:
        known: Mapping[str, Declared] = catalogue.attributes if what is What.PROFILES else properties_of(catalogue)
        kind = known[target.to].kind if target.to in known else None
    return Cell(
        name=name, to=target.to, raw=raw, json=json, kind=kind, clock=target.clock, required=target.to in NEEDED[what],
        owned=own is not None or consent, form=FORMS.get(target.to, "") if own else "",
        declared=what is What.PROFILES and target.to in catalogue.attributes, allowed=_allowed(asked, target.to, own=own is not None),
        words=target.words, decimal=target.decimal,
    )  # fmt: skip


def _refuse_kind(asked: Asked, name: str, target: Target) -> None:
    """FileError for a column that is mapped as another kind than the catalogue says of the attribute it goes to."""
    declared = asked.catalogue.attributes.get(target.to) if asked.what is What.PROFILES else None
    if target.to in FIELDS[asked.what] or declared is None or target.kind in (None, declared.kind):
        return
    raise FileError(
        f"{asked.where}: column {name} is mapped to {target.to} as {target.kind}, and config/data.yaml declares {target.to} as"
        f" {declared.kind}; leave `is` out to read it as {declared.kind}, or map the column to another attribute"
    )


def _allowed(asked: Asked, to: str, *, own: bool) -> tuple[Allowed, ...]:
    """The only values that may go there, if they are known."""
    if to == "topic" and asked.what is What.CONSENT:
        return () if asked.topics is None else (allowed.topics(asked.topics),)
    if asked.what is What.EVENTS:
        return () if own or to not in properties_of(asked.catalogue) else _of_property(asked, to)
    if asked.what is not What.PROFILES or to in FORMS:
        return ()
    if to == "zone":
        return (allowed.zones(),)
    words = allowed.values(asked.catalogue.attributes[to]) if to in asked.catalogue.attributes else None
    return () if words is None else (words,)


def _of_property(asked: Asked, name: str) -> tuple[Allowed, ...]:
    return allowed.of_property(asked.catalogue, name, asked.told.constants.get("event", ""))


def _inside(cells: Sequence[Cell], asked: Asked) -> list[Cell]:
    """Declared properties inside a `properties` object are read as what they are declared to be."""
    known, clock = properties_of(asked.catalogue), Clock(asked.told.zone)
    whole = next((cell for cell in cells if cell.to == "properties" and cell.owned), None)
    taken = {cell.to for cell in cells if not cell.owned}
    if whole is None:
        return []
    wanted = [(name, one.kind) for name, one in known.items() if name not in taken]
    return [
        Cell(
            f"{whole.name}.{name}", name, f"{INSIDE}[{number}]", json=True, kind=kind, clock=clock, place=pointer(name),
            allowed=_of_property(asked, name),
        )
        for number, (name, kind) in enumerate(wanted, 1)
    ]  # fmt: skip


def properties_of(catalogue: Catalogue) -> dict[str, Declared]:
    """The properties of all events; one that is not the same kind everywhere stays as it comes."""
    found: dict[str, Declared] = {}
    torn = set()
    for properties in catalogue.events.values():
        for name, declared in properties.items():
            if found.setdefault(name, declared).kind is not declared.kind:
                torn.add(name)
    return {name: declared for name, declared in found.items() if name not in torn}


def listed(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """Of each property that may have certain values only: those that are good in every event that says so."""
    found: dict[str, frozenset[str]] = {}
    for name in properties_of(catalogue):
        words = [frozenset(one.words) for one in allowed.of_property(catalogue, name)]
        if words:
            found[name] = frozenset.intersection(*words)
    return found
