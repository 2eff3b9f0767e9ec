"""What each installed adapter declares, loaded only when a project names it."""

from collections.abc import Iterator, Mapping

from orchestrator.providers import Declaration, registry


class Installed(Mapping[str, Declaration]):
    """The declaration of every installed adapter by its name; OrchestratorError for one that cannot be loaded."""

    def __getitem__(self, name: str) -> Declaration:
        if name not in registry.names():
            raise KeyError(name)
        return registry.provider(name).declaration

    def __iter__(self) -> Iterator[str]:
        return iter(registry.names())

    def __len__(self) -> int:
        return len(registry.names())


def installed_adapters() -> Mapping[str, Declaration]:
    """Our own adapters, and those that other packages bring along."""
    return Installed()
