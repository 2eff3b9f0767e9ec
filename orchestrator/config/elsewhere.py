"""Do segments ask only for what an audience in somebody else's engine can tell? What nobody tells it would be nobody, silently."""

from collections.abc import Iterator
from typing import Any

from orchestrator.config.draft import WAREHOUSE, Draft
from orchestrator.config.findings import quoted
from orchestrator.config.results import Environment
from orchestrator.config.secret import SecretSource
from orchestrator.config.sheets import Path
from orchestrator.config.warehouse_shape import WarehouseShape
from orchestrator.core.mirrors import OWN
from orchestrator.core.nouns import Channel

OURS = "duckdb:"
"""How the address of an audience of our own begins."""
_CONSENT = ("reachable", "subscribed", "unsubscribed")
_NOUNS = ("message", "attribute", "event", "rfm", "address", *_CONSENT)
_ADDRESS = {Channel.EMAIL: "email", Channel.SMS: "phone"}
Objection = tuple[str, str]
"""What is wrong, and the remedy."""


def check_asked_elsewhere(draft: Draft, environment: Environment, machine: SecretSource | None) -> None:
    """What segments ask for, held against what the engine of this environment is told or its mapping shows."""
    store = environment.stores.audience
    address = store.resolve(machine) if machine is not None and not store.missing(machine) else store.written
    if address.startswith((OURS, "${")):
        return
    told = _Told(address.partition(":")[0], draft)
    for sheet in draft.segments.values():
        if sheet is None:
            continue
        for path, noun, value in _asking(sheet.value):
            if (objection := told.objection(noun, value)) is not None:
                draft.findings.at_key(sheet, path, *objection)


class _Told:
    """What an engine can tell of."""

    def __init__(self, kind: str, draft: Draft) -> None:
        self._kind = kind
        self._mapping: WarehouseShape | None = draft.warehouse
        mapped = draft.warehouse
        self._declared = set(draft.data.attributes) if draft.data is not None else set()
        self._columns = {name for table in mapped.people for name in table.columns} if mapped else set()
        self._events = {table.event for table in mapped.events} if mapped else {None}

    def objection(self, noun: str, value: str) -> Objection | None:
        """Why this cannot be asked for; None if it can, or if nobody knows."""
        if noun == "message":
            wrong = f"asks for messages, which nobody tells {self._kind}: it is only read"
            return wrong, "Use caps or `repeat` of a campaign for what was sent, or an audience of our own (duckdb:)."
        if noun in _CONSENT and (self._mapping is None or not self._mapping.consent):
            wrong = f"asks for consent, and {WAREHOUSE} does not say where {self._kind} has it"
            return wrong, "Map it under `consent:`. At sending, consent always counts, by the ledger."
        if self._mapping is None:
            return None
        if noun == "attribute":
            return self._of_attribute(value)
        if noun in ("event", "rfm"):
            # A table with a column of names may tell of any event.
            known = value in self._events or None in self._events
            return None if known else (f"no table tells of {quoted(value)}", f"Map one under `events:` in {WAREHOUSE}.")
        return self._of_channel(value) if noun in ("address", "reachable") else None

    def _of_attribute(self, name: str) -> Objection | None:
        column = "locale" if name == "language" and name not in self._declared else name
        if column == "user" or column in self._columns or column not in (*self._declared, *OWN):
            return None
        return f"no table tells of {quoted(column)}", f"Map it under `people:` in {WAREHOUSE}."

    def _of_channel(self, channel: str) -> Objection | None:
        if channel == Channel.PUSH and self._mapping is not None and not self._mapping.devices:
            return "no table tells of devices", f"Map one under `devices:` in {WAREHOUSE}."
        column = {str(known): name for known, name in _ADDRESS.items()}.get(channel, "")
        return self._of_attribute(column) if column else None


def _asking(raw: Any, path: Path = ()) -> Iterator[tuple[Path, str, Any]]:
    """Where a segment's file says what a condition or a step is about, and what."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key in _NOUNS and isinstance(value, str):
                yield (*path, key), str(key), value
            elif key != "where":
                yield from _asking(value, (*path, key))
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _asking(value, (*path, index))
