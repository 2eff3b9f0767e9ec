"""Which column of a file means what: guessed from its name, or as the project's mapping file says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from orchestrator.audience.coercion import Clock
from orchestrator.audience.texts import FileError, Form
from orchestrator.core.mirrors import ours
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.tree import Kind
from orchestrator.core.zones import find_zone

IGNORE = "ignore"
CONSENT = "consent."
"""`consent.CHANNEL.TOPIC` is the target of a column that says yes or no to one topic on one channel."""


class What(StrEnum):
    """What a file tells about people."""

    PROFILES = "profiles"
    EVENTS = "events"
    DEVICES = "devices"
    CONSENT = "consent"
    SUPPRESSIONS = "suppressions"


FIELDS: Mapping[What, Mapping[str, Kind]] = {
    What.PROFILES: {"user": Kind.TEXT, "email": Kind.TEXT, "phone": Kind.TEXT, "zone": Kind.TEXT, "locale": Kind.TEXT,
                    "device": Kind.TEXT, "platform": Kind.TEXT, "app": Kind.TEXT, "seen_at": Kind.TIME},
    What.EVENTS: {"user": Kind.TEXT, "event": Kind.TEXT, "time": Kind.TIME, "message_id": Kind.TEXT, "properties": Kind.TEXT},
    What.DEVICES: {"user": Kind.TEXT, "device": Kind.TEXT, "platform": Kind.TEXT, "app": Kind.TEXT, "seen_at": Kind.TIME},
    What.CONSENT: {"user": Kind.TEXT, "channel": Kind.TEXT, "topic": Kind.TEXT, "granted": Kind.BOOLEAN, "time": Kind.TIME,
                   "source": Kind.TEXT, "proof": Kind.TEXT},
    What.SUPPRESSIONS: {"email": Kind.TEXT, "phone": Kind.TEXT, "device": Kind.TEXT, "reason": Kind.TEXT, "time": Kind.TIME},
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
_OF_A_DEVICE = ("platform", "app", "seen_at")

NAMES: Mapping[str, str] = {
    "user": "user userid customer customerid customerno customernumber custid memberid externalid profileid id uid distinctid",
    "email": "email mail emailaddress",
    "phone": "phone phonenumber mobile mobilephone msisdn tel",
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
}
"""Names of columns that are understood without a mapping, in small letters and without what stands between them."""
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
    "encoding": "Another one than UTF-8.",
    "event": "The event's name, for a file without such a column.",
    "zone": "The clock of times without a zone; unset, the project's.",
    "topic": "The topic, for a file without such a column.",
    "channel": "The channel, for a file without such a column.",
    "platform": "The platform, for a file without such a column.",
    "app": "The app, for a file without such a column.",
}
"""What a mapping file may say, and what each key means."""

COLUMN_KEYS: Mapping[str, str] = {
    "to": "Where the column goes: a field, an attribute or property, `consent.CHANNEL.TOPIC`, or `ignore`.",
    "is": "What kind of value it holds.",
    "format": "How its times are written, in the codes of strptime.",
    "zone": "The clock of its times.",
}
"""What it may say of one column."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one column goes; `kind` is None while nobody said."""

    to: str
    kind: Kind | None = None
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one file is read: its form, the target of every column that has been told, and values that hold for every row."""

    form: Form = field(default_factory=Form)
    columns: Mapping[str, Target] = field(default_factory=dict)
    by_place: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"


def plan(content: Mapping[str, Any] | None, zone: str, where: str) -> Plan:
    """Read a mapping file's content; `where` names it in errors, `zone` is the project's."""
    content = content or {}
    _known(content, tuple(KEYS), where)
    told = str(content.get("zone", zone))
    if find_zone(told) is None:
        raise FileError(f"{where}: zone: there is no time zone '{told}'; write one like Europe/Vienna")
    separator = str(content.get("separator", ""))
    if separator not in ("", "whitespace", "tab") and len(separator) != 1:
        raise FileError(f"{where}: separator: '{separator}' is none; write one character, tab or whitespace")
    form = Form(separator, bool(content.get("header", True)), str(content.get("encoding", "")))
    columns = content.get("columns", {})
    constants = {key: str(content[key]) for key in ("event", "topic", "channel", "platform", "app") if key in content}
    if "channel" in constants:
        _channel(constants["channel"], f"{where}: channel")
    if ours(constants.get("event", "")):
        raise FileError(f"{where}: event: {constants['event']} is a name of our own events; call yours otherwise")
    if isinstance(columns, Mapping):
        targets = {str(name): _target(value, told, f"{where}: columns.{name}") for name, value in columns.items()}
        return Plan(form, targets, (), constants, told)
    if isinstance(columns, Sequence) and not isinstance(columns, str):
        found = [_target(value, told, f"{where}: columns[{place}]") for place, value in enumerate(columns)]
        targets = {str(place): target for place, target in enumerate(found, 1)}
        return Plan(form, targets, tuple(target.to for target in found), constants, told)
    raise FileError(f"{where}: columns: say what each column is, like `customer_no: user`, or list them in order")


def _channel(word: str, where: str) -> None:
    if word not in list(Channel):
        raise FileError(f"{where}: no channel '{word}'; allowed: {', '.join(Channel)}")


def _target(value: Any, zone: str, where: str) -> Target:
    to = str(value.get("to", "")) if isinstance(value, Mapping) else str(value)
    if to.startswith(CONSENT):
        channel, _, topic = to.removeprefix(CONSENT).partition(".")
        _channel(channel, where)
        if not topic:
            raise FileError(f"{where}: {to} names no topic; write consent.CHANNEL.TOPIC, like consent.email.offers")
    if not isinstance(value, Mapping):
        return Target(to, None, Clock(zone))
    _known(value, tuple(COLUMN_KEYS), where)
    if "to" not in value:
        raise FileError(f"{where}: `to` says what the column is")
    kind = None
    if "is" in value:
        try:
            kind = Kind({"email": "text", "url": "text"}.get(str(value["is"]), str(value["is"])))
        except ValueError:
            raise FileError(f"{where}.is: no kind '{value['is']}'; allowed: {', '.join(Kind)}") from None
    own = str(value.get("zone", zone))
    if find_zone(own) is None:
        raise FileError(f"{where}.zone: there is no time zone '{own}'; write one like Europe/Vienna")
    return Target(to, kind, Clock(own, str(value.get("format", ""))))


def _known(content: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    for key in content:
        if key not in allowed:
            close = get_close_matches(str(key), allowed, 1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise FileError(f"{where}: no key '{key}'. {hint}Allowed: {', '.join(allowed)}.")


def targets(what: What, names: Sequence[str], told: Plan, where: str) -> dict[str, Target]:
    """The target of every column of a file: as told, else guessed from its name, each of our own fields once."""
    if told.by_place and len(names) != len(told.by_place):
        raise FileError(f"{where}: {len(names)} columns, but the mapping lists {len(told.by_place)}")
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
            found[best] = Target(own, None, Clock(told.zone))
    for name in names:
        if name not in found:
            to = IGNORE if what not in (What.PROFILES, What.EVENTS) else name
            found[name] = Target(to, None, Clock(told.zone))
    _refuse(what, found, names, told, where)
    return found


def understood(field: str, names: Sequence[str]) -> list[str]:
    """Those of the names by which one of our own fields is known, the likeliest first."""
    words = NAMES[field].split()
    return sorted((name for name in names if _plain(name) in words), key=lambda name: words.index(_plain(name)))


def enveloped(name: str) -> bool:
    """Whether a key belongs to what tracking libraries wrap around an event."""
    return _plain(name) in _ENVELOPE


def _refuse(what: What, found: Mapping[str, Target], names: Sequence[str], told: Plan, where: str) -> None:
    goals = [target.to for target in found.values() if target.to != IGNORE]
    for to in goals:
        if goals.count(to) > 1:
            both = ", ".join(name for name, target in found.items() if target.to == to)
            raise FileError(f"{where}: {both} are all mapped to {to}; keep one")
    for needed in NEEDED[what]:
        if needed not in goals and needed not in told.constants:
            raise FileError(
                f"{where}: no column looks like the {needed}; say which in the mapping, like `columns: {{{names[0] if names else 'x'}: {needed}}}`."
                f" Columns: {_shown(names)}"
            )
    if what is What.SUPPRESSIONS and not ADDRESSES & set(goals):
        raise FileError(f"{where}: no column holds addresses (email, phone or device). Columns: {_shown(names)}")


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
