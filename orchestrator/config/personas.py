"""The personas of a project, read and held against its catalogue and its campaigns: each mistake at its line and column."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.config.fields import NAME
from orchestrator.config.findings import Findings, choice, quoted
from orchestrator.config.moments import WrittenMoment
from orchestrator.config.persona_shape import DeviceShape, DoneShape, ExpectShape, PersonaShape, ProfileShape, SentShape
from orchestrator.config.persona_values import ValueObjectionError, value
from orchestrator.config.reading import Loaded
from orchestrator.config.results import Catalogue, Settings
from orchestrator.config.shaping import shape
from orchestrator.config.sheets import Path, Sheet, read_sheet
from orchestrator.core.campaigns import Campaign
from orchestrator.core.errors import Mistake
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.personas import Expectation, Outside, Persona, Sent
from orchestrator.core.segments.measuring import Happened
from orchestrator.core.times import Instant

FOLDER = "personas/"
_DEEDS = (Deed.DELIVERED, Deed.OPENED, Deed.CLICKED, Deed.BOUNCED, Deed.COMPLAINED)
_OF_A_MESSAGE = ("channel", "variant", "locale", "subject", "contains", "not_contains")
_OF_NO_MESSAGE = ("locale", "subject", "contains", "not_contains")


@dataclass(frozen=True, slots=True)
class Personas:
    """The personas without a mistake, in the order of their files, and every mistake of the others; how many files there are."""

    found: tuple[Persona, ...]
    mistakes: tuple[Mistake, ...]
    files: int


@dataclass(frozen=True, slots=True)
class _Known:
    """As much of the project as a persona can be held against: None is what nobody can tell."""

    catalogue: Catalogue | None
    settings: Settings | None
    campaigns: Mapping[str, Campaign | None]

    @classmethod
    def of(cls, loaded: Loaded) -> "_Known":
        """Of a project with mistakes only its names count: the rest may stand in for something."""
        if loaded.project is not None:
            return cls(loaded.project.catalogue, loaded.project.settings, loaded.project.campaigns)
        sketch = loaded.sketch
        if sketch is None:
            return cls(None, None, {})
        return cls(sketch.catalogue, None, dict.fromkeys(sketch.campaigns))

    @property
    def zone(self) -> str:
        """The project's clock."""
        return self.settings.time_zone if self.settings is not None else "UTC"


def read_personas(files: Mapping[str, bytes], loaded: Loaded) -> Personas:
    """Every persona of these files (path below the project → content), held against the project as it was loaded."""
    known, findings, found = _Known.of(loaded), Findings(), []
    for file, content in sorted(files.items()):
        before = len(findings.found)
        persona = _read(file, content, known, findings)
        if persona is not None and len(findings.found) == before:
            found.append(persona)
    return Personas(tuple(found), findings.sorted(), len(files))


def _read(file: str, content: bytes, known: _Known, findings: Findings) -> Persona | None:
    name = file.removeprefix(FOLDER).removesuffix(".yaml")
    if not file.endswith(".yaml"):
        findings.in_file(file, "is not a .yaml file", "Rename it." if file.endswith(".yml") else "Move it elsewhere.")
        return None
    if not NAME.fullmatch(name):
        findings.in_file(file, f"{quoted(name)} is not a name", "Use letters, digits, _ and -, without folders.")
    sheet, slips = read_sheet(file, content)
    for slip in slips:
        findings.slip(file, slip, hidden=False)
    if sheet is None:
        return None
    sheet, told = shape(sheet, PersonaShape, findings)
    return None if told is None else _Reading(name, sheet, told, known, findings).persona()


