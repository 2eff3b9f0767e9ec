"""What all personas of a project share: its campaigns with their templates compiled, and the lists segments look into."""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator import checking
from orchestrator.config import Files, Project
from orchestrator.core.campaigns import Campaign
from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.core.lists import Seeds, people_in, seeds_in
from orchestrator.core.personas import Persona
from orchestrator.core.segments.tree import Listed, leaves
from orchestrator.core.variables import Told
from orchestrator.rendering import Compiled


class Stage:
    """A project without a mistake, made ready for its personas. Campaigns are compiled when the first of them comes."""

    def __init__(self, project: Project, files: Files) -> None:
        """ConfigError for a list that segments name and nobody can read."""
        self.project = project
        self.told = Told(project.catalogue.revenue, project.catalogue.session)
        self._files = files
        self._setting = checking.template_setting(project.settings)
        self._compiled: dict[str, Compiled] = {}
        self._lists = dict(self._read_lists())

    def compiled(self, campaign: str) -> Compiled:
        """A campaign's templates; ConfigError if one is mistaken."""
        known = self._compiled.get(campaign)
        if known is None:
            known = Compiled(campaign, self._files, self._setting)
            if known.mistakes:
                raise ConfigError(known.mistakes)
            self._compiled[campaign] = known
        return known

    def campaign(self, name: str, *, by_draw: bool) -> Campaign:
        """A campaign as everybody meets it, whatever the environment; without `by_draw` nobody is held out of all marketing."""
        found = self.project.campaigns[name]
        policy = replace(found.policy, seeds=None)
        return replace(found, policy=policy if by_draw else replace(policy, project_holdout=0.0))

    def lists_of(self, persona: Persona) -> frozenset[str]:
        """The lists a persona stands in, by their id or one of their addresses."""
        email, phone = persona.attributes.get("email"), persona.attributes.get("phone")
        return frozenset(name for name, people in self._lists.items() if people.name(persona.user, email, phone))

    def _read_lists(self) -> Iterator[tuple[str, Seeds]]:
        conditions = (it for segment in self.project.segments.values() for it in leaves(segment.root))
        for name in sorted({it.name for it in conditions if isinstance(it, Listed)}):
            try:
                yield name, seeds_in(people_in(name, self._files[name]))
            except ValueError as problem:
                raise ConfigError((Mistake(name, 0, 0, str(problem)),)) from None
