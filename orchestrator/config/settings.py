"""Do the project's settings fit together: routes to providers, providers to adapters, secrets, lists, environments?"""

from orchestrator.config.adapters import objection
from orchestrator.config.draft import Draft
from orchestrator.config.fields import Deliver, Type
from orchestrator.config.findings import choice, nearest, quoted
from orchestrator.config.results import Environment, Stores
from orchestrator.config.routing import check_routes, routed
from orchestrator.config.secret import HOW, Secret, SecretSource, bad_reference
from orchestrator.config.shapes import AttributeShape, DataShape, ProviderShape, SettingsShape
from orchestrator.config.sheets import Path
from orchestrator.config.sources import check_sources
from orchestrator.config.tracking import check_tracking
from orchestrator.core.campaigns import CampaignState, Kind
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.lists import people_in
from orchestrator.core.nouns import Channel

DEV = "dev"
"""The environment when none is named: nothing leaves the machine."""
_USUAL = ("dev", "test", "staging", "live", "production", "prod", "local", "demo")


def check_settings(draft: Draft, settings: SettingsShape) -> None:
    """Everything that orchestrator.yaml refers to."""
    sheet, findings = draft.settings_sheet, draft.findings
    _check_environments(draft, settings)
    _check_stores(draft, settings)
    for name, provider in settings.providers.items():
        _check_provider(draft, name, provider)
    check_routes(draft, settings)
    if settings.seeds:
        draft.list_file(sheet, ("seeds",), settings.seeds)
        try:
            people_in(settings.seeds, draft.files.get(settings.seeds, b""))
        except ValueError as problem:
            findings.in_file(settings.seeds, str(problem), line=1, column=1)
    _check_coupons(draft, settings)
    check_tracking(draft, sheet, settings.tracking)
    check_sources(draft, settings)
    for index, name in enumerate(settings.defaults.exclude):
        draft.segment(sheet, ("defaults", "exclude", index), name)
    for event in settings.defaults.hold_if.no_recent:
        draft.event(sheet, ("defaults", "hold_if", "no_recent", event), event, is_key=True)
    for index, locale in enumerate(settings.locales):
        if locale in settings.locales[:index]:
            findings.at(sheet, ("locales", index), f"{quoted(locale)} stands here twice", "Delete one.")
    if _somebody_mails(draft) and settings.public_url is None:
        findings.at(
            sheet,
            (),
            "the key 'public_url' is missing",
            "Marketing e-mail needs it for the unsubscribe link: `public_url: https://go.shop.example`.",
        )


def _check_coupons(draft: Draft, settings: SettingsShape) -> None:
    of: dict[str, str] = {}
    for name, pool in settings.coupons.items():
        if pool.codes is None:
            continue
        path = ("coupons", name, "codes")
        draft.list_file(draft.settings_sheet, path, pool.codes)
        if pool.codes in of:
            wrong = f"{quoted(pool.codes)} holds the codes of {quoted(of[pool.codes])} already"
            draft.findings.at(draft.settings_sheet, path, wrong, "Two pools would give the same code to two people.")
        of.setdefault(pool.codes, name)


def _check_environments(draft: Draft, settings: SettingsShape) -> None:
    sheet, findings = draft.settings_sheet, draft.findings
    for name, environment in settings.environments.items():
        if name not in _USUAL and nearest_usual(name) and nearest_usual(name) not in settings.environments:
            meant = nearest_usual(name)
            findings.at_key(
                sheet,
                ("environments", name),
                f"'{name}' looks like '{meant}'",
                f"Write '{meant}', or a name of its own.",
            )
        if environment.deliver is Deliver.SEEDS and settings.seeds is None:
            findings.at(
                sheet,
                ("environments", name, "deliver"),
                "seeds, but nobody says who they are",
                "Add `seeds: lists/seeds.csv`.",
            )


