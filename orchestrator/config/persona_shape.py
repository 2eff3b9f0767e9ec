"""Which keys personas/*.yaml have, and what each holds: a profile, its events, and what is expected of campaigns."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from orchestrator.config.fields import NAME, ChannelWord, Name, Text, Zone, matching, objection, phrase
from orchestrator.config.findings import choice, quoted
from orchestrator.config.moments import WrittenMoment, moment
from orchestrator.config.shape import Shape
from orchestrator.config.shapes import PlainName
from orchestrator.core.nouns import Channel
from orchestrator.core.personas import ANSWERS, Outside
from orchestrator.core.reasons import Reason

When = Annotated[WrittenMoment, *phrase(moment, "2026-03-02 10:00")]


def _listed(value: Any) -> Any:
    """`a` is short for `[a]`."""
    return value if isinstance(value, list) else [value]


Whens = Annotated[list[When], Field(min_length=1), BeforeValidator(_listed, json_schema_input_type=When | list[When])]
Texts = Annotated[list[Text], Field(min_length=1), BeforeValidator(_listed, json_schema_input_type=Text | list[Text])]

_CHANNELS = [str(channel) for channel in Channel]


def _words(value: Any) -> dict[Channel, bool]:
    """`[email]` is short for `{email: true}`."""
    given = dict.fromkeys(value, True) if isinstance(value, list) and _texts(value) else value
    if not isinstance(given, dict) or not all(isinstance(word, bool) for word in given.values()):
        raise objection(
            "is neither a list of channels nor a mapping", "Write `[email]`, or `{email: true, push: false}` with a no."
        )
    for name in given:
        if name not in _CHANNELS:
            raise objection(f"no channel {quoted(name)}", choice(name, _CHANNELS))
    return {Channel(name): word for name, word in given.items()}


def _texts(value: list[Any]) -> bool:
    return all(isinstance(item, str) for item in value)


_LISTED_CHANNELS = {"type": "array", "items": {"enum": _CHANNELS}}
_BY_CHANNEL = {"type": "object", "propertyNames": {"enum": _CHANNELS}, "additionalProperties": {"type": "boolean"}}
Words = Annotated[
    dict[Channel, bool], PlainValidator(_words), WithJsonSchema({"anyOf": [_LISTED_CHANNELS, _BY_CHANNEL]})
]


def _nothing(value: Any) -> Reason | Outside:
    known = {str(answer): answer for answer in ANSWERS}
    if isinstance(value, str) and value in known:
        return known[value]
    if value in set(Reason):
        remedy = "A test asks at the moment a run is planned, of one person. " + choice("", known)
        raise objection(f"{quoted(value)} comes of what happens later, or of others", remedy)
    raise objection(f"no reason {quoted(value)}", choice(value, known))


NothingWord = Annotated[
    Reason | Outside, PlainValidator(_nothing), WithJsonSchema({"enum": [str(answer) for answer in ANSWERS]})
]
Language = Annotated[str, *matching(r"[A-Za-z]{2,3}([_\-][A-Za-z0-9]{2,8}){0,3}", "a locale", "de-AT")]


def _name(example: str) -> tuple[PlainValidator, WithJsonSchema]:
    return matching(NAME.pattern, "a name (letters, digits, _ and -)", example)


EventName = Annotated[PlainName, WithJsonSchema({"type": "string", "examples": ["purchase"]})]
SegmentName = Annotated[str, *_name("lapsed_vips")]
VariantName = Annotated[str, *_name("discount")]
LocaleName = Annotated[str, *_name("de")]


class DeviceShape(Shape):
    """A device with the app on it."""

    token: Text = Field(description="What the push service knows it by.")
    platform: Text | None = Field(default=None, description="`ios`, `android`, `web`.")
    app: Text | None = Field(default=None, description="Which app it is.")
    seen_at: When | None = Field(default=None, description="When it was seen last; the latest one gets the push.")


def _token(value: Any) -> Any:
    """A token is short for `{token: …}`."""
    return {"token": value} if isinstance(value, str) else value


Device = Annotated[DeviceShape, BeforeValidator(_token, json_schema_input_type=Text | DeviceShape)]


class ProfileShape(BaseModel):
    """What is known of the persona. The other keys are attributes of the catalogue, checked against their kinds."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, arbitrary_types_allowed=True)
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    user_id: Annotated[Text, Field(max_length=128)] | None = Field(
        default=None, description="The id, which draws and buckets hang on; unset, the name of the file."
    )
    email: (
        Annotated[str, *matching(r"[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+", "an e-mail address", "ada@shop.test")] | None
    ) = Field(default=None, description="The e-mail address.")
    phone: Text | None = Field(default=None, description="The phone number.")
    devices: list[Device] = Field(
        default_factory=list, description="Devices for push: tokens, or `{token: …, seen_at: …}`."
    )
    time_zone: Zone | None = Field(default=None, description="The person's clock; unset, the project's.")
    locale: Language | None = Field(default=None, description="The person's language.")
    consent: dict[Name, Words] = Field(
        default_factory=dict,
        description="By topic, the channels they said yes for; `{email: false}` is a no, left out is never asked.",
    )
    suppressed: list[ChannelWord] = Field(
        default_factory=list, description="Channels whose addresses are stopped: they bounced or complained."
    )


