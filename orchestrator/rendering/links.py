"""Links made of a person's data: they go where links go, and never become a script."""

from typing import Any

from orchestrator.rendering.values import UnusableLinkError

URL = "link__"
"""The filter the compiler puts where a person's data begins a link."""

_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms"})
_SCRIPTS = frozenset({"javascript", "data", "vbscript", "file", "blob"})
_USUAL = ("https://", "http://")


def a_link(value: Any) -> Any:
    """What stands at the beginning of a link, as it is; UnusableLinkError unless a browser would only go there.

    Allowed are the web, mail, telephone, what has no scheme, and apps of the customer's own (`shop://cart`).
    """
    if value.__class__ is str and value.startswith(_USUAL):
        return value
    text = str(value.unescape() if hasattr(value, "__html__") and hasattr(value, "unescape") else value)
    # Browsers ignore blanks and controls in front of a scheme, and tabs and line breaks within it.
    bare = "".join(character for character in text if character > " " and character.isprintable())
    head, colon, rest = bare.partition(":")
    scheme = head.lower()
    if not colon or scheme in _SCHEMES or not all(c.isalnum() or c in "+-." for c in head):
        return value
    if scheme and scheme not in _SCRIPTS and rest.startswith("//"):
        return value
    raise UnusableLinkError(f"{text[:60]!r} is not a link; allowed are http, https, mailto, tel, sms and app links")
