"""How people and events are laid out in the audience's tables: which column holds what, and of which type."""

from collections.abc import Mapping

from orchestrator.core.segments.tree import Declared, Kind

ATTRIBUTE = "a."
"""Declared attributes stand in columns of this prefix, so that none can be called like one of ours."""

TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "VARCHAR",
    Kind.NUMBER: "DECIMAL(18,4)",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIME: "BIGINT",
    Kind.VERSION: "VARCHAR",
    Kind.LIST: "VARCHAR[]",
}
"""The column type of each kind. Texts are NFC, moments are UTC microseconds, versions stay as they were written."""

OWN = ("zone", "locale", "email", "phone")
"""What a profile knows about a person besides attributes and devices, all text."""

WHO = "who"
"""The whole number that stands for a user, beside each of their events: an engine groups and finds numbers ten times as fast as texts."""

PROFILE = """CREATE TABLE IF NOT EXISTS profile (
    "user" VARCHAR PRIMARY KEY, zone VARCHAR, locale VARCHAR, email VARCHAR, phone VARCHAR, devices JSON, rest JSON,
    who BIGINT NOT NULL)"""
EVENT = """CREATE TABLE IF NOT EXISTS event (
    "user" VARCHAR NOT NULL, name VARCHAR NOT NULL, "time" BIGINT NOT NULL, message_id VARCHAR NOT NULL, properties JSON,
    who BIGINT NOT NULL)"""
TABLES = (
    PROFILE,
    EVENT,
    'CREATE TABLE IF NOT EXISTS parted ("user" VARCHAR NOT NULL, who BIGINT NOT NULL)',
    "CREATE TABLE IF NOT EXISTS loaded (batch BIGINT PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS mirrored (
        ledger VARCHAR NOT NULL, passes BIGINT NOT NULL, run BIGINT, number BIGINT NOT NULL, "user" VARCHAR)""",
    "CREATE TABLE IF NOT EXISTS belongs (environment VARCHAR NOT NULL)",
)
"""`devices` is [{token, app, platform, seen_at}], the latest first; `rest` holds what nobody declared. `mirrored` says how far
each ledger was read (see mirroring.py), `belongs` in one row whose the file is; for `parted` see numbering.py."""

LIST_MEMBERS = 'CREATE TEMP TABLE list_member (list VARCHAR, "user" VARCHAR)'
"""Lists are files in git; every reading fills this table of its own, so the store never holds an old list."""


def home(name: str) -> str:
    """The column of a declared attribute; e-mail address, phone, zone and locale have columns of their own."""
    return name if name in OWN else ATTRIBUTE + name


def pointer(*keys: str) -> str:
    """The place of a value in a JSON document, whatever characters its keys hold (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def typed(attributes: Mapping[str, Declared]) -> dict[str, str]:
    """The columns a catalogue asks for: name (unquoted) to type."""
    return {home(name): TYPES[declared.kind] for name, declared in attributes.items() if name not in OWN}
