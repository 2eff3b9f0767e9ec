"""Which column of a file means what: guessed from its name, or as the project's mapping file says."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from orchestrator.audience.coercion import Clock, Words
from orchestrator.audience.texts import FileError, Form, refuse_many
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.mistakes import remedy
from orchestrator.core.segments.tree import Kind

IGNORE = "ignore"
CONSENT = "consent."
"""`consent.CHANNEL.TOPIC` is the target of a column that says yes or no to one topic on one channel."""
EVERY = "*"
"""In place of the channel or the topic: a no to all of them."""
STOPPED = "stopped"
"""The target of a column that says whether nothing may go to the row's address any more."""


class What(StrEnum):
    """What a file tells about people."""

    PROFILES = "profiles"
    EVENTS = "events"
    DEVICES = "devices"
    CONSENT = "consent"
    SUPPRESSIONS = "suppressions"


FIELDS: Mapping[What, Mapping[str, Kind]] = {
    What.PROFILES: {"user": Kind.TEXT, "email": Kind.TEXT, "phone": Kind.TEXT, "zone": Kind.TEXT, "locale": Kind.TEXT,
                    "device": Kind.TEXT, "platform": Kind.TEXT, "app": Kind.TEXT, "seen_at": Kind.TIME,
                    STOPPED: Kind.BOOLEAN},
    What.EVENTS: {"user": Kind.TEXT, "event": Kind.TEXT, "time": Kind.TIME, "message_id": Kind.TEXT, "properties": Kind.TEXT},
    What.DEVICES: {"user": Kind.TEXT, "device": Kind.TEXT, "platform": Kind.TEXT, "app": Kind.TEXT, "seen_at": Kind.TIME},
    What.CONSENT: {"user": Kind.TEXT, "channel": Kind.TEXT, "topic": Kind.TEXT, "granted": Kind.BOOLEAN, "time": Kind.TIME,
                   "source": Kind.TEXT, "proof": Kind.TEXT},
    What.SUPPRESSIONS: {"email": Kind.TEXT, "phone": Kind.TEXT, "device": Kind.TEXT, "reason": Kind.TEXT, "time": Kind.TIME,
                        STOPPED: Kind.BOOLEAN},
}  # fmt: skip
"""Our own fields of each kind of file; every other target is an attribute, a property or `consent.CHANNEL.TOPIC`."""

NEEDED: Mapping[What, tuple[str, ...]] = {
    What.PROFILES: ("user",),
    What.EVENTS: ("user", "event", "time"),
    What.DEVICES: ("user", "device"),
    What.CONSENT: ("user", "channel", "topic", "granted"),
    What.SUPPRESSIONS: (),
}

ADDRESSES = frozenset({"email", "phone", "device"})
PLATFORMS = ("ios", "android", "web")
"""What a device may be."""
_OF_A_DEVICE = ("platform", "app", "seen_at")

