"""What an import saw of attributes, events and properties, as the content of the catalogue people review in git."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from orchestrator.audience.bench import Bench
from orchestrator.audience.cell import FORMS
from orchestrator.audience.coercion import as_json
from orchestrator.audience.columns import OWN, literal
from orchestrator.audience.finishing import good
from orchestrator.core.segments.values import DAY_PATTERN, TIME_PATTERN

LOOKED_AT = 1_000
"""Values of each attribute, and events of each name, that are looked at."""

_TEXT = "value ->> '$'"
_KIND = f"""CASE
    WHEN bool_or(json_type(value) = 'OBJECT') THEN NULL
    WHEN bool_and(json_type(value) IN ('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')) THEN 'number'
    WHEN bool_and(json_type(value) = 'BOOLEAN') THEN 'boolean'
    WHEN bool_and(json_type(value) = 'ARRAY') THEN 'list'
    WHEN bool_and(regexp_full_match({_TEXT}, '{TIME_PATTERN}')) THEN 'time'
    WHEN bool_and(regexp_full_match({_TEXT}, '{DAY_PATTERN}')) THEN 'date'
    WHEN bool_and(regexp_full_match({_TEXT}, 'https?://.*')) THEN 'url'
    WHEN bool_and(regexp_full_match({_TEXT}, '{FORMS["email"]}')) THEN 'email'
    WHEN bool_and(regexp_full_match({_TEXT}, '[0-9]+([.][0-9]+){{2,5}}')) THEN 'version'
    ELSE 'text' END"""


@dataclass(frozen=True, slots=True)
class Seen:
    """Kinds in the words of the catalogue: text, number, boolean, date, time, version, list, email, url."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def catalogue_from(seen: Seen, existing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The content of config/data.yaml: what stands there already wins; what is new comes behind it, by name."""
    content = dict(existing or {})
    attributes = dict(content.get("attributes") or {})
    attributes |= {name: kind for name, kind in sorted(seen.attributes.items()) if name not in attributes}
    events = {name: dict(properties or {}) for name, properties in (content.get("events") or {}).items()}
    for name, properties in sorted(seen.events.items()):
        known = events.setdefault(name, {})
        known |= {key: kind for key, kind in sorted(properties.items()) if key not in known}
    return {**content, "attributes": attributes, "events": events}


def attributes_in(bench: Bench) -> dict[str, str]:
    """The attributes of a bench of profiles, those without any value left out."""
    found = {}
    taken = good(bench)
    for number, cell in enumerate(bench.cells):
        if cell.owned and cell.to in OWN:
            if bench.engine.sql(f"SELECT count(*) > 0 FROM read WHERE {taken} AND v{number} IS NOT NULL").fetchall()[0][
                0
            ]:
                found[cell.to] = "email" if cell.to == "email" else "text"
        elif not cell.owned:
            written = as_json(cell.kind, f"CAST(v{number} AS VARCHAR)", f"v{number}") if cell.kind else f"v{number}"
            sample = f"SELECT CAST({written} AS JSON) AS value FROM read WHERE {taken} AND v{number} IS NOT NULL LIMIT {LOOKED_AT}"
            rows = bench.engine.sql(f"SELECT {_KIND} FROM ({sample}) HAVING count(*) > 0").fetchall()
            if rows and rows[0][0]:
                found[cell.to] = rows[0][0]
    return found


def events_in(engine: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, str]]:
    """The events of a table (name, properties) and the properties of each."""
    found: dict[str, dict[str, str]] = {
        name: {} for (name,) in engine.sql(f"SELECT DISTINCT name FROM {table}").fetchall()
    }
    some = " UNION ALL ".join(
        f"(SELECT name, properties FROM {table} WHERE name = {literal(name)} LIMIT {LOOKED_AT})" for name in found
    )
    if not some:
        return found
    rows = engine.sql(
        f"""WITH looked_at AS ({some}), keys AS (SELECT name, properties, unnest(json_keys(properties)) AS key FROM looked_at),
        pairs AS (
            SELECT name, key, json_extract(properties, '/' || replace(replace(key, '~', '~0'), '/', '~1')) AS value FROM keys
        )
        SELECT name, key, {_KIND} FROM pairs WHERE json_type(value) <> 'NULL' GROUP BY name, key"""
    ).fetchall()
    for name, key, kind in rows:
        if kind:
            found[name][key] = kind
    return found