def _check_stores(draft: Draft, settings: SettingsShape) -> None:
    """Stores that an environment calls its own are no other's. A warehouse is only read, and may be shared."""
    taken = dict.fromkeys((settings.stores.ledger, settings.stores.audience), "`stores`")
    for name, environment in settings.environments.items():
        if environment.stores is None:
            continue
        for key, text in (("ledger", environment.stores.ledger), ("audience", environment.stores.audience)):
            if "${" in text or (key == "audience" and not text.startswith("duckdb:")):
                continue  # an address may be another on each machine
            if text in taken:
                kind, _, place = text.partition(":")
                own = f"{key}: {kind}:data/{name}/{place.rpartition('/')[2]}"
                path: Path = ("environments", name, "stores")
                given = draft.settings_sheet.at((*path, key)) is not None
                draft.findings.at(
                    draft.settings_sheet,
                    (*path, key) if given else path,
                    f"the {key} {quoted(text)} is that of {taken[text]}",
                    f"What one sends would count for the other. Write `{own}`.",
                )
            taken.setdefault(text, f"`{name}`")


def nearest_usual(name: str) -> str:
    """The usual name of an environment that this one is a slip of the pen from."""
    found = nearest(name, _USUAL)
    return found if found and abs(len(found) - len(name)) <= 1 else ""


def check_data(draft: Draft, data: DataShape) -> None:
    """The catalogue: allowed values fit their type, and revenue is a number that exists."""
    sheet, findings = draft.data_sheet, draft.findings
    declared: list[tuple[Path, AttributeShape]] = [(("attributes", name), it) for name, it in data.attributes.items()]
    declared += [(("events", event, name), it) for event, its in data.events.items() for name, it in its.items()]
    for path, it in declared:
        for index, value in enumerate(it.values or []):
            if isinstance(value, str) == (it.is_ is Type.NUMBER) or it.is_ is Type.BOOLEAN:
                findings.at(
                    sheet,
                    (*path, "values", index),
                    f"{quoted(value)} is not a {it.is_}",
                    "Put it in quotes." if not isinstance(value, str) else "",
                )
    if data.session is not None:
        draft.event(sheet, ("session",), data.session)
    if data.revenue is None:
        return
    event, _, name = data.revenue.partition(".")
    if not draft.event(sheet, ("revenue",), event):
        return
    property_ = data.events[event].get(name)
    if property_ is None:
        findings.at(
            sheet, ("revenue",), f"the event '{event}' has no property {quoted(name)}", choice(name, data.events[event])
        )
    elif property_.is_ is not Type.NUMBER:
        findings.at(
            sheet, ("revenue",), f"'{data.revenue}' is a {property_.is_}, not a number", "Revenue adds up numbers."
        )


def environment_of(settings: SettingsShape, name: str) -> Environment | None:
    """The environment of this name, None if there is none; `dev` is there even if nobody wrote it down."""
    found = settings.environments.get(name)
    if found is None:
        return Environment(name, Deliver.SINK, _stores(settings, None)) if name == DEV else None
    return Environment(name, found.deliver, _stores(settings, name), found.approve_over)


def check_secrets(draft: Draft, settings: SettingsShape, environment: Environment, machine: SecretSource) -> None:
    """Secrets that this environment is about to use and that are not there."""
    sheet = draft.settings_sheet
    where = (
        ("environments", environment.name) if "stores" in (sheet.at(("environments", environment.name)) or {}) else ()
    )
    for key, store in (("ledger", environment.stores.ledger), ("audience", environment.stores.audience)):
        for reference in store.missing(machine):
            draft.findings.at(sheet, (*where, "stores", key), f"{reference} is not set", "Set it on this machine.")
    if environment.deliver is Deliver.SINK:
        return
    for name in sorted(routed(settings) & set(settings.providers)):
        _check_credentials(draft, name, settings.providers[name], environment, machine)
    for name, source in settings.sources.items():
        told: dict[tuple[str, ...], str] = {("url",): source.url or ""}
        told |= {("headers", header): value for header, value in source.headers.items()}
        for spot, value in told.items():
            for reference in Secret(value).missing(machine):
                draft.findings.at(sheet, ("sources", name, *spot), f"{reference} is not set", "Set it on this machine.")