NAMES: Mapping[str, str] = {
    "user": "user userid customer customerid customerno customernumber custid memberid externalid profileid id uid distinctid",
    "email": "email mail emailaddress",
    "phone": "phone phonenumber phoneno mobile mobilephone mobilenumber mobileno cellphone msisdn tel telephone",
    "zone": "timezone tz zone",
    "locale": "locale language lang",
    "device": "device token devicetoken devicetok pushtoken registrationid",
    "platform": "platform os",
    "app": "app appid bundleid package",
    "seen_at": "seenat lastseen lastseenat lastactive",
    "event": "event eventname action",
    "time": "time timestamp eventtime occurredat at ts datetime date createdat changedat",
    "message_id": "messageid eventid insertid uuid",
    "properties": "properties props",
    "channel": "channel",
    "topic": "topic list category",
    "granted": "granted consent optin optedin subscribed status",
    "source": "source",
    "proof": "proof ip",
    "reason": "reason cause type",
    STOPPED: "stopped suppressed",
}
"""Names of columns that are understood without a mapping, in small letters and without what stands between them."""
_AGREEING = (
    "newsletter", "optin", "optout", "optedin", "optedout", "consent", "subscribe", "marketing", "permission", "mailing",
    "einwilligung", "werbung", "abmeld",
)  # fmt: skip
"""What is in the names of columns that say yes or no to being written to."""
_ENVELOPE = frozenset(
    [
        "type",
        "anonymousid",
        "context",
        "integrations",
        "sentat",
        "receivedat",
        "originaltimestamp",
        "writekey",
        "channel",
        "metadata",
        "version",
    ]
)
"""What tracking libraries wrap around an event, and nobody asks for."""
KEYS: Mapping[str, str] = {
    "columns": "What each column is: `customer_no: user`, a list in the order of the file, or, with more to say,"
    ' `signed_up: {to: createdAt, is: time, format: "%d.%m.%Y"}`.',
    "separator": "The character between columns, `tab` or `whitespace`; found out if not said.",
    "header": "`false` for a file whose first line is data already.",
    "encoding": "The encoding; found out if not said.",
    "decimal": '`","` where numbers are written `1.234,50`; found out if not said.',
    "event": "The event's name, for a file without such a column.",
    "zone": "The clock of times without a zone; unset, the project's.",
    "user": "The column that is the person's id as well as what it goes to: `user: email`, for a file without an id.",
    "topic": "The topic, for a file without such a column.",
    "channel": "The channel, for a file without such a column.",
    "platform": "The platform (`ios`, `android`, `web`), for a file without such a column.",
    "app": "The app, for a file without such a column.",
    "reason": "Why nothing may go there, for a file without such a column.",
}
"""What a mapping file may say, and what each key means."""

COLUMN_KEYS: Mapping[str, str] = {
    "to": "Where the column goes: a field, an attribute or property, `consent.CHANNEL.TOPIC` (`*` is every one, for a no), or `ignore`.",
    "is": "What kind of value it holds.",
    "format": "How its times are written, in the codes of strptime; of several, the first that fits.",
    "zone": "The clock of its times.",
    "decimal": '`","` where its numbers are written `1.234,50`.',
    "means_yes": "The values that mean yes, or `any`; with `is: time`, since that time.",
    "means_no": "The values that mean no, or `any`.",
    "means_nothing": "The values that say neither.",
}
"""What it may say of one column."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one column goes; `kind` is None while nobody said."""

    to: str
    kind: Kind | None = None
    clock: Clock = field(default_factory=Clock)
    words: Words | None = None
    decimal: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one file is read: its form, the target of every column that has been told, and values that hold for every row."""

    form: Form = field(default_factory=Form)
    columns: Mapping[str, Target] = field(default_factory=dict)
    by_place: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    decimal: str = ""


def consent_mistake(to: str, topics: Collection[str] | None) -> tuple[str, str] | None:
    """What is wrong with a target `consent.CHANNEL.TOPIC`, and what to write; None if nothing is. `topics`: None takes any."""
    channel, _, topic = to.removeprefix(CONSENT).partition(".")
    if channel not in (*Channel, EVERY):
        return f"no channel '{channel}'", remedy(channel, list(Channel))
    if not topic:
        return f"{to} names no topic", "Write consent.CHANNEL.TOPIC, like consent.email.offers."
    if topic == EVERY and topics is not None and not topics:
        return "no topic at all yet", "Declare them under `topics` in config/orchestrator.yaml: people said no to them."
    if topics is not None and topic not in (*topics, EVERY):
        return f"no topic '{topic}'", remedy(
            topic, sorted(topics)
        ) or "Declare it under `topics` in config/orchestrator.yaml."
    return None


class NeededError(FileError):
    """No column of a file looks like something it needs."""

    def __init__(self, text: str, needed: str, names: Sequence[str]) -> None:
        super().__init__(text)
        self.needed = needed
        self.names = tuple(names)


def refuse_consents(found: Mapping[str, Target], topics: Collection[str], where: str) -> None:
    """FileError for a column that is called like somebody's word on a channel or topic there is not."""
    for name, target in found.items():
        if not target.to.startswith(CONSENT):
            continue
        problem = consent_mistake(target.to, topics) or wholesale_mistake(target)
        if problem:
            raise FileError(f"{where}: column {name}: {problem[0]}. {problem[1]}")


