"""Items of Segment's tracking API, read from JSON and turned into what waits in the event inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from orchestrator.core.mirrors import MARK, ours
from orchestrator.core.times import DAY, Instant, instant
from orchestrator.ledger.arrivals import Incoming
from orchestrator.providers import CannotBuildError
from orchestrator.providers.subscriptions import spelled, subscribed

MOST_ITEMS = 2_500
"""Items of one batch."""
LARGEST_ITEM = 32 * 1024
"""Bytes of one item."""
LONGEST_USER, LONGEST_NAME, LONGEST_ID = 128, 200, 128

Id = str | int | None


class ItemError(Exception):
    """What is wrong with an item or a body, in words for whoever sent it."""


class Item(msgspec.Struct, rename="camel"):
    """One call, as far as we look at it."""

    type: str = ""
    event: str | None = None
    name: str | None = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    message_id: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    properties: msgspec.Raw = msgspec.Raw()
    traits: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()


class Body(msgspec.Struct, rename="camel"):
    """A batch."""

    batch: list[msgspec.Raw]
    write_key: str | None = None
    sent_at: str | None = None
    context: msgspec.Raw = msgspec.Raw()


class Single(msgspec.Struct, rename="camel"):
    """What a body with a single call says of itself."""

    write_key: str | None = None
    sent_at: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body: its items as they were written, and what holds for all of them. `kind` is the type of items that name none."""

    items: Sequence[bytes]
    kind: str = ""
    write_key: str = ""
    sent_at: str = ""
    context: bytes = b""


_batch = msgspec.json.Decoder(Body)
_single = msgspec.json.Decoder(Single)
_item = msgspec.json.Decoder(Item)
_object = msgspec.json.Decoder(dict[str, Any])
_write = msgspec.json.Encoder()


def envelope(body: bytes, kind: str) -> Envelope:
    """Read a body; ItemError if it is no JSON of the right shape. Items are looked into one by one, later."""
    try:
        if kind != "batch":
            one = _single.decode(body)
            return Envelope([body], kind, one.write_key or "", one.sent_at or "")
        sent = _batch.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ItemError(f"the body cannot be read: {problem}") from problem
    if len(sent.batch) > MOST_ITEMS:
        raise ItemError(f"{len(sent.batch):,} items in one batch; send at most {MOST_ITEMS:,}")
    return Envelope(
        [bytes(raw) for raw in sent.batch], "", sent.write_key or "", sent.sent_at or "", bytes(sent.context)
    )


def incoming(raw: bytes, sent: Envelope, now: Instant) -> list[Incoming]:
    """What an item becomes; ItemError says what is wrong with it. Calls we have no use for become nothing."""
    if len(raw) > LARGEST_ITEM:
        raise ItemError(f"the item is larger than {LARGEST_ITEM // 1024} KB")
    try:
        item = _item.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ItemError(f"the item cannot be read: {problem}") from problem
    anonymous = _user(item.anonymous_id, "anonymousId")
    user = _user(item.user_id, "userId") or anonymous
    if not user:
        raise ItemError("neither userId nor anonymousId")
    message = _message(item, raw)
    at = _moment(item, sent, now)
    match item.type or sent.kind:
        case "track":
            return [_row("event", user, message, at, _name(item.event, "event"), _json(item.properties, "properties"))]
        case "page" | "screen" as kind:
            named = _json(item.properties, "properties")
            if item.name:
                named = _write.encode({**_object.decode(named), "name": item.name})
            return [_row("event", user, message, at, kind, named)]
        case "identify":
            rows = [_row("profile", user, message, at, "", _write.encode(_traits(item, sent)))]
            return [*rows, _alias(user, anonymous, message, at)] if anonymous and anonymous != user else rows
        case "alias":
            previous = _user(item.previous_id, "previousId")
            if not previous:
                raise ItemError("an alias needs previousId")
            return [_alias(user, previous, message, at)] if previous != user else []
        case "group":
            return []
        case other:
            raise ItemError(f"type {other!r}: write track, identify, alias, page, screen or group")


