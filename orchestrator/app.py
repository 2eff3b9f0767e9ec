"""The composition root: from the files of a project to the parts that do its work.

The engines of audience, ledger and wire are loaded where they are first needed: `check` needs none of them, and would
wait a second and a half for all.
"""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestrator import config
from orchestrator.config import Deliver, MachineSecrets, Project
from orchestrator.core.campaigns import Kind
from orchestrator.core.errors import ConfigError, OrchestratorError, OtherEnvironmentError, StoreError
from orchestrator.core.lists import NOBODY, Seeds, people_in, say_seeds, seeds_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.audience.reader import Reader
    from orchestrator.audience.store import Audience
    from orchestrator.core.campaigns import Campaign
    from orchestrator.core.times import Clock
    from orchestrator.dispatch import Dice, Dispatch, Engine, Lane
    from orchestrator.ledger import Ledger
    from orchestrator.providers import Adapter, Credentials, TokenAdapter, Transport
    from orchestrator.wire.tokens import Tokens

ENGINES = (
    "orchestrator.audience.engines.by_url",
    "orchestrator.dispatch",
    "orchestrator.ledger",
    "orchestrator.pipeline",
    "orchestrator.providers.smtp",
    "orchestrator.wire.folder",
    "orchestrator.wire.http",
    "orchestrator.wire.http_bulk",
    "orchestrator.wire.smtp",
    "orchestrator.wire.tokens",
)
"""What is loaded where it is first needed; a daemon loads it once, before it forks its processes."""


def load_engines() -> None:
    """Load everything now that would be loaded later."""
    for engine in ENGINES:
        import_module(engine)


SINK = "data/sink"
"""Where messages go in an environment that delivers to nobody, below the project's folder."""

MAIL_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A project without a mistake, and the files it was read from."""

    root: Path
    project: Project
    files: config.Files
    secrets: MachineSecrets

    def origin(self) -> config.Origin:
        """Which commit of git the files are, if they are one: asked now, for what was edited may be committed later."""
        return config.origin_of(self.root, self.files)

    def ledger(self) -> Ledger:
        """A connection of our own to the environment's ledger; OtherEnvironmentError if it is another's."""
        from orchestrator.ledger import Ledger  # noqa: PLC0415 - see the head of this file

        environment = self.project.environment
        return Ledger.open(environment.stores.ledger.resolve(self.secrets), self.root, environment=environment.name)


def open_project(root: Path, environment: str, *, sending: bool = False) -> Opened:
    """Read a whole tree at once; ConfigError with every mistake if it has any. Who sends needs every secret to be there."""
    secrets = MachineSecrets(root)
    files = config.read_tree(root)
    loaded = config.load(files, environment, secrets if sending else None)
    if loaded.project is None:
        raise ConfigError(loaded.mistakes)
    return Opened(root, loaded.project, files, secrets)


LEDGER = "ORCHESTRATOR_LEDGER"
"""The environment variable in which a supervisor tells its children where the ledger is; it may hold a password."""


def open_version(root: Path, environment: str, url: str, version: str) -> Opened:
    """The project as the ledger keeps it under this version: what a child starts from, whatever the files say now."""
    from orchestrator.ledger import Ledger  # noqa: PLC0415 - see the head of this file

    secrets = MachineSecrets(root)
    # A ledger that has vanished under the daemon must not be begun anew: nobody would know who was reached.
    ledger = Ledger.open(url, root, create=False, environment=environment)
    try:
        files = ledger.bundle(version)
    finally:
        ledger.close()
    return Opened(root, config.load(files, environment, secrets).sound(), files, secrets)


def open_child(root: Path, environment: str, version: str) -> Opened:
    """What a process of the daemon works from: the version it was handed, or the files where it was started by hand."""
    url = os.environ.get(LEDGER, "")
    if version and url:
        return open_version(root, environment, url, version)
    return open_project(root, environment, sending=True)


def dispatch(opened: Opened, clock: Clock, dice: Dice) -> Dispatch:
    """The lanes of this process: the project's providers, or the sink under their names where nothing may leave."""
    from orchestrator.dispatch import Dispatch, Lane  # noqa: PLC0415 - see the head of this file
    from orchestrator.providers import registry  # noqa: PLC0415 - see the head of this file

    settings = opened.project.settings
    if opened.project.environment.deliver is Deliver.SINK:
        names = {*settings.providers, *(name for route in settings.route.values() for name in route)}
        return Dispatch(_sinks(opened, names, clock), clock, dice)
    lanes = []
    routed = {name for route in settings.route.values() for name in route}
    for name, provider in settings.providers.items():
        # One that no route names keeps nobody from sending over the others.
        if name not in routed and unusable(opened, name):
            continue
        adapter = registry.provider(provider.adapter)
        credentials = provider.credentials(opened.secrets)
        tokens = _tokens(adapter, credentials, clock)
        carrier = engine(adapter, credentials, clock)
        lanes.append(Lane(adapter, carrier, credentials, clock, tokens, name=name, rate=provider.per_second))
    return Dispatch([*lanes, _inbox(clock)], clock, dice)


