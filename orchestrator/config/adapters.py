"""What each installed adapter declares, loaded only when a project names it."""

from collections.abc import Iterator, Mapping
from functools import cache

from orchestrator.core.errors import OrchestratorError
from orchestrator.providers import Credentials, Declaration, declaration_for, registry


class Installed(Mapping[str, Declaration]):
    """The declaration of every adapter installed when this was made; OrchestratorError for one that cannot be loaded."""

    def __init__(self) -> None:
        self._names = registry.names()
        self._loaded: dict[str, Declaration] = {}

    def __getitem__(self, name: str) -> Declaration:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = registry.provider(name).declaration
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@cache
def installed_adapters() -> Mapping[str, Declaration]:
    """Our own adapters, and those that other packages bring along; looked for once, which takes 10 ms."""
    return Installed()


def objection(adapter: str, credentials: Credentials) -> tuple[str, str]:
    """Which setting the adapter cannot work with, and why: found without a network. Empty texts if all are well.

    The setting is empty where the trouble is no single one's.
    """
    found = registry.provider(adapter)
    try:
        declaration_for(found, credentials)
    except OrchestratorError as problem:
        text = str(problem).removeprefix(f"{adapter}: ")
        setting, _, rest = text.partition(": ")
        known = {one.name for one in found.declaration.settings}
        return (setting, rest) if setting in known else ("", text)
    return "", ""
