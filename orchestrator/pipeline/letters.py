"""A bundle's templates as the corridor uses them: every message gets its unsubscribe link, in the body and in the headers."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from orchestrator.core.campaigns import Campaign, Kind
from orchestrator.core.nouns import Channel, Content, EmailContent
from orchestrator.ledger import Seal
from orchestrator.pipeline.work import Letter, Unwritten
from orchestrator.rendering import Compiled, Refusal, RenderChild, RenderRequest


class BundleLetters:
    """The compiled templates of one campaign of one bundle, written in the render child where there is one."""

    def __init__(
        self, compiled: Compiled, campaign: Campaign, seal: Seal, public_url: str, child: RenderChild | None = None
    ) -> None:
        self.compiled = compiled
        self._campaign = campaign
        self._seal = seal
        self._url = public_url
        self.child = child
        self._marketing = campaign.kind is Kind.MARKETING

    def render(self, letters: Iterable[Letter]) -> Iterator[Content | Unwritten]:
        """One answer for each letter, in order, written only as they are asked for."""
        links: deque[str] = deque()

        def requests() -> Iterator[RenderRequest]:
            for letter in letters:
                link = self.unsubscribe_url(letter)
                links.append(link)
                extras = {"unsubscribe_url": link} if link else {}
                yield RenderRequest(
                    letter.person, letter.key.channel, letter.judged_at, letter.id, letter.address, extras
                )

        write = self.compiled.render_many if self.child is None else partial(self.child.render_many, self.compiled)
        for told in write(requests()):
            link = links.popleft()
            if isinstance(told, Refusal):
                yield Unwritten(told.state, told.reason, told.detail)
            else:
                yield _with_link(told, link) if self._marketing else told

    def touched(self) -> frozenset[tuple[str, ...]]:
        """The paths of data the templates may read."""
        return self.compiled.touched()

    def unsubscribe_url(self, letter: Letter) -> str:
        """The one-click link of this message; the same on every attempt. Empty where the project has no public address."""
        if not self._url or letter.key.channel is not Channel.EMAIL:
            return ""
        token = self._seal.seal(
            str(letter.key.run), letter.key.channel, self._campaign.policy.topic, letter.person.user
        )
        return f"{self._url}/u/{token}"


def _with_link(content: Content, link: str) -> Content:
    """The pair of headers that RFC 8058 asks for, on mail."""
    if not link or not isinstance(content, EmailContent):
        return content
    pair = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return replace(content, headers={**content.headers, **pair})
