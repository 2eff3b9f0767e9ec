"""What somebody saw: the message itself where it is kept, else written once more from the same files, and how sure that is.

The ledger keeps no texts, only a hash of each body; so what is written again can be held against what left.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from orchestrator.audience.reader import Reader
from orchestrator.config import Project
from orchestrator.core.frozen import changed
from orchestrator.core.nouns import (
    Address,
    Channel,
    Content,
    EmailContent,
    InAppContent,
    Message,
    Person,
    PushContent,
    TextContent,
    WebhookContent,
    delivery_id,
)
from orchestrator.core.times import Instant
from orchestrator.dispatch.bodies import body_hash
from orchestrator.ledger import Ledger, Run, coupons, deliveries, inbox, shards
from orchestrator.ledger.deliveries import Delivery
from orchestrator.pipeline.casting import Casting
from orchestrator.pipeline.prepared import Letter, Prepared, Unwritten


class How(StrEnum):
    """Where the words come from, and how sure it is that they are those that left."""

    KEPT = "kept"
    """They are the message itself."""
    SAME = "same"
    """Written again, and its hash is the one the ledger kept: the same to the byte."""
    DIFFERENT = "different"
    """Written again, and it reads differently from what left."""
    LOST = "lost"
    """Neither kept nor to be written again."""
    NEVER = "never"
    """Nothing ever left."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found; `why` says in words where it comes from, or why there is nothing."""

    how: How
    why: str
    content: Content | None = None


_KINDS: Mapping[str, type[Content]] = {
    kind.__name__: kind for kind in (EmailContent, PushContent, InAppContent, TextContent, WebhookContent)
}


def kept(ledger: Ledger, row: Delivery, sink: Path | None) -> Seen | None:
    """The message itself, where it is: in the in-app inbox, or in the sink of an environment that delivers to nobody."""
    name = delivery_id(row.campaign, row.occurrence, row.key)
    if row.key.channel is Channel.IN_APP:
        payload = inbox.stored(ledger.store, row.key.user, name)
        return None if payload is None else Seen(How.KEPT, "it is the message in the inbox", InAppContent(payload))
    if sink is None:
        return None
    hashed = deliveries.kept(ledger.store, row.key).body
    file = sink / f"{row.key.channel}.jsonl"
    for line in _lines(file, name):
        content = _KINDS[line["kind"]](**line["content"])
        if _hash(row, name, content) == hashed:
            return Seen(How.KEPT, f"it stands in {file}, in place of the provider it would have gone to", content)
    return None


def _lines(file: Path, name: str) -> list[dict[str, Any]]:
    """The lines of the sink that are this delivery's."""
    try:
        with file.open(encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines if f'"{name}"' in line]
    except (OSError, ValueError):
        return []
    return [line for line in found if line.get("id") == name and line.get("kind") in _KINDS]


def planned(ledger: Ledger, row: Delivery) -> Person | None:
    """The person as the run has them, while it does; afterwards they must be asked for anew."""
    return shards.person(ledger.store, row.key.run, row.key.user)


def asked_anew(audience: Reader, project: Project, prepared: Prepared, run: Run, user: str) -> Person | None:
    """The person as the audience has them now for the run's moment, None if they are not in the audience by that.

    StoreError if the audience or their linked data cannot be read.
    """
    touched = prepared.letters.touched()
    with closing(Casting(audience, project, prepared.campaign, run.due_at, touched, among=[user])) as casting:
        return next(iter(casting), None)


def written_again(ledger: Ledger, row: Delivery, prepared: Prepared, person: Person) -> Seen:
    """The message written once more from the files of its run, under its own id, as of its own moment, with its own coupon."""
    left = deliveries.kept(ledger.store, row.key)
    name = delivery_id(row.campaign, row.occurrence, row.key)
    codes = coupons.codes_of(ledger.store, row.key.run, row.key.user)
    person = coupons.with_codes(changed(person, segment=row.segment, variant=row.variant, holdout=row.holdout), codes)
    letter = Letter(person, row.key, name, Address(row.address), left.judged_at or row.intent_at or Instant(0))
    content = next(iter(prepared.letters.render([letter])))
    if isinstance(content, Unwritten):
        return Seen(How.LOST, f"with the data of now it cannot be written: {content.reason} {content.detail}".rstrip())
    if _hash(row, name, content) == left.body:
        return Seen(How.SAME, "written again from the files of its run, and the same to the byte as what left", content)
    return Seen(
        How.DIFFERENT,
        "written again from the files of its run with the data of now, and it is not what left to the byte:"
        " something that it reads has changed since",
        content,
    )


def _hash(row: Delivery, name: str, content: Content) -> bytes:
    return body_hash(Message(row.key, name, Address(row.address), content))
