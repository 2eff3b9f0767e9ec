"""Builders for the audience's tests: a store in a folder, a file with these lines, an import of it."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.audience.importing import Imported, Order, import_file
from orchestrator.audience.mapping import What
from orchestrator.audience.replacing import Loss
from orchestrator.audience.store import Audience
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from orchestrator.core.times import Instant

NOW = Instant(1_900_000_000_000_000)

SHOP = Catalogue(
    {
        "email": Declared(Kind.TEXT),
        "country": Declared(Kind.TEXT),
        "score": Declared(Kind.NUMBER),
        "vip": Declared(Kind.BOOLEAN),
        "born": Declared(Kind.DATE),
        "createdAt": Declared(Kind.TIME),
        "app_version": Declared(Kind.VERSION),
        "tags": Declared(Kind.LIST),
    },
    {"purchase": {"amount": Declared(Kind.NUMBER), "currency": Declared(Kind.TEXT)}},
)


def an_audience(root: Path, catalogue: Catalogue = SHOP) -> Audience:
    return Audience.open("duckdb:data/audience.duckdb", root, catalogue.attributes)


def a_file(root: Path, name: str, *lines: str) -> Path:
    path = root / name
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def imported(
    audience: Audience,
    what: What,
    path: Path,
    mapping: Mapping[str, Any] | None = None,
    *,
    catalogue: Catalogue = SHOP,
    zone: str = "Europe/Vienna",
    replace: bool = False,
    yes: bool = False,
    now: Instant = NOW,
) -> Imported:
    approve = (lambda _: None) if yes else Loss.refuse_doubtful
    return import_file(audience, Order(what, path, now, catalogue, zone, mapping, replace, approve))


def people(audience: Audience, *columns: str) -> dict[str, Any]:
    """The asked columns of every profile, by user; the value itself if one column was asked for."""
    picked = ", ".join(f'"{column}"' for column in columns)
    rows = audience.rows(f'SELECT "user", {picked} FROM profile ORDER BY "user"')
    return {user: values[0] if len(values) == 1 else tuple(values) for user, *values in rows}


def events(audience: Audience) -> list[tuple[Any, ...]]:
    return audience.rows('SELECT "user", name, "time", message_id, properties FROM event ORDER BY "time", message_id')
