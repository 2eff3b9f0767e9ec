"""The nouns of the product, frozen and doing no work: people, messages, deliveries, verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from orchestrator.core.frozen import value
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant


class Channel(StrEnum):
    """A way to reach somebody."""

    PUSH = "push"
    EMAIL = "email"
    IN_APP = "in_app"
    SMS = "sms"
    WEBHOOK = "webhook"


class State(StrEnum):
    """Where a delivery stands, and what that means. The words stand in the ledger for good."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:
        made = str.__new__(cls, word)
        made._value_ = word
        made.meaning = meaning
        return made

    PLANNED = "planned", "It will be judged as soon as its shard is worked."
    HELD = "held", "Not now: it is judged again at a moment that the row names."
    INTENT = "intent", "It is in the air: written down before the first byte leaves."
    RETRY_WAIT = "retry_wait", "A passing trouble; it is tried again."
    ACCEPTED = "accepted", "The provider took it."
    DELIVERED = "delivered", "The provider says that it arrived."
    BOUNCED = "bounced", "The provider took it and says later that it came back."
    COMPLAINED = "complained", "It arrived, and the person called it spam."
    SKIPPED = "skipped", "Nothing on this channel, on purpose; the reason says why."
    RENDER_FAILED = "render_failed", "The template could not be written for this person."
    FAILED = "failed", "It was refused, or every attempt failed."
    EXPIRED = "expired", "Its time was over before it could leave."
    UNKNOWN = "unknown", "It may or may not have arrived, and nothing will be sent again."


OPEN = frozenset({State.PLANNED, State.HELD, State.INTENT, State.RETRY_WAIT})
"""States that still want work; every other state is an end, but for what providers report later."""


class OnAmbiguous(StrEnum):
    """What a campaign does with a message that may or may not have arrived, when the provider takes no key."""

    HOLD = "hold"
    RESEND = "resend"


class DeliveryKey(NamedTuple):
    """The natural key of a delivery: one row in the ledger. `run` is the ledger's own number of the run."""

    run: int
    user: str
    channel: Channel
    step: int = 0
    slot: int = 0


def delivery_id(campaign: str, occurrence: str, key: DeliveryKey) -> str:
    """32 hex digits, computed and never stored: idempotency key, Message-ID and callback tag in one.

    It hangs on the run's natural key (campaign, occurrence), not on the ledger's number of it, so it survives a move
    from one ledger to another.
    """
    text = "\0".join((campaign, occurrence, key.user, key.channel, str(key.step), str(key.slot)))
    return blake2b(text.encode(), digest_size=16).hexdigest()


@value(frozen=True, slots=True)
class Address:
    """Where a message can go: an e-mail address, a device token, a phone number, a URL.

    `seen_at` is the last moment the customer's systems saw it alive (0: never told); `platform` and `app` are known for
    devices only.
    """

    value: str
    seen_at: Instant = Instant(0)
    platform: str = ""
    app: str = ""


class Asked(StrEnum):
    """What the audience engine said when it was asked again about somebody who has waited for long."""

    NOT_ASKED = "not_asked"
    STILL_IN = "still_in"
    LEFT = "left"
    CONVERTED = "converted"


CODES = " codes"
"""Among a person's attributes: by pool of coupons, their code and when it expires. No template can read this name."""

UNLINKED = " unlinked"
"""Among a person's attributes: by source of linked data, why it has no answer for them. No template can read this name."""


@value(frozen=True, slots=True)
class Person:
    """One member of an audience as planned: what workers know about them without asking the audience engine.

    `attributes` holds just what the campaign's templates touch, under the names the templates use. `variant` is empty
    without an experiment; `holdout` says that the draw gave nothing. `asked` is the engine's answer when a long wait made the
    planner ask again; `seed` says that an environment of `deliver: seeds` may reach them.
    """

    user: str
    segment: str
    zone: str = ""
    locale: str = ""
    variant: str = ""
    holdout: bool = False
    addresses: Mapping[Channel, tuple[Address, ...]] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    asked: Asked = Asked.NOT_ASKED
    seed: bool = False


@value(frozen=True, slots=True)
class EmailContent:
    """A rendered e-mail. `headers` come on top of those the adapter writes; values carry no line breaks."""

    sender: str
    subject: str
    html: str
    text: str
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@value(frozen=True, slots=True)
class PushContent:
    """A rendered push notification; `ttl` in seconds is how long the push service may keep it."""

    title: str
    body: str
    link: str = ""
    image: str = ""
    collapse: str = ""
    ttl: int | None = None
    data: Mapping[str, str] = field(default_factory=dict)


@value(frozen=True, slots=True)
class InAppContent:
    """A rendered in-app message: blocks the customer's app draws itself. `payload` is JSON-ready."""

    payload: Mapping[str, Any]
    visible_for: int | None = None
    """Microseconds after acceptance, None for as long as it is kept."""


@value(frozen=True, slots=True)
class TextContent:
    """A rendered text message."""

    text: str


@value(frozen=True, slots=True)
class WebhookContent:
    """A rendered call to the customer's own endpoint: an event type and JSON-ready data."""

    type: str
    data: Mapping[str, Any]


Content = EmailContent | PushContent | InAppContent | TextContent | WebhookContent


@value(frozen=True, slots=True)
class Message:
    """What a provider is asked to deliver. `id` is the same on every attempt."""

    key: DeliveryKey
    id: str
    address: Address
    content: Content
    topic: str = ""
    judged_at: Instant = Instant(0)
    """The first judging moment: bodies are rendered as of then, on every attempt."""
    expires_at: Instant | None = None
    test: bool = False


@value(frozen=True, slots=True)
class Send:
    """Verdict: the message goes out now, to this address."""

    address: Address


@dataclass(frozen=True, slots=True)
class Hold:
    """Verdict: not now; ask again at `until`."""

    until: Instant
    reason: Reason


@dataclass(frozen=True, slots=True)
class Skip:
    """Verdict: nothing on this channel, for good. `detail` says which cap, which topic, which path."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Expire:
    """Verdict: the moment for it has passed."""

    reason: Reason = Reason.LATE


Verdict = Send | Hold | Skip | Expire
