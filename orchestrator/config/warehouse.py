"""Does the mapping of a warehouse fit the catalogue? And the mapping as the audience reads it."""

from orchestrator.config.draft import Draft
from orchestrator.config.findings import choice, quoted
from orchestrator.config.sheets import Path, Sheet
from orchestrator.config.warehouse_shape import EventsShape, PlaceShape, WarehouseShape, WordsShape
from orchestrator.core.foreign import ConsentTable, DeviceTable, EventTable, Foreign, PeopleTable, Place
from orchestrator.core.mirrors import OWN

_ADDRESSES = tuple(name for name in OWN if name not in ("user", "language"))
"""What profiles know by themselves; the language is a part of the locale."""


def check_warehouse(draft: Draft, warehouse: WarehouseShape) -> None:
    """Everything that warehouse.yaml refers to."""
    known: dict[str, int] = {}
    for index, people in enumerate(warehouse.people):
        for name in people.columns:
            path = ("people", index, "columns", name)
            _check_attribute(draft, path, name)
            if name in known:
                place = f"people[{known[name]}]"
                draft.findings.at_key(draft.warehouse_sheet, path, f"{quoted(name)} stands in {place} already", "Delete one.")  # fmt: skip
            known.setdefault(name, index)
    for index, events in enumerate(warehouse.events):
        _check_events(draft, ("events", index), events)
    for index, words in enumerate(warehouse.consent):
        _check_words(draft, ("consent", index), words)


def _check_attribute(draft: Draft, path: Path, name: str) -> None:
    if draft.data is None or name in (*draft.data.attributes, *_ADDRESSES):
        return
    allowed = [*draft.data.attributes, *_ADDRESSES]
    remedy = f"{choice(name, allowed)} Or declare it in config/data.yaml.".strip()
    draft.findings.at_key(draft.warehouse_sheet, path, f"no attribute {quoted(name)}", remedy)


def _check_events(draft: Draft, path: Path, events: EventsShape) -> None:
    sheet, findings = draft.warehouse_sheet, draft.findings
    if (events.event is None) == (events.name is None):
        wrong = "says both `event` and `name`" if events.event else "says neither `event` nor `name`"
        findings.at(sheet, path, wrong, "Write the event all rows are, or the column that names it.")
    if events.event is not None:
        draft.event(sheet, (*path, "event"), events.event)
    if draft.data is None:
        return
    of = [draft.data.events.get(events.event, {})] if events.event else draft.data.events.values()
    known = {name for properties in of for name in properties}
    for name in events.columns:
        if name not in known and (events.event is None or events.event in draft.data.events):
            where = f"the event {quoted(events.event)} has" if events.event else "no event has"
            wrong = f"{where} {'no' if events.event else 'a'} property {quoted(name)}"
            findings.at_key(sheet, (*path, "columns", name), wrong, choice(name, known, "property"))


def _check_words(draft: Draft, path: Path, words: WordsShape) -> None:
    sheet, findings = draft.warehouse_sheet, draft.findings
    for key, one, other in (
        ("channel", words.channel, words.channel_column),
        ("topic", words.topic, words.topic_column),
    ):
        if (one is None) == (other is None):
            wrong = f"says both `{key}` and `{key}_column`" if one else f"says neither `{key}` nor `{key}_column`"
            findings.at(sheet, path, wrong, f"Write the {key} all rows are about, or the column that names it.")
    topics = None if draft.settings is None or draft.stood_in("topics") else draft.settings.topics
    if words.topic is not None and topics is not None and words.topic not in topics:
        wrong = f"no topic {quoted(words.topic)}"
        findings.at(sheet, (*path, "topic"), wrong, choice(words.topic, topics, "topic"))


def foreign_of(sheet: Sheet, shape: WarehouseShape) -> Foreign:
    """The mapping as the audience reads it, every name with its place in the file."""
    built = _Building(sheet)
    return Foreign(
        tuple(
            PeopleTable(it.table, built.column(("people", n, "user"), it.user), built.all(("people", n, "columns"), it.columns), at=built.at(("people", n, "table")))
            for n, it in enumerate(shape.people)
        ),
        tuple(built.events(("events", n), it) for n, it in enumerate(shape.events)),
        tuple(
            DeviceTable(
                it.table, built.column(("devices", n, "user"), it.user), built.place(("devices", n, "token"), it.token),
                built.maybe(("devices", n, "platform"), it.platform), built.maybe(("devices", n, "app"), it.app),
                built.maybe(("devices", n, "seen_at"), it.seen_at), at=built.at(("devices", n, "table")),
            )
            for n, it in enumerate(shape.devices)
        ),
        tuple(built.words(("consent", n), it) for n, it in enumerate(shape.consent)),
    )  # fmt: skip


class _Building:
    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    def at(self, path: Path) -> str:
        place = self._sheet.place(path)
        return f"{self._sheet.file}:{place.line}:{place.column}"

    def column(self, path: Path, name: str) -> Place:
        return Place(name, at=self.at(path))

    def place(self, path: Path, it: PlaceShape) -> Place:
        return Place(it.column, None if it.path is None else tuple(it.path), it.clock, self.at(path))

    def maybe(self, path: Path, it: PlaceShape | None) -> Place | None:
        return None if it is None else self.place(path, it)

    def all(self, path: Path, its: dict[str, PlaceShape]) -> dict[str, Place]:
        return {name: self.place((*path, name), it) for name, it in its.items()}

    def events(self, path: Path, it: EventsShape) -> EventTable:
        return EventTable(
            it.table, self.column((*path, "user"), it.user), self.place((*path, "time"), it.time), it.event or "",
            self.maybe((*path, "name"), it.name), self.maybe((*path, "message_id"), it.message_id),
            self.maybe((*path, "properties"), it.properties), self.all((*path, "columns"), it.columns), at=self.at((*path, "table")),
        )  # fmt: skip

    def words(self, path: Path, it: WordsShape) -> ConsentTable:
        channel = self.maybe((*path, "channel_column"), it.channel_column) or str(it.channel)
        topic = self.maybe((*path, "topic_column"), it.topic_column) or it.topic or ""
        return ConsentTable(
            it.table, self.column((*path, "user"), it.user), self.place((*path, "granted"), it.granted),
            self.place((*path, "time"), it.time), channel, topic, at=self.at((*path, "table")),
        )  # fmt: skip
