"""The kinds of values a setting can have: phrases of the one grammar, names, words of a short list, texts."""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any, TypeVar

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchestrator.config.findings import choice, nearest, quoted
from orchestrator.config.secret import HOW, bad_reference
from orchestrator.core import phrases, timetables
from orchestrator.core.campaigns import (
    CampaignState,
    Cap,
    Consent,
    Cron,
    Every,
    Interval,
    Kind,
    Misfire,
    QuietHours,
    Repeat,
)
from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.phrases import PhraseError, Rate
from orchestrator.core.zones import find_zone

Value = TypeVar("Value")
Word = TypeVar("Word", bound=StrEnum)

RECIPIENT = "recipient"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")


class Deliver(StrEnum):
    """Whom an environment may reach."""

    SINK = "sink"
    SEEDS = "seeds"
    EVERYONE = "everyone"


class Devices(StrEnum):
    """Which of a person's devices get a push message."""

    LATEST = "latest"
    ALL = "all"


class Capped(StrEnum):
    """What happens to a message over its cap."""

    SKIP = "skip"
    HOLD = "hold"


class OnError(StrEnum):
    """What happens when a source of linked data cannot be read."""

    WAIT = "wait"
    SKIP = "skip"


class Type(StrEnum):
    """What a declared attribute or property holds."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    VERSION = "version"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    LIST = "list"


def objection(text: str, remedy: str = "") -> PydanticCustomError:
    """A mistake in our own words, for pydantic to carry to its place."""
    return PydanticCustomError("objection", "{text}", {"text": text, "remedy": remedy})


def phrase(read: Callable[[str], Value], example: str) -> tuple[PlainValidator, WithJsonSchema]:
    """A value read by one function of the grammar."""

    def check(value: Any) -> Value:
        if isinstance(value, (dict, list)):
            raise objection("is a phrase, not a list or a mapping", f"Write it like `{example}`.")
        try:
            return read(str(value))
        except PhraseError as error:
            raise objection(f"{error.text}", error.remedy) from None

    return PlainValidator(check), WithJsonSchema({"type": "string", "examples": [example]})


def one_of(words: type[Word]) -> tuple[PlainValidator, WithJsonSchema]:
    """A word out of a short list."""
    allowed = [word.value for word in words]

    def check(value: Any) -> Word:
        if value in allowed:
            return words(value)
        raise objection(f"{_what(value)} is not possible", choice(value, allowed))

    return PlainValidator(check), WithJsonSchema({"enum": allowed})


def matching(pattern: str, noun: str, example: str) -> tuple[PlainValidator, WithJsonSchema]:
    """A text of one shape."""
    shape = re.compile(pattern)

    def check(value: Any) -> str:
        if isinstance(value, str) and shape.fullmatch(value):
            return value
        raise objection(f"{_what(value)} is not {noun}", f"Write it like `{example}`.")

    return PlainValidator(check), WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{pattern})$", "examples": [example]}
    )


def named(value: Any) -> str:
    """A time zone's name, `recipient` for each person's own."""
    if value == RECIPIENT:
        return RECIPIENT
    if isinstance(value, str) and nearest(value, [RECIPIENT]):
        raise objection(f"no time zone {quoted(value)}", f"Did you mean '{RECIPIENT}'?")
    return zone(value)


def zone(value: Any) -> str:
    """An IANA time zone's name."""
    if isinstance(value, str) and find_zone(value) is not None:
        return value
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads hundreds of names, wanted for a mistake only

    meant = choice(value, available_timezones())
    raise objection(f"no time zone {quoted(value)}", f"Write an IANA name like `Europe/Vienna`. {meant}".strip())


def locale(value: Any) -> str:
    """A language, or a language and a region: `de`, `fr-CA`."""
    from babel import localedata  # noqa: PLC0415 - its tables are wanted for `locales` only

    if isinstance(value, str) and re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", value):
        if localedata.exists(value.replace("-", "_")):
            return value
        raise objection(
            f"no locale {quoted(value)}", "Write a language of CLDR like `de`, or one with a region like `fr-CA`."
        )
    meant = re.sub(r"[_-](.+)", lambda found: "-" + found[1].upper(), str(value).lower())
    known = f" Did you mean '{meant}'?" if localedata.exists(meant.replace("-", "_")) else ""
    raise objection(f"{_what(value)} is not a locale", f"Write it like `de` or `fr-CA`.{known}")


def store(schemes: Iterable[str], example: str) -> tuple[PlainValidator, WithJsonSchema]:
    """Where a store lives. A password in it stands elsewhere; the value is never quoted, it may hold one."""
    allowed = tuple(f"{scheme}:" for scheme in schemes)

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise objection("is a text", f"Write it like `{example}`.")
        if problem := bad_reference(value):
            raise objection(problem, f"{HOW}.")
        if not value.startswith((*allowed, "${")):
            raise objection(
                "no such kind of store",
                f"It begins with {' or '.join(allowed)}, like `{example}`, or is ${{env:NAME}}.",
            )
        if re.search(r"//[^/@]*:(?!\$\{)[^/@]+@", value):
            raise objection("holds a password in plain text", f"{HOW} for the whole address, or for the password.")
        return value

    return PlainValidator(check), WithJsonSchema({"type": "string", "examples": [example]})


def _what(value: Any) -> str:
    return "a list or a mapping" if isinstance(value, (dict, list)) else quoted(value)


def text(value: Any) -> str:
    """Words of a person, not empty."""
    if isinstance(value, str) and "${" in value:
        raise objection("${…} is read in `stores` and `providers` only", "Write the text itself.")
    if isinstance(value, str) and value.strip():
        return value
    raise objection(
        f"{_what(value)} is not a text", 'Put it in quotes: "…".' if isinstance(value, (int, float)) else ""
    )


