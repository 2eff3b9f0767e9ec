"""Where screens cut words: subjects in an inbox, notifications on a lock screen. No device promises a figure; these are the usual ones."""

from collections.abc import Mapping
from dataclasses import dataclass

SUBJECT = 35
"""Characters of a subject that an inbox on a phone shows."""
SNIPPET = 90
"""Characters of the words after the subject that an inbox shows."""
CLIPPED = 102 * 1024
"""Bytes of HTML after which Gmail clips a message (102 KB)."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Characters that a lock screen shows of a notification, before anybody opens it up."""

    title: int
    body: int


LOCK_SCREENS: Mapping[str, Screen] = {"iOS": Screen(50, 178), "Android": Screen(65, 45)}
"""iOS shows one line of title and four of text; Android one of each until the notification is pulled open."""


def cut(text: str, most: int) -> str:
    """The text as a screen with room for so many characters shows it."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
