"""What services report of messages after they took them: one file for each form, pure, and what they have in common."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.core.callbacks import read_tag
from orchestrator.core.nouns import DeliveryKey
from orchestrator.core.times import SECOND, Instant
from orchestrator.providers import CallbackFormError, CallbackRequest

TAG = "orchestrator_tag"
"""Under this name a service keeps the tag of a message, and gives it back with each report."""

Told = Mapping[str, Any]


def objects(request: CallbackRequest) -> list[Told]:
    """The objects of a body that is JSON, one or a list of them; CallbackFormError for anything else."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as problem:
        raise CallbackFormError(f"the body is no JSON: {problem}") from problem
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in listed):
        raise CallbackFormError("the body is JSON, but no object")
    return listed


def part(told: Told, name: str) -> Told:
    """An object within another; an empty one if there is none."""
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def text(told: Told, *names: str) -> str:
    """The first of these that is a text with something in it; empty if none is."""
    return next((told[name] for name in names if isinstance(told.get(name), str) and told[name]), "")


def pieces(tag: str, width: int) -> dict[str, str]:
    """A tag under TAG, and what is longer than a service's values may be under `TAG_2`, `TAG_3`…; nothing for no tag."""
    cut = [tag[at : at + width] for at in range(0, len(tag), width)]
    return {f"{TAG}_{number}" if number > 1 else TAG: said for number, said in enumerate(cut, 1)}


def key(told: Told) -> DeliveryKey | None:
    """The delivery that a tag names, put together again from its pieces; None for a message of somebody else's."""
    tag, number = text(told, TAG), 2
    while more := text(told, f"{TAG}_{number}"):
        tag, number = tag + more, number + 1
    return read_tag(tag)


def moment(said: object, now: Instant) -> Instant:
    """A moment in seconds since 1970, or as ISO 8601 writes it (UTC without a zone); `now` for one that is missing, or to come.

    A service that is a minute ahead of us must not stop an address for the time until then.
    """
    if isinstance(said, int | float) and not isinstance(said, bool):
        return _not_after(now, said)
    if isinstance(said, str):
        try:
            read = datetime.fromisoformat(_six_digits(said))
        except ValueError:
            return now
        return _not_after(now, (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
    return now


def _not_after(now: Instant, seconds: float) -> Instant:
    """The moment; `now` for one that no calendar has."""
    return Instant(int(seconds * SECOND)) if 0 < seconds * SECOND < now else now


def _six_digits(said: str) -> str:
    """Without what a fraction of a second has beyond microseconds, which Postmark writes and Python does not read."""
    head, dot, rest = said.partition(".")
    if not dot:
        return said
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[:digits][:6]}{rest[digits:]}"


def words(*said: str) -> str:
    """What a service says, in one line."""
    return " ".join(" ".join(one.split()) for one in said if one)


def every(told: Told, name: str) -> Sequence[Told]:
    """The objects of a list within an object; none if there is no list."""
    found = told.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