def source_url(value: Any) -> str:
    """Where a source of linked data is asked; never quoted, it may hold a secret."""
    if not isinstance(value, str) or not re.fullmatch(r"(https?://|\$\{)[^\s\\]+", value):
        raise objection(
            "is no address of a source",
            'Write it like "https://api.example/weather?city={city}", with {user} or an attribute in each blank;'
            " values with blanks in them are filled in safely.",
        )
    if re.match(r"https?://[^/?#]*@", value):
        raise objection("holds a user or a password", "Write them as a header: authorization: ${env:NAME}.")
    return value


def header_value(value: Any) -> str:
    """What a header says; never quoted, it may be a secret."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or not value.isascii():
        raise objection("is no header's value", "Write one line of plain letters.")
    return value


def network(value: Any) -> str:
    """An inner network, as its first address and the length of its prefix."""
    try:
        return str(ip_network(value if isinstance(value, str) else ""))
    except ValueError:
        raise objection(f"{_what(value)} is not a network", "Write it like `10.0.0.0/8`.") from None


def per_minute(value: str) -> int:
    """A rate as whole messages a minute."""
    found = phrases.rate(value)
    limit = found.limit * 60_000_000 // found.within
    if limit < 1:
        raise PhraseError(value, "a rate of a message a minute or more", "a rate like `500 per minute`")
    return limit


def once(value: str) -> str:
    """One moment on the wall clock, with its time."""
    wall = timetables.wall_time(value)
    if "T" not in wall:
        raise PhraseError(value, "a moment", "a date and a time", [f"{wall} 10:00"])
    return wall


Text = Annotated[str, PlainValidator(text), WithJsonSchema({"type": "string", "minLength": 1})]
Name = Annotated[str, *matching(NAME.pattern, "a name (letters, digits, _ and -)", "winback")]
Duration = Annotated[int, *phrase(phrases.duration, "48 hours")]
Percent = Annotated[float, *phrase(phrases.percent, "10%")]
Over = Annotated[float, *phrase(phrases.over, "over 0.1%")]
Outside = Annotated[tuple[int, int], *phrase(phrases.outside, "outside 2000 to 60000")]
CapPhrase = Annotated[Cap, *phrase(phrases.cap, "2 emails per week")]
QuietPhrase = Annotated[QuietHours, *phrase(phrases.quiet_hours, "21:00-09:00")]
RatePhrase = Annotated[Rate, *phrase(phrases.rate, "80 per second")]
PerMinute = Annotated[int, *phrase(per_minute, "500 per minute")]
RepeatPhrase = Annotated[Repeat, *phrase(phrases.repeat, "after 90 days")]
RampStep = Annotated[tuple[float, int], *phrase(phrases.ramp_step, "5% for 3 days")]
Undecided = Annotated[tuple[str, int], *phrase(phrases.undecided, "reminder after 30 days")]
EveryPhrase = Annotated[Every | Interval, *phrase(timetables.every, "day at 10:00")]
CronPhrase = Annotated[Cron, *phrase(timetables.cron, "0 9 * * 1-5")]
OncePhrase = Annotated[str, *phrase(once, "2026-03-02 10:00")]
Wall = Annotated[str, *phrase(timetables.wall_time, "2026-03-02")]

StateWord = Annotated[CampaignState, *one_of(CampaignState)]
KindWord = Annotated[Kind, *one_of(Kind)]
ConsentWord = Annotated[Consent, *one_of(Consent)]
MisfireWord = Annotated[Misfire, *one_of(Misfire)]
ChannelWord = Annotated[Channel, *one_of(Channel)]
AmbiguousWord = Annotated[OnAmbiguous, *one_of(OnAmbiguous)]
DeliverWord = Annotated[Deliver, *one_of(Deliver)]
DevicesWord = Annotated[Devices, *one_of(Devices)]
CappedWord = Annotated[Capped, *one_of(Capped)]
TypeWord = Annotated[Type, *one_of(Type)]

Zone = Annotated[str, PlainValidator(zone), WithJsonSchema({"type": "string", "examples": ["Europe/Vienna"]})]
ScheduleZone = Annotated[
    str, PlainValidator(named), WithJsonSchema({"type": "string", "examples": [RECIPIENT, "Europe/Vienna"]})
]
Locale = Annotated[str, PlainValidator(locale), WithJsonSchema({"type": "string", "examples": ["de", "fr-CA"]})]
LedgerAddress = Annotated[str, *store(("sqlite", "postgresql"), "sqlite:data/ledger.db")]
AudienceAddress = Annotated[str, *store(("duckdb", "postgresql", "clickhouse", "spark"), "duckdb:data/audience.duckdb")]
ListFile = Annotated[str, *matching(r"lists/[A-Za-z0-9_\-./]+\.csv", "a list's file", "lists/staff.csv")]
SourceFile = Annotated[
    str, *matching(r"(lists|data)/[A-Za-z0-9_\-./]+\.(csv|json)", "a source's file", "data/products.csv")
]
SourceUrl = Annotated[
    str, PlainValidator(source_url), WithJsonSchema({"type": "string", "examples": ["https://api.example/city/{city}"]})
]
HeaderName = Annotated[str, *matching(r"[A-Za-z0-9!#$%&'*+.^_`|~\-]+", "a header's name", "authorization")]
HeaderValue = Annotated[str, PlainValidator(header_value), WithJsonSchema({"type": "string"})]
Network = Annotated[str, PlainValidator(network), WithJsonSchema({"type": "string", "examples": ["10.0.0.0/8"]})]
OnErrorWord = Annotated[OnError, *one_of(OnError)]
PropertyPath = Annotated[str, *matching(r"[^.\s][^.]*\.[^.]*[^.\s]", "an event and its property", "purchase.amount")]
