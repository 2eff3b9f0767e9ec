"""Everything that is wrong with a project's files, settings, templates and mappings of imports together."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from orchestrator import config
from orchestrator.config import Outline, Project, Settings, Sketch
from orchestrator.core.campaigns import CampaignState, Kind
from orchestrator.core.coupons import codes_in
from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.rendering import Catalogue, Compiled, Setting, Values, lint, tried


def examined(root: Path, loaded: config.Loaded) -> tuple[int, tuple[Mistake, ...]]:
    """How many files a project has, personas included, and every mistake of theirs."""
    personas = config.load_personas(root, loaded)
    return len(loaded.files) + personas.files, (*mistakes(loaded), *personas.mistakes)


def mistakes(loaded: config.Loaded) -> tuple[Mistake, ...]:
    """Every mistake of every file at once: settings, templates, mappings of imports, as far as each can be read."""
    known = loaded.sketch if loaded.project is None else _sketch(loaded.project)
    if known is None:
        return loaded.mistakes
    found = [*loaded.mistakes, *template_mistakes(known, loaded.files, loaded.mistakes)]
    found += coupon_mistakes(known.settings, loaded.files)
    found = [it for it in found if it.file not in loaded.refused or it in loaded.mistakes]
    files = {mistake.file for mistake in found}
    found += [it for it in mapping_mistakes(known, loaded.files) if it.file not in files]
    return tuple(sorted(found, key=lambda it: (it.file, it.line, it.column)))


def notes(loaded: config.Loaded) -> tuple[Mistake, ...]:
    """What is no mistake and yet worth knowing: a live campaign that gives codes away of which its file has none."""
    if loaded.project is None:
        return ()
    settings, found = loaded.project.settings, []
    files = {pool: it.codes for pool, it in settings.coupons.items()}
    empty = {pool: file for pool, file in files.items() if file and not codes_in(loaded.files.get(file, b""))}
    for pool, names in takers(loaded.project, loaded.files, empty).items():
        remedy = f"Put codes in, one a line, or: orchestrator import coupons {pool} FILE"
        found += [
            Mistake(empty[pool], 0, 0, f"no code in it, and {name} gives one to each person", remedy) for name in names
        ]
    return tuple(found)


def takers(project: Project, files: config.Files, pools: Collection[str]) -> dict[str, list[str]]:
    """Of these pools of coupons those that live campaigns take codes from, with the campaigns; one with broken templates takes none.

    Templates take long to compile, so ask only about pools that may lack a code.
    """
    found: dict[str, list[str]] = {}
    live = [name for name, it in project.campaigns.items() if pools and it.state is CampaignState.LIVE]
    for name in live:
        try:
            taken = Compiled(name, files, template_setting(project.settings)).coupons()
        except ConfigError:
            continue
        for pool in sorted(taken & set(pools)):
            found.setdefault(pool, []).append(name)
    return found


def coupon_mistakes(settings: Settings | None, files: config.Files) -> Iterator[Mistake]:
    """Files of codes that cannot be read."""
    for pool in settings.coupons.values() if settings else ():
        try:
            codes_in(files.get(pool.codes, b""))
        except ValueError as problem:
            yield Mistake(pool.codes, 0, 0, str(problem), "Write one code a line.")


def _sketch(project: Project) -> Sketch:
    campaigns = {
        name: Outline(
            it.trigger.event if it.trigger else "", it.kind is Kind.MARKETING, it.state is CampaignState.ENDED
        )
        for name, it in project.campaigns.items()
    }
    return Sketch(project.settings, project.catalogue, campaigns)


def mapping_mistakes(known: Sketch, files: config.Files) -> Iterator[Mistake]:
    """What is wrong with the mappings of imports."""
    for file, content in files.items():
        if file.startswith("config/imports/"):
            try:
                mapping(file, content, known.settings, known.catalogue)
            except ConfigError as problem:
                yield from problem.mistakes


def mapping(file: str, content: bytes, settings: Settings | None, catalogue: config.Catalogue | None) -> dict[str, Any]:
    """The content of an import's mapping; ConfigError with every mistake in it, held against what else can be read."""
    # Only who has mappings waits for it.
    from orchestrator.audience.mapping_file import MappingError, plan  # noqa: PLC0415 - brings the engine, which `check` without mappings does not need

    told = config.mapping_of(file, content)
    zone, topics = (settings.time_zone, settings.topics) if settings else ("UTC", None)
    declared = None if catalogue is None else {*catalogue.attributes, *chain(*catalogue.events.values())}
    try:
        plan(told, zone, file, topics, declared)
    except MappingError as problem:
        raise ConfigError(config.located(file, content, problem.objections)) from problem
    return told


