"""What web services answer: their JSON, and their words as the ledger may keep them."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from orchestrator.core.outcomes import Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.providers import HttpResponse

BREATH = 60.0
"""Seconds of rest after a refusal for haste that names no time."""

LONGEST = 300
"""Characters of a service's words that are kept."""


def parsed(body: bytes) -> Any:
    """The answer's JSON; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def members(found: Any) -> Mapping[str, Any]:
    """The members of a JSON object; none of anything else."""
    return found if isinstance(found, dict) else {}


def words(status: int, code: object, said: object, address: str) -> str:
    """A service's words on one line: status, its own code, and what it said without the person's address.

    They stay in the ledger, and a person's address must be erasable; so its parts go, too, where they stand in quotation marks.
    """
    text = "".join(c if c.isprintable() else " " for c in str(said or "")[:2000])
    hidden = re.sub(re.escape(address), "the address", text, flags=re.IGNORECASE) if address else text
    local, _, domain = address.rpartition("@")
    for part in (local, domain):
        hidden = (
            re.sub(rf"(['\"`]){re.escape(part)}\1", "a part of the address", hidden, flags=re.IGNORECASE)
            if part
            else hidden
        )
    return " ".join(filter(None, (str(status), str(code or ""), hidden.strip())))[:LONGEST]


def complaint(response: HttpResponse) -> str:
    """What stands in an answer that is no yes, in the words of whoever gave it: the forms of all services here."""
    answer = members(parsed(response.body))
    errors = answer.get("errors")
    first = members(errors[0]) if isinstance(errors, list) and errors else answer
    code = (
        answer.get("ErrorCode") or answer.get("code") or response.headers.get("x-amzn-errortype", "").partition(":")[0]
    )
    return words(response.status, code, first.get("message") or first.get("Message"), "")


class Help(NamedTuple):
    """What to do about a refusal that no message is to blame for: of who we are, or of where we asked."""

    key: str
    endpoint: str


def by_status(response: HttpResponse, detail: str, what_to_do: Help) -> Outcome:
    """What the status alone says, for every service alike; the service's own codes come first."""
    status, after = response.status, response.retry_after
    if status in (401, 403):
        return Pause(PauseScope.CREDENTIAL, f"{detail}; {what_to_do.key}")
    if status == 429:
        return Pause(PauseScope.CREDENTIAL, detail, after or BREATH)
    if status in (404, 405, 410) or 300 <= status < 400:
        return Pause(PauseScope.CREDENTIAL, f"{detail}; {what_to_do.endpoint}")
    if status in (408, 425):  # it did not arrive whole, or came too early: both say it was not worked on
        return Retry(detail, after)
    return Permanent(detail) if 400 <= status < 500 else Ambiguous(detail)
