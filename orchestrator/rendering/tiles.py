"""What a page of previews shows: each message there is, as somebody would get it, and for whom it is the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from orchestrator.core.errors import Mistake
from orchestrator.core.nouns import Channel, Content
from orchestrator.rendering.inspecting import Finding, Inspection

DEAD, HEAVY = "dead: ", "heavy for a picture"
"""How an answer begins, or ends, about which there is something to do."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One message, and everybody it is the same for: segments, variants (empty without an experiment), locales.

    Without `content`, `nothing` says why nobody gets it, and `mistakes` where to mend the files. Mistakes that do not
    keep it from being written stand there, too.
    """

    channel: Channel
    segments: tuple[str, ...]
    variants: tuple[str, ...]
    locales: tuple[str, ...]
    files: tuple[str, ...]
    content: Content | None
    nothing: str = ""
    mistakes: tuple[Mistake, ...] = ()
    inspection: Inspection = field(default_factory=Inspection)
    own: bool = False
    """Whether this is what the person gets whom the page is about."""

    @property
    def name(self) -> str:
        """The same for the same message whatever its words are: links and the browser know it by this."""
        return _digest((self.channel, self.segments, self.variants, self.locales))

    @property
    def look(self) -> str:
        """Another one as soon as anything on it is."""
        return _digest(self)


@dataclass(frozen=True, slots=True)
class Preview:
    """All messages of a campaign. `whose` says in words whose data they are written with; `user` is empty for made-up values."""

    campaign: str
    about: str
    user: str
    whose: str
    environment: str
    source: str
    """Which commit the files are, in words; empty without git."""
    tiles: tuple[Tile, ...]
    mistakes: tuple[Mistake, ...] = ()
    """What is wrong with files and belongs to no tile."""
    answers: Mapping[str, str] | None = None
    """What each address answered (`200`, or why it did not), by address; None where nobody asked."""

    def tile(self, name: str) -> Tile | None:
        """The tile of this name."""
        return next((tile for tile in self.tiles if tile.name == name), None)


def addresses(tiles: Sequence[Tile]) -> tuple[str, ...]:
    """The web addresses that messages lead to or show pictures from, each once."""
    seen = [tile.inspection for tile in tiles]
    found = [link.url for one in seen for link in one.links] + [it.url for one in seen for it in one.pictures]
    return tuple(dict.fromkeys(url for url in found if url.startswith(("https://", "http://"))))


def with_answers(tile: Tile, answers: Mapping[str, str]) -> Tile:
    """The same, with a finding for each of its addresses that leads nowhere, or to a picture that is too heavy."""
    told = [(url, answers.get(url, "")) for url in addresses([tile])]
    found = [
        Finding(f"{url}: {said}", wrong=said.startswith(DEAD))
        for url, said in told
        if said.startswith(DEAD) or said.endswith(HEAVY)
    ]
    return replace(tile, inspection=replace(tile.inspection, findings=(*tile.inspection.findings, *found)))


def _digest(told: object) -> str:
    return blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
