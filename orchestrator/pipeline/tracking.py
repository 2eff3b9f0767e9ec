"""E-mails whose clicks and opens are known: their links lead over our own address, and a picture says that they were opened.

Where a link leads stands in the link itself, sealed, so that following one asks no database. Nothing is random: the same
message carries the same links on every attempt, byte for byte.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from orchestrator.core.engagement import Touch
from orchestrator.core.frozen import changed
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, Content, DeliveryKey, EmailContent
from orchestrator.core.times import Instant
from orchestrator.ledger import Seal
from orchestrator.rendering import THEIRS, address_of, host_of, replaced

REHEARSAL = 0
"""The number of no run: what test messages are written under, with somebody else's data."""

_LONGEST = 4096
"""Characters of a token: an address of 1,500 and a person's id fit in."""
_PICTURE = '<img src="{}/o/{}.gif" width="1" height="1" border="0" alt="">'


class Tracks:
    """Puts our links into messages of one process; `hosts` are those that links out of data may lead to."""

    def __init__(self, public_url: str, clicks: Seal | None, opens: Seal | None, hosts: Sequence[str] = ()) -> None:
        """Without a seal for clicks links are left as they are, without one for opens there is no picture."""
        self._url = public_url
        self._clicks = clicks
        self._opens = opens
        self._hosts = tuple(hosts)
        self.secret = _secret(clicks) if clicks is not None else ""
        """What templates mark links with, for `written` to find."""
        self._led = lru_cache(4096)(self._lead)

    def written(self, content: Content, key: DeliveryKey) -> Content:
        """The message as this delivery carries it."""
        if not isinstance(content, EmailContent) or not content.html:
            return content
        html = (
            replaced(content.html, self.secret, lambda links: self._links(links, key)) if self.secret else content.html
        )
        if self._opens is not None:
            token = self._opens.seal(str(key.run), str(key.step), str(key.slot), key.user)
            html = _at_the_end(html, _PICTURE.format(self._url, token))
        return content if html is content.html else changed(content, html=html)

    def _links(self, links: Sequence[tuple[str, str]], key: DeliveryKey) -> list[str]:
        assert self._clicks is not None  # noqa: S101 - without it no link is marked
        leave, door, seal = f"{self._url}/u/", f"{self._url}/c/", self._clicks.seal
        targets = ["" if written.startswith(leave) else self._led(whose, written) for whose, written in links]
        ours = dict.fromkeys(filter(None, targets), "")
        head = "\0".join((str(key.run), str(key.step), str(key.slot), key.user, str(len(ours))))
        for target in ours:
            ours[target] = door + seal(head, target)
        return [ours[target] if target else written for target, (_, written) in zip(targets, links, strict=True)]

    def _lead(self, whose: str, written: str) -> str:
        """Where a link leads if it is to be followed, else nothing: a host that data chose may be anybody's."""
        url = address_of(written)
        if not url or url.startswith(f"{self._url}/u/"):
            return ""
        return url if whose != THEIRS or self._is_known(host_of(url)) else ""

    def _is_known(self, host: str) -> bool:
        return any(host == one or host.endswith(f".{one}") for one in self._hosts)


def _secret(seal: Seal) -> str:
    return str(int.from_bytes(blake2b(seal.keys[0].secret, digest_size=8, person=b"link marks").digest()))


def _at_the_end(html: str, picture: str) -> str:
    at = html.rfind("</body>")
    return html + picture if at < 0 else f"{html[:at]}{picture}{html[at:]}"


class Untracked:
    """Opens what such messages carry: for the web face, and for whoever looks at one without having been written to."""

    def __init__(self, clicks: Seal, opens: Seal) -> None:
        self._clicks = clicks
        self._opens = opens

    def click(self, token: str, at: Instant) -> tuple[str, Touch] | None:
        """Where the link leads, and whose it is; None for a token nobody made."""
        parts = self._clicks.open(token, _LONGEST)
        if parts is None or len(parts) != 6 or not host_of(parts[5]):
            return None
        *_, links, url = parts
        return url, Touch(_key(*parts[:4]), Deed.CLICKED, at, re.split(r"[?#]", url, maxsplit=1)[0], int(links))

    def open(self, token: str, at: Instant) -> Touch | None:
        """Whose message was opened; None for a token nobody made."""
        parts = self._opens.open(token)
        return Touch(_key(*parts), Deed.OPENED, at) if parts is not None and len(parts) == 4 else None

    def content(self, content: Content, public_url: str) -> Content:
        """The message with its links as the template has them, and without the picture: who looks at it clicks nothing."""
        if not isinstance(content, EmailContent) or not public_url:
            return content
        ours = re.escape(public_url)
        token = r"([A-Za-z0-9_-]+)"  # noqa: S105 - what it looks like
        html = re.sub(_PICTURE.format(ours, token), "", content.html)
        html = re.sub(rf'(?<=["\']){ours}/c/{token}(?=["\'])', self._led, html)
        return changed(content, html=html)

    def _led(self, link: re.Match[str]) -> str:
        found = self.click(link[1], Instant(0))
        return link[0] if found is None else found[0].replace("&", "&amp;").replace("'", "&#39;")


def _key(run: str, step: str, slot: str, user: str) -> DeliveryKey:
    return DeliveryKey(int(run), user, Channel.EMAIL, int(step), int(slot))
