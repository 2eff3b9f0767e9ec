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
    HeaderName,
    HeaderValue,
    LedgerAddress,
    ListFile,
    Locale,
    Name,
    Network,
    OnError,
    OnErrorWord,
    Outside,
    Percent,
    PerMinute,
    PropertyPath,
    QuietPhrase,
    RatePhrase,
    SourceFile,
    SourceUrl,
    Text,
    TypeWord,
    Zone,
    matching,
    objection,
)
from orchestrator.config.push_shape import PushShape
from orchestrator.config.shape import Shape
from orchestrator.config.tracking_shape import TrackingShape


class StoresShape(Shape):
    """Where the two stores live."""

    ledger: LedgerAddress = Field(
        default="sqlite:data/ledger.db", description="Runs, deliveries, consent: a SQLite file, or PostgreSQL."
    )
    audience: AudienceAddress = Field(
        default="duckdb:data/audience.duckdb",
        description="Profiles and events: a DuckDB file of our own; or an engine of yours that is only read, with tables as"
        " config/warehouse.yaml maps them: PostgreSQL, ClickHouse (a server, `clickhouse://host:8123/db`, or a folder, `clickhouse:data/house`), Spark"
        " (`spark:local[2]`).",
    )


class EnvironmentShape(Shape):
    """One environment: whom it may reach, and above how many people a run waits for a person."""

    deliver: DeliverWord = Field(
        description="Whom it may reach: nobody (`sink`, messages end in data/sink/), only who stands in the file `seeds`, or"
        " everyone."
    )
    approve_over: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="A run of more people than this waits for a person; unset, none does."
    )
    stores: StoresShape | None = Field(
        default=None,
        description="Stores of its own, instead of the project's; a store belongs to one environment and is refused to every other.",
    )


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

    adapter: Name | None = Field(
        default=None, description="Which adapter it is an account of; unset, the one of the same name."
    )
    rate: RatePhrase | None = Field(
        default=None, description="How fast the account may be used; unset, as its adapter declares."
    )


class SenderShape(Shape):
    """Who a message comes from. `postal` is the address the law wants in every marketing mail."""

    from_: Annotated[
        str,
        *matching(
            r"[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+>|[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+",
            "a sender",
            "Shop <hello@news.shop.example>",
        ),
    ] = Field(alias="from", description="The name and address people see.")
    reply_to: (
        Annotated[str, *matching(r"[^<>@\s]+@[^<>@\s]+\.[^<>@\s.]+", "an e-mail address", "help@shop.example")] | None
    ) = Field(default=None, description="Where answers go; unset, to the sender.")
    postal: Text | None = Field(default=None, description="The address on paper; the law wants it in marketing mail.")


class TopicShape(Shape):
    """What people agree to: one kind of message, in words they see on the unsubscribe page."""

    label: Text = Field(description="What people read on the unsubscribe page.")
    consent: ConsentWord = Field(
        description="`opt_in`: only who said yes; `opt_out`: all but who said no; `none`: everybody."
    )


PLAIN = r"[^\s.\[\]{}'\"](?:[^.\[\]{}'\"\r\n]{0,127}[^\s.\[\]{}'\"])?"
PlainName = Annotated[
    str,
    *matching(
        PLAIN,
        "a name (no dots, quotes or brackets)",
        "firstName",
    ),
]


class CouponShape(Shape):
    """A pool of codes, one a person."""

    codes: ListFile | None = Field(
        default=None,
        description="The file with the codes, one a line; unset, they come by `orchestrator import coupons NAME FILE`.",
    )
    valid: Duration | None = Field(default=None, description="How long a code holds once somebody has it.")


class SourceShape(Shape):
    """A table, or a service that is asked, whose answers templates read as `linkedData`."""

    file: SourceFile | None = Field(
        default=None, description="The table: CSV with a header, or JSON, in data/ or lists/."
    )
    url: SourceUrl | None = Field(
        default=None,
        description="Or where it is asked, over https. With blanks (`{city}`, `{user}`) each person has an answer of their"
        " own; without, it is a table (with `key` and `by`), or one answer for everybody.",
    )
    key: PlainName | None = Field(default=None, description="The column rows of a table are found by.")
    by: PlainName | None = Field(
        default=None, description="The attribute whose value is looked up in a table; `user` for the person's id."
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="What a url is asked with: `authorization: Bearer ${env:WEATHER_KEY}`."
    )
    timeout: Duration | None = Field(
        default=None, description="How long one answer of a url may take, all attempts together; unset, 5 seconds."
    )
    rate: RatePhrase | None = Field(default=None, description="So many questions to a url at most; unset, 16 at once.")
    network: Network | None = Field(
        default=None, description="The inner network a url leads into; unset, only public addresses are called."
    )
    on_error: OnErrorWord = Field(
        default=OnError.WAIT,
        description="When it cannot be read, or does not answer at all: the run waits, or who needs it is skipped.",
    )


