"""What crosses between a worker and its render child: requests and answers as plain tuples."""

import marshal
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.nouns import (
    Address,
    Channel,
    Content,
    EmailContent,
    InAppContent,
    Person,
    PushContent,
    TextContent,
    WebhookContent,
)
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.rendering.rendering import Refusal, RenderRequest

_KINDS: Mapping[str, type[Content]] = {
    "email": EmailContent,
    "push": PushContent,
    "in_app": InAppContent,
    "text": TextContent,
    "webhook": WebhookContent,
}


def pack_requests(requests: Sequence[RenderRequest]) -> bytes:
    """Requests as bytes; ValueError for attributes that are not JSON-ready."""
    return marshal.dumps([_of_request(request) for request in requests])


def unpack_requests(data: bytes) -> list[RenderRequest]:
    """The requests again."""
    return [_to_request(found) for found in marshal.loads(data)]  # noqa: S302 - from our own parent


def pack_answers(answers: Sequence[Content | Refusal]) -> bytes:
    """Answers as bytes."""
    return marshal.dumps([_of_answer(answer) for answer in answers])


def unpack_answers(data: bytes) -> list[Content | Refusal]:
    """The answers again."""
    return [_to_answer(*found) for found in marshal.loads(data)]  # noqa: S302 - from our own child


def _of_request(request: RenderRequest) -> tuple[Any, ...]:
    person = request.person
    return (
        (person.user, person.segment, person.zone, person.locale, person.variant),
        person.attributes,
        request.channel.value,
        request.judged_at,
        request.delivery_id,
        (request.address.value, request.address.seen_at, request.address.platform, request.address.app),
        request.extras,
    )


def _to_request(found: tuple[Any, ...]) -> RenderRequest:
    (user, segment, zone, locale, variant), attributes, channel, judged_at, delivery_id, address, extras = found
    person = Person(user, segment, zone, locale, variant, attributes=attributes)
    return RenderRequest(person, _CHANNELS[channel], Instant(judged_at), delivery_id, Address(*address), extras)


_CHANNELS = {channel.value: channel for channel in Channel}


def _of_answer(answer: Content | Refusal) -> tuple[Any, ...]:
    match answer:
        case EmailContent():
            return (
                "email",
                (answer.sender, answer.subject, answer.html, answer.text, answer.reply_to, dict(answer.headers)),
            )
        case PushContent():
            return (
                "push",
                (answer.title, answer.body, answer.link, answer.image, answer.collapse, answer.ttl, dict(answer.data)),
            )
        case InAppContent():
            return "in_app", (answer.payload, answer.visible_for)
        case TextContent():
            return "text", (answer.text,)
        case WebhookContent():
            return "webhook", (answer.type, answer.data)
        case Refusal():
            return "refusal", (answer.reason.value, answer.detail)


def _to_answer(kind: str, values: tuple[Any, ...]) -> Content | Refusal:
    if kind == "refusal":
        return Refusal(Reason(values[0]), values[1])
    return _KINDS[kind](*values)