def wholesale_mistake(target: Target) -> tuple[str, str] | None:
    """What is wrong with a column that goes to every topic or channel, and what to write; None if nothing is."""
    if EVERY not in target.to or (target.words and target.words.yes == ()):
        return None
    return (
        "nobody says yes to everything at once",
        "Name the topic, or say what `means_no`, and nothing that means yes.",
    )


def targets(what: What, names: Sequence[str], told: Plan, where: str) -> dict[str, Target]:
    """The target of every column of a file: as told, else guessed from its name, each of our own fields once."""
    _refuse_shape(names, told, where)
    found: dict[str, Target] = {}
    lower = {name.lower(): name for name in names}
    for place, name in enumerate(names, 1):
        target = told.columns.get(str(place)) if told.by_place else told.columns.get(name)
        if target:
            found[name] = target
    for name in told.columns:
        if not told.by_place and name not in found:
            close = get_close_matches(name.lower(), lower, 1)
            hint = f" Did you mean {lower[close[0]]}?" if close else ""
            raise FileError(
                f"{where}: the mapping speaks of a column {name} that is not there.{hint} Columns: {_shown(names)}"
            )
    taken = {target.to for target in found.values()}
    for own in FIELDS[what]:
        if own in taken or own in told.constants:
            continue
        if own in _OF_A_DEVICE and "device" not in {target.to for target in found.values()}:
            continue  # without a device, `os` is an attribute like any other
        for best in understood(own, [name for name in names if name not in found])[:1]:
            found[best] = Target(own, None, Clock(told.zone), decimal=told.decimal)
    for name in names:
        if name not in found:
            to = IGNORE if what not in (What.PROFILES, What.EVENTS) else name
            found[name] = Target(to, None, Clock(told.zone), decimal=told.decimal)
    _refuse(what, found, names, told, where)
    return found


def _refuse_shape(names: Sequence[str], told: Plan, where: str) -> None:
    refuse_many(where, len(names))
    if "user" in told.constants and told.constants["user"] not in names:
        raise FileError(
            f"{where}: the mapping takes {told.constants['user']} for the user, and there is no such column"
        )
    if told.by_place and len(names) != len(told.by_place):
        raise FileError(f"{where}: {len(names)} columns, but the mapping lists {len(told.by_place)}")


def understood(field: str, names: Sequence[str]) -> list[str]:
    """Those of the names by which one of our own fields is known, the likeliest first."""
    words = NAMES[field].split()
    return sorted((name for name in names if plain(name) in words), key=lambda name: words.index(plain(name)))


def agreeing(name: str) -> bool:
    """Whether a column is called like people's yes or no to something."""
    return any(word in plain(name) for word in _AGREEING)


def addressed(name: str) -> bool:
    """Whether a column is called like an address, and so is more than a person's id."""
    return any(understood(field, [name]) for field in ("email", "phone"))


def enveloped(name: str) -> bool:
    """Whether a key belongs to what tracking libraries wrap around an event."""
    return plain(name) in _ENVELOPE


def _refuse(what: What, found: Mapping[str, Target], names: Sequence[str], told: Plan, where: str) -> None:
    goals = [target.to for target in found.values() if target.to != IGNORE]
    for to in goals:
        if goals.count(to) > 1:
            both = ", ".join(name for name, target in found.items() if target.to == to)
            raise FileError(f"{where}: {both} are all mapped to {to}; keep one")
    for needed in NEEDED[what]:
        if needed not in goals and needed not in told.constants:
            raise NeededError(
                f"{where}: no column looks like the {needed}; say which in the mapping, like `columns: {{{names[0] if names else 'x'}: {needed}}}`."
                f" Columns: {_shown(names)}",
                needed,
                names,
            )
    if what is What.SUPPRESSIONS and not ADDRESSES & set(goals):
        raise FileError(f"{where}: no column holds addresses (email, phone or device). Columns: {_shown(names)}")


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")


def plain(name: str) -> str:
    """A name in small letters, without what stands between them."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