class HoldIfShape(Shape):
    """When a run waits for a person."""

    audience: Outside | None = Field(default=None, description="The audience is smaller or larger than this.")
    no_recent: dict[str, Duration] = Field(
        default_factory=dict, description="An event nobody has been seen doing for so long: the data is late."
    )


class DefaultsShape(Shape):
    """What holds for every campaign; a campaign can only tighten it."""

    exclude: list[str] = Field(default_factory=list, description="Segments that never get anything.")
    quiet_hours: QuietPhrase | None = Field(
        default=None, description="Held during these hours of the recipient's clock."
    )
    caps: list[CapPhrase] = Field(
        default_factory=list, description="So many messages a person in a rolling time, over all campaigns."
    )
    capped: CappedWord | None = Field(
        default=None, description="Over a cap: no message (`skip`), or wait for room (`hold`); unset, skip."
    )
    expires: Duration | None = Field(
        default=None, description="So long after the planned moment a message is too late; unset, 24 hours."
    )
    throttle: PerMinute | None = Field(default=None, description="No campaign is faster than this.")
    hold_if: HoldIfShape = Field(default=HoldIfShape(), description="When a run waits for a person.")


class SettingsShape(Shape):
    """config/orchestrator.yaml."""

    project: Name = Field(description="The project's name.")
    time_zone: Zone = Field(description="The project's clock; for people, too, whose own zone is unknown.")
    locales: Annotated[list[Locale], Field(min_length=1)] = Field(
        description="Languages, the first is that of files without one in their name; `check` asks for each of the others."
    )
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
    ) = Field(default=None, description="Where people reach the web face of `serve`; unsubscribe links begin with it.")
    tracking: TrackingShape = Field(
        default=TrackingShape(),
        description="Clicks and opens of marketing e-mails; a transactional campaign's only where its own file says so.",
    )
    stores: StoresShape = Field(default=StoresShape(), description="Where the two stores live.")
    environments: dict[Name, EnvironmentShape] = Field(
        default_factory=dict,
        description="By name; `dev` is always there, and delivers to nobody unless told otherwise.",
    )
    seeds: ListFile | None = Field(
        default=None,
        description="The file of the only people an environment of `deliver: seeds` may reach: one column, `user_id`, `email` or"
        " `phone`.",
    )
    providers: dict[Name, ProviderShape] = Field(
        default_factory=dict, description="Accounts with outside services, by a name of your own."
    )
    route: dict[ChannelWord, Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict, description="Providers of each channel; the next one only when the first is down."
    )
    push: PushShape | None = Field(
        default=None,
        description="Providers of push by platform, where not every one knows every device; instead of `route.push`.",
    )
    senders: dict[Name, SenderShape] = Field(default_factory=dict, description="Who e-mails come from, by name.")
    topics: dict[Name, TopicShape] = Field(default_factory=dict, description="What people agree to, by name.")
    coupons: dict[Name, CouponShape] = Field(default_factory=dict, description="Pools of codes, one a person, by name.")
    sources: dict[Name, SourceShape] = Field(default_factory=dict, description="Tables for `linkedData`, by name.")
    holdout: Percent = Field(
        default=0.0, description="Share of people who get no marketing at all, so that its worth can be told."
    )
    defaults: DefaultsShape = Field(
        default=DefaultsShape(), description="What holds for every marketing campaign; a campaign can only tighten it."
    )


class AttributeShape(Shape):
    """A declared attribute or property, and the only values it may have, if they are few."""

    is_: TypeWord = Field(alias="is", description="What kind of value it holds.")
    values: list[str | int | float] | None = Field(
        default=None, description="The only values it may have, if they are few."
    )


def _short(value: Any) -> Any:
    """`text` is short for `{is: text}`."""
    return {"is": value} if isinstance(value, str) else value


Declared = Annotated[AttributeShape, BeforeValidator(_short, json_schema_input_type=TypeWord | AttributeShape)]


class DataShape(Shape):
    """config/data.yaml: the attributes people have and the events they do, as imported."""

    attributes: dict[PlainName, Declared] = Field(
        default_factory=dict, description="What is known of people, each with its kind: `firstName: text`."
    )
    events: dict[PlainName, dict[PlainName, Declared]] = Field(
        default_factory=dict, description="What people do, each with its properties and their kinds."
    )
    revenue: PropertyPath | None = Field(
        default=None, description="The event and property that `lifetimeValue` adds up."
    )
    session: PlainName | None = Field(
        default=None,
        description="The event that begins a session in the app; without it one begins after 30 minutes of nothing.",
    )