def refuse_broken_templates(project: Project, files: config.Files, campaign: str = "") -> None:
    """ConfigError with what `check` says of the templates of this campaign, or of all that are not over.

    Messages are tried out in a child: not to be called where there are threads or databases.
    """
    known = _sketch(project)
    wanted = {name: it for name, it in known.campaigns.items() if (name == campaign if campaign else not it.ended)}
    found = template_mistakes(replace(known, campaigns=wanted), files)
    if found:
        raise ConfigError(tuple(sorted(found, key=lambda it: (it.file, it.line, it.column))))


def template_mistakes(known: Sketch, files: config.Files, said: Iterable[Mistake] = ()) -> tuple[Mistake, ...]:
    """What is wrong with the templates of all campaigns, held against as much of the project as can be read.

    Both readers of a template's head may object to the same: what was `said` already is not said again.
    """
    found: dict[Mistake, None] = {}
    tries = []
    said = tuple(said)
    setting = template_setting(known.settings)
    if not setting.senders:  # the reader of the settings says so, once, unless they cannot be read
        setting = replace(setting, senders=None)
    for name, campaign in known.campaigns.items():
        compiled = Compiled(name, files, setting)
        tries.append((compiled, kinds(known.catalogue, campaign.trigger)))
        found |= dict.fromkeys(_linted(known, compiled, said))
    return (*found, *tried(tries))


def linted(project: Project, compiled: Compiled, said: Iterable[Mistake] = ()) -> tuple[Mistake, ...]:
    """The same of one campaign's templates as they are written; nothing is tried out."""
    return tuple(_linted(_sketch(project), compiled, tuple(said)))


def _linted(known: Sketch, compiled: Compiled, said: Collection[Mistake]) -> Iterator[Mistake]:
    spots = {(it.file, it.line, it.column + off) for it in said for off in (-1, 0, 1)}
    written = {it.file for it in said if it.line}
    marketing = known.campaigns[compiled.campaign].marketing
    for it in lint(compiled, template_catalogue(known, compiled.campaign), marketing=marketing):
        if (it.file, it.line, it.column) not in spots and not (it in compiled.unreadable and it.file in written):
            yield it


def template_catalogue(known: Sketch, campaign: str) -> Catalogue | None:
    """What a campaign's templates may count on; None if the catalogue cannot be read."""
    settings, data = known.settings, known.catalogue
    if data is None:
        return None
    return Catalogue(
        tuple(data.attributes),
        {event: tuple(properties) for event, properties in data.events.items()},
        known.campaigns[campaign].trigger,
        tuple(settings.coupons) if settings else None,
        tuple(settings.sources) if settings else None,
    )


def kinds(data: config.Catalogue | None, trigger: str | None) -> dict[tuple[str, ...], Values]:
    """What the values of a template's paths may be, as far as the catalogue declares them."""
    found: dict[tuple[str, ...], config.DataType] = {}
    if data is None:
        return {}
    for name, it in data.attributes.items():
        found[name,] = found["userAttribute", name] = it
    for event, properties in data.events.items():
        found |= {("latest", event, name): it for name, it in properties.items()}
    found |= {("parameter", name): it for name, it in data.events.get(trigger or "", {}).items()}
    return {path: Values(str(it.type), it.values) for path, it in found.items()}


def template_setting(settings: Settings | None) -> Setting:
    """What templates need of the project's settings; without them any sender will do."""
    if settings is None:
        return Setting(senders=None)
    senders = {
        name: {"from": sender.address, "reply_to": sender.reply_to, "postal": sender.postal}
        for name, sender in settings.senders.items()
    }
    only = next(iter(senders)) if len(senders) == 1 else ""
    return Setting(settings.time_zone, settings.locales[0] if settings.locales else "en", senders, only)