def _row(kind: str, user: str, message: str, at: Instant, name: str, body: bytes) -> Incoming:
    head = _write.encode({"at": int(at), "name": name})
    return Incoming(kind, user, message, (head[:-1] + b',"body":' + body + b"}").decode())


def _alias(user: str, previous: str, message: str, at: Instant) -> Incoming:
    return _row("alias", user, message, at, previous, b"{}")


def _message(item: Item, raw: bytes) -> str:
    """The id by which a call is known again; one without gets an id made of its bytes."""
    message = item.message_id or blake2b(raw, digest_size=16).hexdigest()
    if len(message) > LONGEST_ID or "\0" in message:
        raise ItemError(f"messageId: more than {LONGEST_ID} characters, or a NUL in it")
    if message.startswith(MARK):
        raise ItemError(
            f"messageId: {message[:64]} begins with {MARK} like those of our own events; call yours otherwise"
        )
    return message


def _user(given: Id, key: str) -> str:
    user = "" if given is None else str(given)
    if len(user) > LONGEST_USER or any(letter < " " or letter == "\x7f" for letter in user):
        raise ItemError(f"{key}: more than {LONGEST_USER} characters, or a control character in it")
    return user


def _name(given: str | None, key: str) -> str:
    if not given:
        raise ItemError(f"a track call needs {key}, the name of what happened")
    if ours(given):
        raise ItemError(f"{key}: {given} is a name of our own events; call yours otherwise")
    if len(given) > LONGEST_NAME or "\0" in given:
        raise ItemError(f"{key}: more than {LONGEST_NAME} characters, or a NUL in it")
    return given


def _json(raw: msgspec.Raw, key: str) -> bytes:
    """A JSON object as it was written; nothing, or null, is an empty one."""
    text = bytes(raw)
    if text in (b"", b"null"):
        return b"{}"
    if not text.startswith(b"{"):
        raise ItemError(f"{key}: not an object")
    try:
        text.decode()
    except UnicodeDecodeError as problem:
        raise ItemError(f"{key}: not UTF-8") from problem
    return text


def _traits(item: Item, sent: Envelope) -> dict[str, Any]:
    """Traits under their names, and what the context says of zone, locale and device."""
    found: dict[str, Any] = _read(_json(item.traits, "traits"), "traits")
    context = {**_read(sent.context or b"{}", "context"), **_read(_json(item.context, "context"), "context")}
    for key, name in (("timezone", "zone"), ("locale", "locale")):
        if isinstance(context.get(key), str) and name not in found:
            found[name] = context[key]
    device = context.get("device")
    token = _token(device.get("token")) if isinstance(device, dict) else ""
    if isinstance(device, dict) and token:
        found |= {"device": token, "platform": str(device.get("type") or "")}
    return found


def _token(told: Any) -> str:
    """A device's token; a browser's is its subscription, as an object or as the text of one."""
    try:
        if isinstance(told, dict):
            return subscribed(told).text
        return spelled(told) if isinstance(told, str) else ""
    except CannotBuildError as problem:
        raise ItemError(f"context.device.token: {problem}") from problem


def _read(text: bytes, key: str) -> dict[str, Any]:
    try:
        return _object.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ItemError(f"{key} cannot be read: {problem}") from problem


def _moment(item: Item, sent: Envelope, now: Instant) -> Instant:
    """When it happened: as the device says, less what its clock was off when it sent; never later than a day from now."""
    told = _instant(item.original_timestamp or item.timestamp, "timestamp")
    if told is None:
        return now
    left = _instant(item.sent_at or sent.sent_at or None, "sentAt")
    at = told if left is None else Instant(now - (left - told))
    return at if at <= now + DAY else now


def _instant(text: str | None, key: str) -> Instant | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ItemError(f"{key}: {text[:64]!r} is no time; write 2026-03-02T09:00:00Z") from problem
    return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
