"""Every message of a campaign beside the others: each segment, variant, channel and language, written for one person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeVar

from orchestrator.core.assignment import addresses_of
from orchestrator.core.campaigns import Campaign
from orchestrator.core.errors import Mistake
from orchestrator.core.nouns import Address, Channel, Content, DeliveryKey, Person, delivery_id
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.pipeline.letters import BundleLetters
from orchestrator.pipeline.prepared import Letter, Unwritten
from orchestrator.rendering import Inspection, Tile, inspect
from orchestrator.rendering.lookup import Cell

Look = TypeVar("Look")
_FATAL = frozenset({str(Reason.TEMPLATE_TOO_SLOW), str(Reason.TEMPLATE_TOO_LARGE)})
"""Reasons that cost a writer and seconds: the same template is not tried a second time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of one message: its content, or why there is none; and its files with what is wrong in them."""

    files: tuple[str, ...]
    content: Content | None = None
    nothing: str = ""
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What messages are written with: a campaign's templates, the languages to write in, and people, of whom the first will do.

    Others are asked where a template fails for the first; `mistakes` are those of the files.
    """

    letters: BundleLetters
    campaign: Campaign
    locales: Sequence[str]
    people: Sequence[Person]
    at: Instant
    mistakes: Sequence[Mistake] = ()

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants of the experiment; one without a name where there is none."""
        return tuple(self.campaign.experiment.variants) if self.campaign.experiment else ("",)


def letter_to(campaign: str, person: Person, channel: Channel, at: Instant) -> Letter:
    """A message that is written to be looked at, and belongs to no run."""
    key = DeliveryKey(0, person.user, channel)
    address = next(iter(addresses_of(person, channel)), Address(""))
    return Letter(person, key, delivery_id(campaign, "preview", key), address, at)


def tiles(scene: Scene) -> tuple[Tile, ...]:
    """Every message of the campaign, each look once, in the order of channels, segments, languages and variants."""
    found: list[Tile] = []
    segments = scene.campaign.audience or tuple(dict.fromkeys(person.segment for person in scene.people))
    tried: dict[Cell, Outcome] = {}
    for channel in scene.campaign.channels:
        places = product(segments, scene.locales, scene.variants)
        seen = {place: _outcome(scene, channel, place, tried) for place in places}
        for alike, row in _alike((segment, _row(scene, seen, segment)) for segment in segments):
            found += _tiles_of(scene, channel, alike, row)
    return tuple(found)


def marked(found: Iterable[Tile], person: Person) -> tuple[Tile, ...]:
    """The tiles again, those marked that this person would get."""
    return tuple(
        replace(
            tile,
            own=person.segment in tile.segments and person.variant in tile.variants and person.locale in tile.locales,
        )
        for tile in found
    )


def _outcome(scene: Scene, channel: Channel, place: tuple[str, str, str], tried: dict[Cell, Outcome]) -> Outcome:
    """What one message comes to; the files' own mistakes instead of it where it cannot be compiled."""
    segment, locale, variant = place
    compiled = scene.letters.compiled
    cell = compiled.shelf.find(segment, channel, variant, locale)
    if cell is None:
        return _absent(scene, channel, place)
    if cell in tried:
        return tried[cell]
    files = tuple(file.path for file in compiled.shelf.chain(cell))
    mistakes = _of_files(scene, files)
    flawed = compiled.flawed.get(cell)
    if flawed is not None:
        return Outcome(files, None, "cannot be written", tuple(dict.fromkeys((*flawed.mistakes, *mistakes))))
    said = _write(scene, channel, place)
    if not isinstance(said, Unwritten):
        return Outcome(files, said, "", mistakes)
    outcome = Outcome(files, None, f"{said.reason.replace('_', ' ')}: {said.detail}", mistakes)
    if said.reason in _FATAL:
        tried[cell] = outcome
    return outcome


def _write(scene: Scene, channel: Channel, place: tuple[str, str, str]) -> Content | Unwritten:
    """The message for the first of the people whom the template does not fail for; else what it said of the first."""
    segment, locale, variant = place
    first: Content | Unwritten | None = None
    for person in scene.people:
        whom = replace(person, segment=segment, locale=locale, variant=variant)
        letter = letter_to(scene.campaign.name, whom, channel, scene.at)
        said = next(iter(scene.letters.render([letter])))
        scene.letters.halted(letter.key.run)
        if not isinstance(said, Unwritten):
            return said
        first = first or said
        if said.reason != Reason.TEMPLATE_ERROR:
            break
    if first is None:
        raise ValueError("nobody to write to")
    return first


def _absent(scene: Scene, channel: Channel, place: tuple[str, str, str]) -> Outcome:
    """There is no file; the mistakes that say so stand at the paths it would have."""
    segment, locale, _ = place
    root = f"templates/{scene.campaign.name}/"
    missing = [
        it for it in scene.mistakes if it.file.startswith((f"{root}{segment}/{channel}", f"{root}_default/{channel}"))
    ]
    return Outcome((), None, f"no file for {channel} in {locale}", tuple(missing))


def _of_files(scene: Scene, files: Iterable[str]) -> tuple[Mistake, ...]:
    its = set(files)
    return tuple(it for it in scene.mistakes if it.file in its)


_Row = tuple[tuple[Outcome, ...], ...]


def _row(scene: Scene, seen: Mapping[tuple[str, str, str], Outcome], segment: str) -> _Row:
    """A segment's outcomes, by language and variant."""
    return tuple(tuple(seen[segment, locale, variant] for variant in scene.variants) for locale in scene.locales)


def _tiles_of(scene: Scene, channel: Channel, segments: tuple[str, ...], row: _Row) -> Iterator[Tile]:
    for locales, outcomes in _alike(zip(scene.locales, row, strict=True)):
        for variants, its in _alike(zip(scene.variants, outcomes, strict=True)):
            seen = inspect(its.content, locales[0]) if its.content is not None else Inspection()
            yield Tile(channel, segments, variants, locales, its.files, its.content, its.nothing, its.mistakes, seen)


def _alike(named: Iterable[tuple[str, Look]]) -> Iterator[tuple[tuple[str, ...], Look]]:
    """Names with the same look together, in their order."""
    groups: list[tuple[list[str], Look]] = []
    for name, look in named:
        for names, known in groups:
            if known == look:
                names.append(name)
                break
        else:
            groups.append(([name], look))
    for names, look in groups:
        yield tuple(names), look
