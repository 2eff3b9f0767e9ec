"""A run's files as it was fired with: its campaign and templates, prepared once in a process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator import checking, config
from orchestrator.config import Deliver, Environment, Project
from orchestrator.core.errors import ConfigError, OrchestratorError
from orchestrator.core.lists import NOBODY
from orchestrator.rendering import Compiled

if TYPE_CHECKING:
    from orchestrator.core.times import Instant
    from orchestrator.ledger import Ledger, Seal, Shard
    from orchestrator.pipeline import Prepared
    from orchestrator.pipeline.tracking import Tracks
    from orchestrator.rendering import RenderChild


class Bundles:
    """Campaigns and templates as the bundles of runs say them, each prepared once in this process."""

    def __init__(self, environment: Environment, now: Instant, child: RenderChild | None = None) -> None:
        """`environment` is that of today: whom it may reach holds for runs of before, too."""
        self._environment = environment
        self._now = now
        self._child = child
        self._known: dict[tuple[str, str], Prepared] = {}

    def project(self, ledger: Ledger, version: str) -> Project:
        """The project as it was when a run of this version was fired."""
        return self._loaded(ledger.bundle(version))

    def prepare(self, ledger: Ledger, campaign: str, version: str) -> Prepared:
        """A campaign and its compiled templates."""
        from orchestrator.ledger import Purpose  # noqa: PLC0415 - workers and planners bring it, `check` does not need it

        known = self._known.get((campaign, version))
        if known is None:
            files = ledger.bundle(version)
            project = self._loaded(files)
            seal, tracks = ledger.seal(Purpose.UNSUBSCRIBE, self._now), tracks_of(project, campaign, ledger, self._now)
            known = self._known[campaign, version] = prepared(project, files, campaign, seal, self._child, tracks)
        return known

    def _loaded(self, files: config.Files) -> Project:
        """A run of when the environment reached others than seeds (a sink, say) knows of no seed: nobody gets more of it."""
        project = config.load(files, self._environment.name).sound()
        if self._environment.deliver is not Deliver.SEEDS or project.environment.deliver is Deliver.SEEDS:
            return project
        campaigns = {
            name: replace(found, policy=replace(found.policy, seeds=NOBODY))
            for name, found in project.campaigns.items()
        }
        return replace(project, campaigns=campaigns)

    def prepare_shard(self, ledger: Ledger, shard: Shard) -> Prepared:
        """What a shard's run is worked with."""
        return self.prepare(ledger, shard.campaign, shard.version)


class Topics:
    """The topic of each run's campaign as that run's bundle says it, each looked up once; empty where nobody can say any more."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._known: dict[str, dict[str, str]] = {}

    def __call__(self, ledger: Ledger, version: str, campaign: str) -> str:
        """The topic of a campaign in a version of the files."""
        topics = self._known.get(version)
        if topics is None:
            topics = self._known[version] = self._read(ledger, version)
        return topics.get(campaign, "")

    def _read(self, ledger: Ledger, version: str) -> dict[str, str]:
        try:
            campaigns = config.load(ledger.bundle(version), self._environment).sound().campaigns
        except OrchestratorError:
            return {}  # files of long ago, which this release reads otherwise
        return {name: campaign.policy.topic for name, campaign in campaigns.items()}


def tracks_of(project: Project, campaign: str, ledger: Ledger, now: Instant) -> Tracks | None:
    """What makes clicks and opens of a campaign's e-mails known, None where nobody is to know of them.

    An environment that reaches not everyone has a ledger, and so keys, of its own, and `public_url` leads to the daemon of
    the one that does: links of ours would be dead there.
    """
    from orchestrator.ledger import Purpose  # noqa: PLC0415 - workers and planners bring it, `check` does not need it
    from orchestrator.pipeline.tracking import Tracks  # noqa: PLC0415

    policy, settings = project.campaigns[campaign].policy, project.settings
    if project.environment.deliver is not Deliver.EVERYONE or not settings.public_url:
        return None
    if not policy.clicks and not policy.opens:
        return None
    clicks = ledger.seal(Purpose.CLICK, now) if policy.clicks else None
    opens = ledger.seal(Purpose.OPEN, now) if policy.opens else None
    return Tracks(settings.public_url, clicks, opens, settings.tracked_hosts)


def prepared(
    project: Project,
    files: config.Files,
    campaign: str,
    seal: Seal,
    child: RenderChild | None = None,
    tracks: Tracks | None = None,
) -> Prepared:
    """A campaign of a project with its templates compiled; ConfigError if a template is mistaken.

    Without `tracks` its links are those of the templates, as whoever only looks wants them.
    """
    from orchestrator.pipeline import BundleLetters, Prepared  # noqa: PLC0415 - workers and planners bring it, `check` does not need it

    found = project.campaigns[campaign]
    setting = checking.template_setting(project.settings)
    compiled = Compiled(campaign, files, replace(setting, secret=tracks.secret) if tracks else setting)
    if compiled.mistakes:
        raise ConfigError(compiled.mistakes)
    letters = BundleLetters(compiled, found, seal, project.settings.public_url, child, tracks)
    return Prepared(found, letters, letters.halted)