def unusable(opened: Opened, name: str) -> str:
    """Why a provider could send nothing, as far as that shows without a network; empty if it could."""
    provider = opened.project.settings.providers[name]
    missing = [ref for setting in provider.settings.values() for ref in setting.missing(opened.secrets)]
    if missing:
        return f"not set: {', '.join(missing)}"
    setting, why = config.objection(provider.adapter, provider.credentials(opened.secrets))
    where = ", ".join(provider.settings[setting].references) if setting in provider.settings else ""
    return f"{setting}{f' ({where})' if where else ''}: {why}" if setting else why


def _sinks(opened: Opened, names: set[str], clock: Clock) -> list[Lane]:
    from orchestrator.dispatch import Lane  # noqa: PLC0415 - see the head of this file
    from orchestrator.providers import registry  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.folder import FolderEngine  # noqa: PLC0415 - see the head of this file

    folder = FolderEngine(opened.root / SINK)
    sinks = [Lane(registry.provider("memory"), folder, {}, clock, name=name) for name in sorted(names - {"in_app"})]
    return [*sinks, _inbox(clock)]


def _inbox(clock: Clock) -> Lane:
    """Our own inbox: the ledger stores its messages itself, no engine is ever asked."""
    from orchestrator.dispatch import Lane  # noqa: PLC0415 - see the head of this file
    from orchestrator.providers import registry  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.folder import FolderEngine  # noqa: PLC0415 - see the head of this file

    return Lane(registry.provider("in_app"), FolderEngine(Path("inbox")), {}, clock)


def _tokens(adapter: Adapter, credentials: Credentials, clock: Clock) -> Tokens | None:
    """Where an adapter's short-lived tokens come from, if its service asks for them."""
    from orchestrator.wire.http import HttpxEngine  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.tokens import Tokens  # noqa: PLC0415 - see the head of this file

    if not hasattr(adapter, "grant"):
        return None
    return Tokens(cast("TokenAdapter", adapter), HttpxEngine(clock), credentials, clock)


def engine(adapter: Adapter, credentials: Credentials, clock: Clock) -> Engine:
    """What carries an adapter's requests."""
    from orchestrator.providers import Transport  # noqa: PLC0415 - see the head of this file
    from orchestrator.providers.smtp import mail_server  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.folder import FolderEngine  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.guard import into  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.http import HttpxEngine  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.http_bulk import BulkEngine  # noqa: PLC0415 - see the head of this file
    from orchestrator.wire.smtp import SmtpEngine  # noqa: PLC0415 - see the head of this file

    guarded = into(credentials.get("network", "")) if adapter.declaration.foreign else None
    transports: dict[Transport, Callable[[], Any]] = {
        Transport.HTTP: lambda: BulkEngine(clock, guarded, connections=256),
        Transport.HTTP2: lambda: HttpxEngine(clock, guarded, http2=True),
        Transport.SMTP: lambda: SmtpEngine(mail_server(credentials), connections=MAIL_CONNECTIONS),
        Transport.MEMORY: lambda: FolderEngine(Path(SINK)),
    }
    make = transports.get(adapter.declaration.transport)
    if make is None:
        raise OrchestratorError(f"{adapter.declaration.name}: nothing here carries {adapter.declaration.transport}")
    # An adapter of a transport builds requests of that transport, which no type can say.
    return cast("Engine", make())


