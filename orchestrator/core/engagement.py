"""Clicks and opens of e-mails as they come in, and which of them no person did: scanners, proxies and previews come first.

What cannot be told from a person counts as one. A scanner that waits, and calls itself a browser, is not told apart.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import DeliveryKey
from orchestrator.core.times import SECOND, Instant

SPAN = 2 * SECOND
"""Nobody follows all links of a message in so short a time, or reads one so soon after it was taken."""

MANY = 3
"""Different links of one message within SPAN that are too many for a person, however many it has."""

# Apple's Mail Privacy Protection asks as `Mozilla/5.0` and no more; what Gmail fetches before anybody has looked ends with
# it (2021 to 2025). Images that a proxy fetches because somebody opens the mail (GoogleImageProxy, YahooMailProxy) are
# no machine's. There are telephones called CUBOT.
_BY_ITSELF = re.compile(
    r"(?<!cu)bot(?![a-z])|crawl|spider|scanner|preview|prefetch|headless|phantomjs|selenium|barracuda|mimecast|proofpoint"
    r"|facebookexternalhit|whatsapp|curl/|wget/|python|libwww|go-http|java/|okhttp|axios|node-fetch|mozilla/5\.0\s*\Z",
    re.IGNORECASE,
)
_AHEAD = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)
_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody, or something, followed a link of a message or loaded its picture.

    `link` is where it leads, without query and fragment; `links` how many different ones the message has; `machine`
    says that whoever asked gave itself away.
    """

    key: DeliveryKey
    deed: Deed
    at: Instant
    link: str = ""
    links: int = 0
    machine: bool = False


def asked_by_itself(headers: Mapping[str, str]) -> bool:
    """Whether a request says that no person makes it: by its agent's name, or as a page that is fetched ahead."""
    agent = headers.get("user-agent", "")
    return not agent or bool(_BY_ITSELF.search(agent)) or any(_AHEAD.search(headers.get(it, "")) for it in _PURPOSES)


def scanned(touches: Iterable[Touch]) -> frozenset[DeliveryKey]:
    """Messages of which all links, or too many, were followed within SPAN."""
    found: set[DeliveryKey] = set()
    clicks: dict[DeliveryKey, list[Touch]] = defaultdict(list)
    for one in touches:
        if one.deed is Deed.CLICKED:
            clicks[one.key].append(one)
    for key, its in clicks.items():
        for first in its:
            near = {one.link for one in its if 0 <= one.at - first.at <= SPAN}
            if len(near) >= MANY or len(near) >= max(2, first.links):
                found.add(key)
    return frozenset(found)
