"""A bundle's templates as the corridor uses them: every message gets its unsubscribe link, in the body and in the headers.

A template that ends its writer for one member after the other halts its run, instead of costing each of them two seconds.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from orchestrator.core.campaigns import Campaign, Kind
from orchestrator.core.frozen import changed
from orchestrator.core.nouns import Channel, Content, DeliveryKey, EmailContent, Person
from orchestrator.ledger import Seal
from orchestrator.pipeline.prepared import Letter, Unwritten
from orchestrator.pipeline.tracking import Tracks
from orchestrator.rendering import Compiled, Reads, Refusal, RenderChild, RenderRequest, write_many

STRIKES = 5
"""So many messages in a row that take their writer with them, all of one template, halt the run they belong to."""


class BundleLetters:
    """The compiled templates of one campaign of one bundle, written in the render child where there is one."""

    def __init__(
        self,
        compiled: Compiled,
        campaign: Campaign,
        seal: Seal,
        public_url: str,
        child: RenderChild | None = None,
        tracks: Tracks | None = None,
    ) -> None:
        """`tracks`: the templates are compiled with its secret; without, nobody knows of clicks and opens."""
        self.compiled = compiled
        self._campaign = campaign
        self._seal = seal
        self._url = public_url
        self.child = child
        self._tracks = tracks
        self._marketing = campaign.kind is Kind.MARKETING
        self._strikes: Counter[str] = Counter()
        self._words: dict[str, str] = {}
        self._halted: dict[int, str] = {}

    def render(self, letters: Iterable[Letter], weight: int | None = None) -> Iterator[Content | Unwritten]:
        """One answer for each letter, in order, written only as they are asked for; none any more once a run is halted.

        What cannot run away is written in this process, if nothing known of a person is longer than `weight` bytes.
        """
        asked: deque[tuple[DeliveryKey, RenderRequest]] = deque()

        def requests() -> Iterator[RenderRequest]:
            for letter in letters:
                link = self.unsubscribe_url(letter)
                extras = {"unsubscribe_url": link} if link else {}
                request = RenderRequest(
                    letter.person, letter.key.channel, letter.judged_at, letter.id, letter.address, extras
                )
                asked.append((letter.key, request))
                yield request

        for told in self._write(requests(), weight):
            key, request = asked.popleft()
            if isinstance(told, Refusal):
                yield Unwritten(told.state, told.reason, told.detail)
                if told.fatal and self._strike(key.run, request, told.detail):
                    return
            else:
                if self._strikes:
                    self._strikes.pop(self.compiled.file_of(request), None)
                    self._words.clear()
                if self._tracks is not None:
                    told = self._tracks.written(told, key)  # noqa: PLW2901 - the same message, on its way
                yield _with_link(told, request.extras.get("unsubscribe_url", "")) if self._marketing else told

    def halted(self, run: int) -> str:
        """Why the run must stand still, told once; empty if it may go on."""
        return self._halted.pop(run, "")

    def _write(self, requests: Iterator[RenderRequest], weight: int | None) -> Iterator[Content | Refusal]:
        if self.child is None:
            return self.compiled.render_many(requests)
        if weight is None:
            return self.child.render_many(self.compiled, requests)
        return write_many(self.compiled, self.child, requests, weight)

    def _strike(self, run: int, request: RenderRequest, detail: str) -> bool:
        """Count one more; whether it was one too many. Only a message that can be written clears the count."""
        file = self.compiled.file_of(request)
        self._strikes[file] += 1
        self._words[file] = max(self._words.get(file, ""), detail, key=len)  # the one that knows the line
        if self._strikes[file] < STRIKES:
            return False
        self._halted[run] = f"{self._strikes[file]} messages in a row could not be written: {self._words[file]}"
        return True

    def touched(self) -> frozenset[tuple[str, ...]]:
        """The paths of data the templates may read."""
        return self.compiled.touched()

    def reads(self, person: Person, channel: Channel) -> Reads | None:
        """What this person's message on a channel reads; None if there is none to write."""
        return self.compiled.reads(person, channel)

    def pools(self) -> frozenset[str]:
        """The pools of coupons the templates take codes from."""
        return self.compiled.coupons()

    def pools_of(self, person: Person) -> frozenset[str]:
        """The pools this person's messages take a code from."""
        return self.compiled.coupons_of(person, self._campaign.channels)

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
    return changed(content, headers={**content.headers, **pair})