def audience(opened: Opened, give_up: Callable[[], bool] | None = None) -> Reader:
    """The environment's audience, to be asked; who is told to `give_up` while they wait for it gets a HeldError."""
    from orchestrator.audience.engines.by_url import open_audience  # noqa: PLC0415 - see the head of this file

    if not elsewhere(opened):
        return own_audience(opened, give_up)
    project = opened.project
    url = project.environment.stores.audience.resolve(opened.secrets)
    return open_audience(url, opened.root, project.catalogue.known, project.warehouse, give_up)


def elsewhere(opened: Opened) -> str:
    """The kind of engine the audience lives in where it is not ours (`postgresql`): we only read it. Empty for our own."""
    kind = opened.project.environment.stores.audience.resolve(opened.secrets).partition(":")[0]
    return "" if kind == "duckdb" else kind


def own_audience(opened: Opened, give_up: Callable[[], bool] | None = None) -> Audience:
    """The same, to be written; StoreError where it is somebody else's, which we only read, or another environment's."""
    from orchestrator.audience.store import Audience  # noqa: PLC0415 - see the head of this file

    environment, known = opened.project.environment, opened.project.catalogue.known
    url = environment.stores.audience.resolve(opened.secrets)
    return Audience.open(url, opened.root, known.attributes, give_up, environment.name)


def refuse_other_audience(opened: Opened) -> None:
    """OtherEnvironmentError if the audience is another environment's. Any other trouble is for whoever asks it: sending goes on."""
    if elsewhere(opened):
        return
    try:
        own_audience(opened, lambda: True)
    except OtherEnvironmentError:
        raise
    except StoreError:
        return


def seeds(opened: Opened) -> Seeds:
    """The people of the seeds file; nobody without one."""
    name = opened.project.settings.seeds
    return seeds_in(people_in(name, opened.files[name])) if name else NOBODY


def whom(opened: Opened) -> str:
    """Whom the environment reaches, in words."""
    match opened.project.environment.deliver:
        case Deliver.SINK:
            return "nothing leaves this machine"
        case Deliver.EVERYONE:
            return "it reaches everyone"
        case Deliver.SEEDS:
            found = seeds(opened)
            return f"it reaches only {opened.project.settings.seeds} ({say_seeds(found)})"


def untold(opened: Opened, ledger: Ledger, campaign: Campaign) -> str:
    """Why this environment must not send a campaign yet, empty if it may: nobody has said which addresses are stopped."""
    from orchestrator.ledger import consent  # noqa: PLC0415 - see the head of this file

    # Seeds are named one by one by people who know them; who else is in the audience gets nothing.
    everyone = opened.project.environment.deliver is Deliver.EVERYONE
    if not everyone or campaign.kind is not Kind.MARKETING or consent.suppressions_told(ledger.store):
        return ""
    return (
        "nobody has said yet which addresses are stopped (bounces, complaints, unsubscribes of before):"
        f" orchestrator --env {opened.project.environment.name} import suppressions FILE, or import suppressions --none"
        " if there are none"
    )


def calm_collector() -> None:
    """For a process that makes messages by the million: the collector looks seldom, and never at what was there before.

    What a message is made of goes by itself, by its reference count; looking for circles in it took a seventh of a
    worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
