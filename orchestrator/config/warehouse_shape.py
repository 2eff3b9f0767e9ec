"""Which keys warehouse.yaml has: the tables that exist already, and what in them is a person, an event, a device, a word of consent."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from orchestrator.config.fields import ChannelWord, Text, matching, one_of
from orchestrator.config.shape import Shape
from orchestrator.config.shapes import PlainName
from orchestrator.core.foreign import Clock

ClockWord = Annotated[Clock, *one_of(Clock)]
_PART = r"(?:[A-Za-z_][A-Za-z0-9_$]*|\"[^\"\r\n]+\"|`[^`\r\n]+`)"
TableName = Annotated[str, *matching(rf"{_PART}(?:\.{_PART}){{0,2}}", "the name of a table", "crm.customers")]


class PlaceShape(Shape):
    """Where a value stands; `doc.address.city` is short for `{column: doc, path: [address, city]}`."""

    column: Text = Field(description="The column, written as the table has it.")
    path: list[Text] | None = Field(
        default=None,
        description="The keys that lead to it in a column of JSON; `[]` for a column that is one JSON value.",
    )
    clock: ClockWord = Field(
        default=Clock.TIMESTAMP, description="How moments are written there: as timestamps, or as a count since 1970."
    )


def _short(value: Any) -> Any:
    """`doc.address.city` is short for a column and a path."""
    if not isinstance(value, str):
        return value
    column, *path = value.split(".")
    return {"column": column, "path": path} if path else {"column": column}


Placed = Annotated[PlaceShape, BeforeValidator(_short, json_schema_input_type=Text | PlaceShape)]


class TableShape(Shape):
    """A table, and whose rows are whose."""

    table: TableName = Field(description="The table or view, with its schema if it needs one: `crm.customers`.")
    user: Text = Field(description="The column of the user's id.")


class PeopleShape(TableShape):
    """A table with one row a user."""

    columns: dict[PlainName, Placed] = Field(
        default_factory=dict,
        description="Where the attributes of data.yaml stand, and `email`, `phone`, `zone`, `locale`:"
        " `firstName: first_name`, or `city: doc.address.city` inside JSON.",
    )


class EventsShape(TableShape):
    """A table with one row an event."""

    event: PlainName | None = Field(default=None, description="The event, for a table of just one.")
    name: Placed | None = Field(default=None, description="Or the column that says which event it is.")
    time: Placed = Field(description="When it happened; `{column: at, clock: milliseconds}` for a count.")
    message_id: Placed | None = Field(
        default=None, description="An id of the row, by which events of the same moment are put in order."
    )
    properties: Placed | None = Field(
        default=None, description="A column of JSON with the event's properties, under their names of data.yaml."
    )
    columns: dict[PlainName, Placed] = Field(
        default_factory=dict, description="Properties with places of their own: `amount: total`."
    )


class DevicesShape(TableShape):
    """A table with one row a device that gets push messages."""

    token: Placed = Field(description="The token it is reached by.")
    platform: Placed | None = Field(default=None, description="What it is: `ios`, `android`, `web`.")
    app: Placed | None = Field(default=None, description="Which app of yours.")
    seen_at: Placed | None = Field(default=None, description="When it was seen last; a message goes to the latest.")


class WordsShape(TableShape):
    """A table with one row a word of consent, for segments that ask for it; sending goes by the ledger."""

    granted: Placed = Field(description="Yes or no.")
    time: Placed = Field(description="When they said so.")
    channel: ChannelWord | None = Field(default=None, description="The channel, for a table of just one.")
    channel_column: Placed | None = Field(default=None, description="Or the column that names it.")
    topic: Text | None = Field(default=None, description="The topic, for a table of just one.")
    topic_column: Placed | None = Field(default=None, description="Or the column that names it.")


class WarehouseShape(Shape):
    """config/warehouse.yaml: the tables of an audience that lives elsewhere; without it they are shaped like ours."""

    people: Annotated[list[PeopleShape], Field(min_length=1)] = Field(
        description="Tables with one row a user. The first has everybody; the others are joined to it by the user's id."
    )
    events: list[EventsShape] = Field(default_factory=list, description="Tables with one row an event.")
    devices: list[DevicesShape] = Field(default_factory=list, description="Tables with one row a device.")
    consent: list[WordsShape] = Field(default_factory=list, description="Tables with one row a word of consent.")
