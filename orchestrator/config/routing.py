"""Which provider carries what: of every channel in the order of failing over, of push by platform where tokens differ."""

from collections.abc import Mapping
from contextlib import suppress

from orchestrator.config.draft import Draft
from orchestrator.config.findings import choice, quoted
from orchestrator.config.shapes import SettingsShape
from orchestrator.config.sheets import Path
from orchestrator.core.devices import ByPlatform
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel
from orchestrator.providers import Declaration


def check_routes(draft: Draft, settings: SettingsShape) -> None:
    """Every provider of every route is there, and knows what it would be handed."""
    for channel, names in settings.route.items():
        _check_route(draft, settings, channel, names, ("route", channel.value))
    _check_push(draft, settings)


def routed(settings: SettingsShape) -> set[str]:
    """Every provider that anything goes over."""
    found = {name for names in settings.route.values() for name in names}
    return found | set(settings.push.all) if settings.push is not None else found


def routes(settings: SettingsShape) -> dict[Channel, tuple[str, ...]]:
    """Providers of each channel; of push those of all platforms."""
    found = {channel: tuple(names) for channel, names in settings.route.items()}
    if settings.push is not None:
        found[Channel.PUSH] = settings.push.all
    return found


def by_platform(settings: SettingsShape, adapters: Mapping[str, Declaration]) -> ByPlatform:
    """Providers of push by platform; empty if all of its route know every device."""
    if settings.push is not None:
        return {platform: tuple(names) for platform, names in settings.push.named.items()}
    names = tuple(settings.route.get(Channel.PUSH, ()))
    return dict.fromkeys(sorted(_platforms(settings, names[0], adapters)), names) if names else {}


def _platforms(settings: SettingsShape, provider: str, adapters: Mapping[str, Declaration]) -> frozenset[str]:
    """The only platforms whose tokens a provider knows; empty for all, and for one that is mistaken."""
    shape = settings.providers.get(provider)
    declaration = None
    with suppress(OrchestratorError):  # said where the provider stands
        declaration = adapters.get(shape.adapter or provider) if shape is not None else None
    return declaration.platforms if declaration is not None else frozenset()


def _check_push(draft: Draft, settings: SettingsShape) -> None:
    """Every device's token goes to providers that know it: to any other it looks dead, and would be suppressed."""
    sheet, findings = draft.settings_sheet, draft.findings
    flat = settings.route.get(Channel.PUSH, [])
    if settings.push is None:
        known = [_platforms(settings, name, draft.adapters) for name in flat]
        for index, platforms in enumerate(known):
            if platforms != known[0]:
                text = f"{quoted(flat[index])} and {quoted(flat[0])} do not know the same devices"
                remedy = "Say which goes where: `push: {ios: […], android: […], web: […]}`, instead of `route.push`."
                findings.at(sheet, ("route", "push", index), text, remedy)
        return
    if flat:
        findings.at_key(sheet, ("route", "push"), "push is routed by platform already, under `push`", "Delete one.")
    for platform, names in settings.push.named.items():
        _check_route(draft, settings, Channel.PUSH, names, ("push", platform))
        for index, name in enumerate(names):
            platforms = _platforms(settings, name, draft.adapters)
            if platforms and platform not in platforms:
                text = f"{quoted(name)} knows no tokens of {platform}"
                findings.at(
                    sheet, ("push", platform, index), text, f"It knows those of {' and '.join(sorted(platforms))}."
                )
    if not settings.push.named:
        findings.at(sheet, ("push",), "names no platform", "Write at least one: `push: {ios: […]}`.")


def _check_route(draft: Draft, settings: SettingsShape, channel: Channel, names: list[str], where: Path) -> None:
    sheet, findings = draft.settings_sheet, draft.findings
    for index, name in enumerate(names):
        path = (*where, index)
        if name not in settings.providers:
            if draft.stood_in("providers"):
                continue
            findings.at(sheet, path, f"no provider {quoted(name)}", choice(name, settings.providers, "provider"))
            continue
        if name in names[:index]:
            findings.at(sheet, path, f"{quoted(name)} stands here twice", "Delete one.")
        declaration = None
        with suppress(OrchestratorError):  # said where the provider stands
            declaration = draft.adapters.get(settings.providers[name].adapter or name)
        if declaration is not None and channel not in declaration.channels:
            carries = " and ".join(sorted(declaration.channels))
            findings.at(sheet, path, f"{quoted(name)} does not carry {channel}", f"It carries {carries}.")
