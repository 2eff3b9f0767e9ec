"""One column of a file: what is told about it, and the SQL that reads its cells."""

from dataclasses import dataclass, field

from orchestrator.audience import allowed, coercion, mailable, subscribing
from orchestrator.audience.allowed import Allowed
from orchestrator.audience.coercion import Clock, Words
from orchestrator.audience.columns import literal
from orchestrator.audience.mapping import PLATFORMS
from orchestrator.core import phones
from orchestrator.core.mirrors import FAMILIES, MARK
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.tree import Kind

FORMS = {
    "user": "[^\\x00-\\x1f\\x7f]{1,128}",
    "email": mailable.FORM,
    "device": subscribing.FORM,
    "channel": f"(?i)({'|'.join(Channel)})",
    "phone": phones.NUMBER,
    "platform": f"(?i)({'|'.join(PLATFORMS)})",
}
FORMS_IN_WORDS = {
    "user": "an id of 1 to 128 characters",
    "phone": "a phone number, like +43 660 1234567",
    "channel": f"a channel ({', '.join(Channel)})",
    "platform": f"a platform ({', '.join(PLATFORMS)})",
}

RESERVED = {"event": FAMILIES, "message_id": (MARK,)}
"""How the names and message ids of our own events begin: the ledger tells of those, no file does."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the rows as they came: what the file calls it, where it goes, and how it is read.

    `raw` is SQL over the raw table; `json` says that it yields JSON text (`null` deletes, absent changes nothing) instead of
    a CSV cell (`null` deletes, empty changes nothing). Without a kind it is guessed.
    """

    name: str
    to: str
    raw: str
    json: bool = False
    kind: Kind | None = None
    clock: Clock = field(default_factory=Clock)
    required: bool = False
    """Without a value here, the row is left out."""
    owned: bool = False
    """One of our own fields, not an attribute or a property."""
    form: str = ""
    """A pattern that a text must match as a whole; blanks around it are dropped."""
    stored: str = ""
    """The engine's type of `raw`, where it is a plain column of a typed file and no text: its value, not JSON of it."""
    declared: bool = False
    """It has a column of its own, so nobody asks for it as JSON."""
    place: str = ""
    """Where a property stands inside the object that goes to `properties`: what it says there need not be said again."""
    allowed: tuple[Allowed, ...] = ()
    """The only values it may have; of a property by the events that say so."""
    words: Words | None = None
    """What means yes and no, where somebody said so."""
    decimal: str = ""
    """The decimal sign of its numbers, as told or found out; empty for a plain point or while nobody knows."""


def texts_of(number: int, cell: Cell) -> list[str]:
    """SQL columns t and x of one cell."""
    raw = f"r{number}"
    if cell.stored:
        shown = f"to_json({raw})" if cell.stored in coercion.FLOATS else raw
        text = raw if cell.stored == "VARCHAR" else f"CAST({shown} AS VARCHAR)"
        if cell.kind is not Kind.TEXT:
            text = f"nullif({text}, '')"
        return [f"{_spoken(cell, text)} AS t{number}", f"FALSE AS x{number}"]
    if not cell.json:
        gone, filled = f"{raw} IN ('null', 'NULL')", _spoken(cell, f"nullif({raw}, '')")
        return [
            f"CASE WHEN NOT {gone} THEN {filled} END AS t{number}",
            f"coalesce({gone}, FALSE) AS x{number}",
        ]
    text = f"json_extract_string({raw}, '$')"
    if cell.kind is not Kind.TEXT:
        text = f"nullif({text}, '')"
    if cell.kind is None:
        text = raw
    elif cell.kind is not Kind.LIST:
        # A structure is no value of a plain kind: it stays visible in the rejects, and fits nothing. A browser's subscription is one.
        structures = "'ARRAY'" if cell.form == subscribing.FORM else "'OBJECT', 'ARRAY'"
        text = f"CASE WHEN json_type({raw}) IN ({structures}) THEN {coercion.STRUCTURE} || {raw} ELSE {text} END"
    text = _spoken(cell, text)
    return [f"CASE WHEN {raw} <> 'null' THEN {text} END AS t{number}", f"coalesce({raw} = 'null', FALSE) AS x{number}"]


def _spoken(cell: Cell, text: str) -> str:
    """SQL: the text as it is read on: its number with a point, or nothing where it says nothing."""
    if cell.decimal and cell.kind is Kind.NUMBER:
        return coercion.with_point(text, cell.decimal)
    return cell.words.spoken(text) if cell.words else text


def raw_of(number: int, cell: Cell) -> str:
    """What a value is read from: the column itself where its type says more than its text."""
    return f"r{number}" if cell.stored in coercion.TYPED else f"s{number}"


def value_of(number: int, cell: Cell) -> str:
    """SQL: its value, of the column type of its kind."""
    if cell.form == mailable.FORM:
        return mailable.value(number)
    if cell.form == subscribing.FORM:
        return subscribing.value(number)
    if cell.form:
        return f"CASE WHEN regexp_full_match(s{number}, {literal(cell.form)}) THEN nfc_normalize(s{number}) END"
    if cell.allowed and not cell.allowed[0].events and cell.kind is Kind.TEXT:
        return f"nfc_normalize(s{number})"
    value = f"t{number}"
    if cell.kind is Kind.NUMBER and cell.stored in coercion.WHOLE:
        value = f"TRY_CAST(r{number} AS DECIMAL(18,4))"
    elif cell.kind is Kind.NUMBER and cell.stored in coercion.FLOATS:
        value = f"CASE WHEN isfinite(r{number}) THEN TRY_CAST(t{number} AS DECIMAL(18,4)) END"
    elif cell.words and cell.kind is Kind.BOOLEAN:
        value = cell.words.value(f"t{number}")
    elif cell.kind:
        value = coercion.value(cell.kind, f"t{number}", f"m{number}")
    taken = _taken(number, cell)
    return f"CASE WHEN NOT ({taken}) THEN {value} END" if taken else value


def _taken(number: int, cell: Cell) -> str:
    """SQL: whether a text is kept for our own events; empty where none is."""
    begins = RESERVED.get(cell.to, ()) if cell.owned else ()
    return " OR ".join(f"starts_with(t{number}, {literal(one)})" for one in begins)


def json_of(number: int, cell: Cell) -> str:
    """SQL: its value as JSON text."""
    if cell.kind is None:
        return f"t{number}"
    written = coercion.as_json(cell.kind, f"t{number}", f"v{number}")
    return f"nullif({written}, CAST(r{number} AS VARCHAR))" if cell.place else written


def reason_of(number: int, cell: Cell, event: str) -> str:
    """SQL: why it has no value; `event` is SQL for the event's name of a row."""
    if cell.form == mailable.FORM:
        return mailable.reason(number)
    if cell.form == subscribing.FORM:
        return subscribing.reason(number)
    if cell.form and cell.kind:
        return literal(f"not {FORMS_IN_WORDS.get(cell.to, 'as it should be')}")
    reason = coercion.reason(cell.kind or Kind.TEXT, f"t{number}")
    if cell.allowed and cell.kind:
        reason = allowed.reason(number, cell.kind, cell.allowed, event, reason)
    taken = _taken(number, cell)
    return (
        f"CASE WHEN {taken} THEN 'kept for our own events; call yours otherwise' ELSE {reason} END" if taken else reason
    )
