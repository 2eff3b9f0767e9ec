"""A campaign's messages as the files say now, for one person or for made-up values; looked at again after every save."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator import app, checking, config
from orchestrator.cli.choosing import chosen_locale, chosen_variant, one_of
from orchestrator.cli.desk import Desk, Failed, no_such
from orchestrator.core.assignment import assign
from orchestrator.core.campaigns import Campaign
from orchestrator.core.errors import ConfigError, Mistake, OrchestratorError
from orchestrator.core.nouns import Person
from orchestrator.core.times import Instant
from orchestrator.ledger import Purpose, Seal
from orchestrator.ledger.links import SigningKey
from orchestrator.pipeline import BundleLetters, Prepared, Scene, coupons_of, marked, tiles
from orchestrator.rendering import Compiled, Preview, RenderChild, Tile, addresses, samples, with_answers
from orchestrator.wire.clock import WallClock
from orchestrator.wire.link_check import check_links

MADE_UP = "sample"
"""The id of nobody, for messages written with made-up values."""
_WORTHLESS = Seal(Purpose.UNSUBSCRIBE, (SigningKey("00", bytes(32)),))
"""Seals links that open nothing."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is looked at: a campaign, a user's id (None: made-up values), and a variant and a language whatever they would get."""

    campaign: str
    user: str | None = None
    variant: str | None = None
    locale: str | None = None
    links: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: the messages, whose they are, and what they are written with. `broken` is why some cannot be written."""

    preview: Preview
    person: Person
    scene: Scene
    broken: tuple[Mistake, ...]


class Looking:
    """Looks again and again; keeps what addresses answered, so that each is asked once."""

    def __init__(self, desk: Desk, chosen: Chosen, child: RenderChild) -> None:
        self._desk = desk
        self._chosen = chosen
        self._child = child
        self._answers: dict[str, str] = {}
        self._last: Preview | None = None

    def look(self) -> Seen:
        """The messages as the files say now; ends, or raises, where there is nothing to look at."""
        now, chosen = WallClock().now(), self._chosen
        loaded = self._desk.load()
        project = loaded.despite_templates
        if project is None:
            raise ConfigError(loaded.mistakes)
        campaign = self._campaign(project)
        opened = app.Opened(self._desk.root, project, loaded.files, config.MachineSecrets(self._desk.root))
        compiled = Compiled(campaign.name, loaded.files, checking.template_setting(project.settings))
        seal = _WORTHLESS if chosen.user is None else self._seal(opened, now)
        letters = BundleLetters(compiled, campaign, seal, project.settings.public_url, self._child)
        people = self._people(opened, Prepared(campaign, letters, letters.halted), compiled, now)
        its_own = (f"templates/{campaign.name}/", "templates/_base/")
        said = tuple(it for it in loaded.mistakes if it.file.startswith(its_own))
        found = tuple(dict.fromkeys((*said, *checking.linted(project, compiled, said))))
        locales = tuple(filter(None, dict.fromkeys((*project.settings.locales, people[0].locale))))
        scene = Scene(letters, campaign, locales, people, now, found)
        self._last = self._preview(scene, project.settings.public_url, str(opened.origin()))
        return Seen(self._last, people[0], scene, said or compiled.mistakes)

    def _campaign(self, project: config.Project) -> Campaign:
        """The campaign, if it has what was chosen."""
        chosen = self._chosen
        if chosen.campaign not in project.campaigns:
            no_such("campaign", chosen.campaign, project.campaigns)
        campaign = project.campaigns[chosen.campaign]
        if chosen.variant is not None:
            chosen_variant(campaign, chosen.variant)
        if chosen.locale is not None:
            chosen_locale(project.settings.locales, chosen.locale)
        return campaign

    def again(self) -> Preview:
        """The same after a save: what cannot be looked at now shows the last messages under what is wrong."""
        try:
            return self.look().preview
        except ConfigError as problem:
            found = problem.mistakes
        except OrchestratorError as problem:
            found = (Mistake("", 0, 0, str(problem)),)
        except Failed as problem:
            found = (Mistake("", 0, 0, problem.text),)
        if self._last is None:
            raise AssertionError("looked again before the first look")
        return replace(self._last, mistakes=found)

    def _seal(self, opened: app.Opened, now: Instant) -> Seal:
        ledger = opened.ledger()
        try:
            return ledger.seal(Purpose.UNSUBSCRIBE, now)
        finally:
            ledger.close()

    def _people(self, opened: app.Opened, prepared: Prepared, compiled: Compiled, now: Instant) -> list[Person]:
        """The person, or some made up, with the variant and the language they would get or were given."""
        chosen, campaign, settings = self._chosen, prepared.campaign, opened.project.settings
        if chosen.user is not None:
            person = one_of(opened, prepared, chosen.user, now)
            drawn, _ = assign(campaign, chosen.user)
            person = coupons_of(opened.project, prepared.letters).sample(person, now)
            return [replace(person, variant=chosen.variant or drawn, locale=chosen.locale or person.locale)]
        variants = list(campaign.experiment.variants) if campaign.experiment else []
        kinds = checking.kinds(opened.project.catalogue, campaign.trigger.event if campaign.trigger else "")
        somebody = Person(
            MADE_UP,
            campaign.audience[0] if campaign.audience else "_default",
            settings.time_zone,
            chosen.locale or settings.locales[0],
            chosen.variant or (variants[0] if variants else ""),
        )
        return [replace(somebody, attributes=values) for values in samples(compiled, kinds, now)]

    def _preview(self, scene: Scene, public_url: str, source: str) -> Preview:
        person, chosen = scene.people[0], self._chosen
        whose, found = "with made-up values; --as USER shows somebody's own", tiles(scene)
        if chosen.user is not None:
            whose = f"with the data of {person.user}, who is in {person.segment}"
            found = marked(found, replace(person, locale=person.locale or scene.locales[0]))
        its = {mistake for tile in found for mistake in tile.mistakes}
        rest = tuple(mistake for mistake in scene.mistakes if mistake not in its)
        name, about = scene.campaign.name, scene.campaign.about
        answers = self._ask(found, f"{public_url}/u/") if chosen.links else None
        found = tuple(with_answers(tile, answers or {}) for tile in found)
        return Preview(name, about, chosen.user or "", whose, self._desk.environment, source, found, rest, answers)

    def _ask(self, found: Sequence[Tile], ours: str) -> dict[str, str]:
        """What every address answers; each is asked once, and our own links to unsubscribe are left alone."""
        new = [url for url in addresses(found) if url not in self._answers and not url.startswith(ours)]
        self._answers |= check_links(new, WallClock()) if new else {}
        return dict(self._answers)
