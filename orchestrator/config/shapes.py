"""Which keys orchestrator.yaml and data.yaml have, and what each holds."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from orchestrator.config.fields import (
    AudienceAddress,
    CappedWord,
    CapPhrase,
    ChannelWord,
    ConsentWord,
    DeliverWord,
    Duration,
    LedgerAddress,
    ListFile,
    Locale,
    Name,
    Outside,
    Percent,
    PerMinute,
    PropertyPath,
    QuietPhrase,
    RatePhrase,
    Text,
    TypeWord,
    Zone,
    matching,
    objection,
)


class Shape(BaseModel):
    """A mapping with known keys: every other key is a mistake, and no value is turned into another kind."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False
    )


class StoresShape(Shape):
    """Where the two stores live."""

    ledger: LedgerAddress = "sqlite:data/ledger.db"
    audience: AudienceAddress = "duckdb:data/audience.duckdb"


class EnvironmentShape(Shape):
    """One environment: whom it may reach, and above how many people a run waits for a person."""

    deliver: DeliverWord
    approve_over: Annotated[int, Field(ge=0)] | None = None
    stores: StoresShape | None = None


def _setting(value: Any) -> str:
    """A provider's setting: text or a number; what stands in it is never quoted in a message."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise objection("a provider's setting is a text or a whole number", "Put it in quotes.")
    return str(value)


Setting = Annotated[str, PlainValidator(_setting), WithJsonSchema({"type": ["string", "integer"]})]


class ProviderShape(BaseModel):
    """One account with an outside service; `adapter` is needed only when the name is not the adapter's own.

    The other keys are the adapter's settings, checked against its declaration.
    """

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, arbitrary_types_allowed=True)
    __pydantic_extra__: dict[str, Setting] = Field(init=False)

    adapter: Name | None = None
    rate: RatePhrase | None = None


class SenderShape(Shape):
    """Who a message comes from. `postal` is the address the law wants in every marketing mail."""

    from_: Annotated[
        str,
        *matching(
            r"[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+>|[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+",
            "a sender",
            "Shop <hello@news.shop.example>",
        ),
    ] = Field(alias="from")
    reply_to: (
        Annotated[str, *matching(r"[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+", "an e-mail address", "help@shop.example")] | None
    ) = None
    postal: Text | None = None


class TopicShape(Shape):
    """What people agree to: one kind of message, in words they see on the unsubscribe page."""

    label: Text
    consent: ConsentWord


class CouponShape(Shape):
    """A pool of codes, one a person."""

    codes: ListFile
    valid: Duration | None = None


class HoldIfShape(Shape):
    """When a run waits for a person."""

    audience: Outside | None = None
    no_recent: dict[str, Duration] = Field(default_factory=dict)


class DefaultsShape(Shape):
    """What holds for every campaign; a campaign can only tighten it."""

    exclude: list[str] = Field(default_factory=list)
    quiet_hours: QuietPhrase | None = None
    caps: list[CapPhrase] = Field(default_factory=list)
    capped: CappedWord | None = None
    expires: Duration | None = None
    throttle: PerMinute | None = None
    hold_if: HoldIfShape = HoldIfShape()


class SettingsShape(Shape):
    """config/orchestrator.yaml."""

    project: Name
    time_zone: Zone
    locales: Annotated[list[Locale], Field(min_length=1)]
    public_url: (
        Annotated[
            str,
            *matching(
                r"https://[A-Za-z0-9.\-]+\.[A-Za-z0-9\-]+(:[0-9]+)?/?|http://(localhost|127\.0\.0\.1)(:[0-9]+)?/?",
                "a public address",
                "https://go.shop.example",
            ),
        ]
        | None
    ) = None
    stores: StoresShape = StoresShape()
    environments: dict[Name, EnvironmentShape] = Field(default_factory=dict)
    seeds: ListFile | None = None
    providers: dict[Name, ProviderShape] = Field(default_factory=dict)
    route: dict[ChannelWord, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    senders: dict[Name, SenderShape] = Field(default_factory=dict)
    topics: dict[Name, TopicShape] = Field(default_factory=dict)
    coupons: dict[Name, CouponShape] = Field(default_factory=dict)
    holdout: Percent = 0.0
    defaults: DefaultsShape = DefaultsShape()


class AttributeShape(Shape):
    """A declared attribute or property, and the only values it may have, if they are few."""

    is_: TypeWord = Field(alias="is")
    values: list[str | int | float] | None = None


def _short(value: Any) -> Any:
    """`text` is short for `{is: text}`."""
    return {"is": value} if isinstance(value, str) else value


Declared = Annotated[AttributeShape, BeforeValidator(_short, json_schema_input_type=TypeWord | AttributeShape)]
PlainName = Annotated[
    str,
    *matching(
        r"[^\s.\[\]{}'\"](?:[^.\[\]{}'\"\r\n]{0,127}[^\s.\[\]{}'\"])?",
        "a name (no dots, quotes or brackets)",
        "firstName",
    ),
]


class DataShape(Shape):
    """config/data.yaml: the attributes people have and the events they do, as imported."""

    attributes: dict[PlainName, Declared] = Field(default_factory=dict)
    events: dict[PlainName, dict[PlainName, Declared]] = Field(default_factory=dict)
    revenue: PropertyPath | None = None
