"""The words by which people's yes and no is known, and the columns that look like it."""

from collections.abc import Collection

from orchestrator.audience.coercion import NO, YES
from orchestrator.audience.mapping import agreeing, plain

_SUBSCRIBED = ("subscribed", "opted_in", "opted-in", "opted in", "optin", "opt-in", "opt in")
_UNSUBSCRIBED = ("unsubscribed", "opted_out", "opted-out", "opted out", "optout", "opt-out", "opt out")
AGREED = frozenset(
    (*YES, *_SUBSCRIBED, "confirmed", "granted", "accepted", "agreed", "ja", "j", "oui", "o", "sí", "si", "s", "sì")
)
DECLINED = frozenset(
    (*NO, *_UNSUBSCRIBED, "declined", "denied", "refused", "revoked", "withdrawn", "nein", "non", "cleaned", "blocked")
)
"""Words by which people's yes and no is known, in small letters."""
SPOKEN = frozenset((*_SUBSCRIBED, *_UNSUBSCRIBED))
"""Those that say so whatever their column is called."""
_NAMED = ("newsletter", "optin", "optout", "optedin", "optedout", "consent", "subscribed", "einwilligung")
"""In the names of columns that say so whatever their words are."""


def looks_agreed(name: str, words: Collection[tuple[str, int]]) -> bool:
    """Whether a column is people's yes or no by its name, or by what most of its cells say; `words` with their numbers."""
    if not words:
        return False
    if any(one in plain(name) for one in _NAMED):
        return True
    known = AGREED | DECLINED if agreeing(name) else SPOKEN
    return 2 * sum(many for word, many in words if word in known) >= sum(many for _, many in words)
