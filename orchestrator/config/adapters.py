"""Which adapters are installed: our own, one file each in providers/, and others by entry point; what each one declares."""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points

from orchestrator import providers
from orchestrator.providers import Declaration


@lru_cache(maxsize=1)
def installed_adapters() -> Mapping[str, Declaration]:
    """The declaration of every installed adapter by its name; our own cannot be replaced by somebody else's."""
    found = {entry.name: entry.load().declaration for entry in entry_points(group="orchestrator.providers")}
    found.update({declaration.name: declaration for declaration in _own()})
    return found


def _own() -> Iterator[Declaration]:
    for module in pkgutil.iter_modules(providers.__path__):
        for thing in vars(import_module(f"{providers.__name__}.{module.name}")).values():
            declaration = getattr(thing, "declaration", None)
            if isinstance(thing, type) and isinstance(declaration, Declaration):
                yield declaration