class DoneShape(BaseModel):
    """Something the persona did. The other keys are properties of the event, checked against the catalogue."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, arbitrary_types_allowed=True)
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    event: EventName = Field(description="What was done, by its name in the catalogue.")
    at: Whens = Field(description="When; a list for an event done several times.")


class SentShape(Shape):
    """A message the persona has had already: caps and `repeat` count it, segments find it."""

    campaign: Name = Field(description="Of which campaign.")
    at: Whens = Field(description="When it was sent; a list for several.")
    channel: ChannelWord = Field(description="On which channel.")
    segment: SegmentName | None = Field(default=None, description="As a member of which segment.")
    variant: VariantName | None = Field(default=None, description="In which variant.")
    delivered: When | None = Field(default=None, description="When it arrived.")
    opened: When | None = Field(default=None, description="When it was opened.")
    clicked: When | None = Field(default=None, description="When something in it was clicked.")
    bounced: When | None = Field(default=None, description="When it came back.")
    complained: When | None = Field(default=None, description="When it was called spam.")


class ExpectShape(Shape):
    """What a campaign does when it runs at a moment. Without `nothing`, a message is expected."""

    campaign: Name = Field(description="The campaign that runs.")
    at: When = Field(description="When it runs, whatever its schedule says.")
    segment: SegmentName | None = Field(default=None, description="As a member of this segment of its audience.")
    channel: ChannelWord | None = Field(default=None, description="On this channel; unset, on any.")
    variant: VariantName | None = Field(
        default=None, description="In this variant, whatever the draw says; unset, the rest must hold in every variant."
    )
    locale: LocaleName | None = Field(default=None, description="Written in this language of the project.")
    subject: Text | None = Field(default=None, description="The whole subject, or the whole title of a push.")
    contains: Texts | None = Field(default=None, description="Each of these texts is in the message.")
    not_contains: Texts | None = Field(default=None, description="None of these texts is in it.")
    nothing: NothingWord | None = Field(default=None, description="No message, for this reason.")


class PersonaShape(Shape):
    """personas/*.yaml: a made-up person, and what campaigns are expected to say to them."""

    about: Text | None = Field(default=None, description="Who this is, in a line.")
    profile: ProfileShape = Field(description="What is known of them.")
    events: list[DoneShape] = Field(default_factory=list, description="What they did, in any order.")
    sent: list[SentShape] = Field(default_factory=list, description="Messages they have had already.")
    linkedData: dict[Name, Any] = Field(  # noqa: N815 - the word that templates use
        default_factory=dict, description="What each source of linked data says of them; none is asked."
    )
    expect: Annotated[list[ExpectShape], Field(min_length=1)] = Field(
        description="What is expected, in any order; each message counts for what comes later."
    )