class _Reading:
    """One persona, held against the project."""

    def __init__(self, name: str, sheet: Sheet, told: PersonaShape, known: _Known, findings: Findings) -> None:
        self.name = name
        self.sheet = sheet
        self.told = told
        self.known = known
        self.findings = findings

    def persona(self) -> Persona:
        """The persona; findings hear of every mistake."""
        profile = self.told.profile
        attributes = self._profile(profile)
        self._topics(profile.consent)
        self._sources()
        return Persona(
            self.name,
            self.sheet.file,
            profile.user_id or self.name,
            tuple(self._expectation(index, it) for index, it in enumerate(self.told.expect)),
            self.told.about or "",
            attributes,
            self._addresses(profile),
            profile.consent,
            frozenset(profile.suppressed),
            self._events(),
            tuple(one for index, it in enumerate(self.told.sent) for one in self._sent(index, it)),
            self.told.linkedData,
        )

    def _profile(self, profile: ProfileShape) -> dict[str, Any]:
        """The attributes, and what a profile knows by itself under the names the audience has for it."""
        own = {"email": profile.email, "phone": profile.phone, "zone": profile.time_zone, "locale": profile.locale}
        found = {name: it for name, it in own.items() if it is not None}
        extra = profile.__pydantic_extra__ or {}
        return {**dict(self._values(("profile",), extra, self._attributes(), of_event=False)), **found}

    def _attributes(self) -> Mapping[str, Any] | None:
        return self.known.catalogue.attributes if self.known.catalogue is not None else None

    def _values(
        self, path: Path, given: Mapping[str, Any], declared: Mapping[str, Any] | None, *, of_event: bool
    ) -> Iterator[tuple[str, Any]]:
        """What is given, as the catalogue declares it."""
        for name, raw in given.items():
            if declared is None:
                continue
            if name not in declared:
                self._unknown(path, name, declared)
                continue
            try:
                yield name, value(declared[name], raw, self.known.zone, of_event=of_event)
            except ValueObjectionError as problem:
                self.findings.at(self.sheet, (*path, name), problem.text, problem.remedy)

    def _unknown(self, path: Path, name: str, declared: Iterable[str]) -> None:
        """An attribute or a property that nobody declared; our own keys are meant as often."""
        model = ProfileShape if path == ("profile",) else DoneShape
        noun = "attribute" if path == ("profile",) else "property"
        names = [*declared, *(field.alias or key for key, field in model.model_fields.items())]
        close = choice(name, names)
        remedy = f"{close} It is declared in config/data.yaml.".strip() if close.startswith("Did") else close
        self.findings.at_key(self.sheet, (*path, name), f"no {noun} {quoted(name)}", remedy)

    def _addresses(self, profile: ProfileShape) -> dict[Channel, tuple[Address, ...]]:
        found: dict[Channel, tuple[Address, ...]] = {}
        if profile.email:
            found[Channel.EMAIL] = (Address(profile.email),)
        if profile.phone:
            found[Channel.SMS] = (Address(profile.phone),)
        if profile.devices:
            devices = (self._device(device) for device in profile.devices)
            found[Channel.PUSH] = tuple(sorted(devices, key=lambda it: (-it.seen_at, it.value)))
        for index, channel in enumerate(profile.suppressed):
            if channel not in found:
                wrong = f"there is no address for {channel}"
                self.findings.at(self.sheet, ("profile", "suppressed", index), wrong, "Delete it, or give one.")
        return found

    def _device(self, device: DeviceShape) -> Address:
        seen = Instant(0) if device.seen_at is None else self._at(device.seen_at)
        return Address(device.token, seen, device.platform or "", device.app or "")

    def _at(self, written: WrittenMoment) -> Instant:
        return written.on(self.known.zone)

    def _topics(self, consent: Mapping[str, Any]) -> None:
        if self.known.settings is None:
            return
        topics = self.known.settings.topics
        for name in consent:
            if name not in topics:
                path = ("profile", "consent", name)
                self.findings.at_key(self.sheet, path, f"no topic {quoted(name)}", choice(name, topics, "topic"))

    def _sources(self) -> None:
        for name in self.told.linkedData if self.known.settings is not None else ():
            sources = self.known.settings.sources if self.known.settings else {}
            if name not in sources:
                path = ("linkedData", name)
                self.findings.at_key(self.sheet, path, f"no source {quoted(name)}", choice(name, sources, "source"))

    def _events(self) -> tuple[Happened, ...]:
        """In the order of their times; those of the same moment as they are written."""
        catalogue = self.known.catalogue
        found: list[tuple[Instant, str, dict[str, Any]]] = []
        for index, done in enumerate(self.told.events):
            path: Path = ("events", index)
            declared = catalogue.events.get(done.event) if catalogue is not None else None
            if catalogue is not None and declared is None:
                remedy = choice(done.event, catalogue.events, "event in config/data.yaml")
                self.findings.at(self.sheet, (*path, "event"), f"no event {quoted(done.event)}", remedy)
            extra = done.__pydantic_extra__ or {}
            properties = dict(self._values(path, extra, declared, of_event=True))
            found += [(self._at(at), done.event, properties) for at in done.at]
        return tuple(Happened(at, f"{place:06}", name, said) for place, (at, name, said) in enumerate(found))

    def _sent(self, index: int, it: SentShape) -> Iterator[Sent]:
        path: Path = ("sent", index)
        campaign = self._campaign((*path, "campaign"), it.campaign)
        if campaign is not None and it.channel not in campaign.channels:
            self._not_one_of((*path, "channel"), it.channel, campaign.channels, f"{it.campaign} sends no")
        deeds = {deed: self._at(at) for deed in _DEEDS if (at := getattr(it, deed)) is not None}
        if deeds and len(it.at) > 1:
            deed = next(iter(deeds))
            wrong = f"several messages were sent, and {quoted(deed)} is about one"
            self.findings.at_key(self.sheet, (*path, str(deed)), wrong, "Write each message by itself.")
        for at in it.at:
            moment = self._at(at)
            early = next((deed for deed, then in deeds.items() if then < moment), None)
            if early is not None:
                self.findings.at(self.sheet, (*path, str(early)), "is before it was sent", "Write a later moment.")
            yield Sent(it.campaign, moment, it.channel, it.segment or "", it.variant or "", deeds)

    def _campaign(self, path: Path, name: str) -> Campaign | None:
        """A campaign that is referred to, as far as it is known."""
        if name not in self.known.campaigns:
            if self.known.campaigns or self.known.settings is not None:
                remedy = choice(name, self.known.campaigns, "campaign in config/campaigns/")
                self.findings.at(self.sheet, path, f"no campaign {quoted(name)}", remedy)
            return None
        return self.known.campaigns[name]

    def _not_one_of(self, path: Path, word: str, known: Iterable[str], wrong: str) -> None:
        self.findings.at(self.sheet, path, f"{wrong} {quoted(word)}", choice(word, map(str, known)))

    def _expectation(self, index: int, it: ExpectShape) -> Expectation:
        path: Path = ("expect", index)
        campaign = self._campaign((*path, "campaign"), it.campaign)
        if campaign is not None:
            self._fits(path, it, campaign)
        self._goes_together(path, it)
        place = self.sheet.place(path)
        return Expectation(
            it.campaign,
            self._at(it.at),
            it.at.written,
            place.line,
            place.column,
            it.segment or "",
            it.channel,
            it.variant or "",
            it.locale or "",
            it.subject or "",
            tuple(it.contains or ()),
            tuple(it.not_contains or ()),
            it.nothing,
        )

    def _fits(self, path: Path, it: ExpectShape, campaign: Campaign) -> None:
        """Whether the campaign can do at all what is expected of it."""
        if it.segment is not None and it.segment not in campaign.audience:
            self._not_one_of((*path, "segment"), it.segment, campaign.audience, f"{campaign.name} has no segment")
        if it.channel is not None and it.channel not in campaign.channels:
            self._not_one_of((*path, "channel"), it.channel, campaign.channels, f"{campaign.name} has no channel")
        variants = campaign.experiment.variants if campaign.experiment is not None else {}
        if it.variant is not None and it.variant not in variants:
            remedy = choice(it.variant, variants, "variant")
            self.findings.at(self.sheet, (*path, "variant"), f"no variant {quoted(it.variant)}", remedy)
        locales = self.known.settings.locales if self.known.settings is not None else ()
        if it.locale is not None and locales and it.locale not in locales:
            self._not_one_of((*path, "locale"), it.locale, locales, "the project has no locale")

    def _goes_together(self, path: Path, it: ExpectShape) -> None:
        """What has no meaning beside `nothing`."""
        if it.nothing is None:
            return
        outside = isinstance(it.nothing, Outside)
        for key in ("segment", *_OF_A_MESSAGE) if outside else _OF_NO_MESSAGE:
            if getattr(it, key) is not None:
                wrong = f"'{key}' has no meaning beside `nothing: {it.nothing}`"
                self.findings.at_key(self.sheet, (*path, key), wrong, "Delete one of them.")