def _check_credentials(
    draft: Draft, name: str, provider: ProviderShape, environment: Environment, machine: SecretSource
) -> None:
    """The secrets of a provider that is about to send are there, and its adapter can work with them."""
    sheet, path = draft.settings_sheet, ("providers", name)
    given = {key: Secret(value) for key, value in _settings_of(provider).items()}
    missing = [(key, reference) for key, value in given.items() for reference in value.missing(machine)]
    for key, reference in missing:
        remedy = f"Set it on this machine; {environment.name} sends with it."
        draft.findings.at(sheet, (*path, key), f"{reference} is not set", remedy)
    adapter = provider.adapter or name
    known = draft.adapters.get(adapter)
    if missing or known is None or any(setting.required and setting.name not in given for setting in known.settings):
        return
    setting, why = objection(adapter, {key: value.resolve(machine) for key, value in given.items()})
    if why:
        draft.findings.at(sheet, (*path, setting) if setting in given else path, why)


def _settings_of(provider: ProviderShape) -> dict[str, str]:
    return dict(provider.__pydantic_extra__ or {})


def _stores(settings: SettingsShape, environment: str | None) -> Stores:
    own = settings.environments[environment].stores if environment else None
    shape = own or settings.stores
    return Stores(Secret(shape.ledger), Secret(shape.audience))


def _check_provider(draft: Draft, name: str, provider: ProviderShape) -> None:
    sheet, findings = draft.settings_sheet, draft.findings
    path = ("providers", name)
    adapter = provider.adapter or name
    try:
        declaration = draft.adapters.get(adapter)
    except OrchestratorError as problem:
        findings.at_key(sheet, path, str(problem))
        return
    if declaration is None:
        if provider.adapter:
            findings.at(sheet, (*path, "adapter"), f"no adapter {quoted(adapter)}", choice(adapter, draft.adapters))
        else:
            findings.at_key(
                sheet,
                path,
                f"no adapter {quoted(adapter)}",
                f"{choice(adapter, draft.adapters)} Or give it a name of your own and say which with `adapter:`.",
            )
        return
    known = {setting.name: setting for setting in declaration.settings}
    given = _settings_of(provider)
    for key, value in given.items():
        if key not in known:
            findings.at_key(sheet, (*path, key), f"no key {quoted(key)}", choice(key, [*known, "adapter", "rate"]))
        elif objection := bad_reference(value):
            findings.at(sheet, (*path, key), objection, f"{HOW}.")
        elif known[key].secret and not Secret(value).whole:
            findings.at(
                sheet,
                (*path, key),
                "is a secret and must not stand here",
                f"{HOW}, and change the secret: it has been in a file.",
            )
    for key, setting in known.items():
        if (
            setting.required
            and key not in given
            and not any(nearest(other, [key]) for other in given if other not in known)
        ):
            findings.at_key(sheet, path, f"{name}: the key '{key}' is missing", setting.about)
    if given.keys() <= known.keys() and all(key in given for key, setting in known.items() if setting.required):
        _try_out(draft, path, adapter, given)


_ELSEWHERE = "x"
"""Stands in for what is not in the file."""


def _try_out(draft: Draft, path: Path, adapter: str, given: dict[str, str]) -> None:
    """What stands in the file itself can be; of what stands elsewhere, nobody knows before a machine that has it looks."""
    plain = {key: value for key, value in given.items() if not Secret(value).references and not bad_reference(value)}
    setting, why = objection(adapter, {**dict.fromkeys(given, _ELSEWHERE), **plain})
    if why and setting in plain:
        draft.findings.at(draft.settings_sheet, (*path, setting), why)


def _somebody_mails(draft: Draft) -> bool:
    """Whether a live marketing campaign sends e-mail."""
    shapes = [campaign.shape for campaign in draft.campaigns.values() if campaign and campaign.shape]
    return any(
        shape.state is CampaignState.LIVE and shape.kind is Kind.MARKETING and Channel.EMAIL in shape.channels.all
        for shape in shapes
    )
