"""Everything that is wrong with a project's files, settings, templates and mappings of imports together."""

from collections.abc import Iterator

from orchestrator import config
from orchestrator.config import Project
from orchestrator.core.campaigns import CampaignState, Kind
from orchestrator.core.errors import ConfigError, Mistake, OrchestratorError
from orchestrator.rendering import Catalogue, Compiled, Setting, lint


def mistakes(loaded: config.Loaded) -> tuple[Mistake, ...]:
    """Every mistake of every file at once: settings, templates of the campaigns that can be read, mappings of imports."""
    found = list(loaded.mistakes)
    known = loaded.project or loaded.sketch
    if known is not None:
        said = {(mistake.file, mistake.line) for mistake in found}
        found += [it for it in template_mistakes(known, loaded.files) if (it.file, it.line) not in said]
        files = {mistake.file for mistake in found}
        found += [it for it in mapping_mistakes(known, loaded.files) if it.file not in files]
    return tuple(sorted(found, key=lambda it: (it.file, it.line, it.column)))


def mapping_mistakes(project: Project, files: config.Files) -> Iterator[Mistake]:
    """What is wrong with the mappings of imports."""
    mappings = {file: content for file, content in files.items() if file.startswith("config/imports/")}
    if not mappings:
        return
    from orchestrator.audience.mapping import plan as plan_import  # noqa: PLC0415 - only who has mappings waits for it

    for file, content in mappings.items():
        try:
            plan_import(config.mapping_of(file, content), project.settings.time_zone, file)
        except OrchestratorError as problem:
            yield Mistake(file, 0, 0, str(problem).removeprefix(f"{file}: "))


def refuse_broken_templates(project: Project, files: config.Files) -> None:
    """ConfigError if a campaign that is not over has templates no message can be made of."""
    found: dict[Mistake, None] = {}
    for name, campaign in project.campaigns.items():
        if campaign.state is not CampaignState.ENDED:
            compiled = Compiled(name, files, template_setting(project))
            found |= dict.fromkeys(compiled.mistakes)
    if found:
        raise ConfigError(tuple(found))


def template_mistakes(project: Project, files: config.Files) -> tuple[Mistake, ...]:
    """What is wrong with the templates of a project whose other files have no mistake, held against its catalogue."""
    found: dict[Mistake, None] = {}
    for name, campaign in project.campaigns.items():
        trigger = campaign.trigger.event if campaign.trigger else ""
        known = Catalogue(
            tuple(project.catalogue.attributes),
            {event: tuple(properties) for event, properties in project.catalogue.events.items()},
            trigger,
            tuple(project.settings.coupons),
            tuple(project.settings.sources),
        )
        compiled = Compiled(name, files, template_setting(project))
        found |= dict.fromkeys(lint(compiled, known, marketing=campaign.kind is Kind.MARKETING))
    return tuple(found)


def template_setting(project: Project) -> Setting:
    """What templates need of the project."""
    settings = project.settings
    senders = {
        name: {"from": sender.address, "reply_to": sender.reply_to, "postal": sender.postal}
        for name, sender in settings.senders.items()
    }
    only = next(iter(senders)) if len(senders) == 1 else ""
    return Setting(settings.time_zone, settings.locales[0] if settings.locales else "en", senders, only)
