"""Which providers there are: those that come with the product, and those that other packages bring along."""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, TypeGuard

from orchestrator.core.errors import OrchestratorError
from orchestrator.providers import Adapter, Declaration

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "orchestrator.providers"
"""The entry-point group: the provider's name, and a class with the shape of `Adapter`."""

BUILT_IN: dict[str, str] = {
    "apns": "Apns",
    "fcm": "Fcm",
    "in_app": "InApp",
    "memory": "Memory",
    "postmark": "Postmark",
    "sendgrid": "Sendgrid",
    "ses": "Ses",
    "smtp": "Smtp",
    "twilio": "Twilio",
    "webhook": "Webhook",
    "webpush": "WebPush",
}
"""The adapters in this folder: file and class. A file is loaded when a project names its adapter."""


def _brought_along() -> "Iterable[EntryPoint]":
    from importlib.metadata import entry_points  # noqa: PLC0415 - a tenth of a second, and most projects need none

    return entry_points(group=GROUP)


def names(brought: "Iterable[EntryPoint] | None" = None) -> tuple[str, ...]:
    """Every name that `providers:` may use, in alphabetical order; nothing is loaded for it."""
    found = _brought_along() if brought is None else brought
    return tuple(sorted({*BUILT_IN, *(point.name for point in found)}))


def provider(name: str, brought: "Iterable[EntryPoint] | None" = None) -> Adapter:
    """A new adapter of this name; OrchestratorError if there is none, or if it cannot be used.

    A package cannot take a built-in provider's name: what the documents say of `smtp` must hold.
    """
    if name in BUILT_IN:
        built_in: type[Adapter] = getattr(import_module(f"orchestrator.providers.{name}"), BUILT_IN[name])
        return built_in()
    found = tuple(_brought_along() if brought is None else brought)
    points = [point for point in found if point.name == name]
    if not points:
        raise OrchestratorError(_unknown(name, names(found)))
    if len(points) > 1:
        owners = ", ".join(sorted(point.value for point in points))
        raise OrchestratorError(f"provider {name!r} is brought along twice: {owners}; remove one of the packages")
    return _load(points[0])


def _load(point: "EntryPoint") -> Adapter:
    origin = f"provider {point.name!r} ({point.value})"
    try:
        adapter = point.load()()
    except Exception as problem:  # whatever a foreign package does while it is imported
        raise OrchestratorError(f"{origin} cannot be loaded: {type(problem).__name__}: {problem}") from problem
    if not _is_adapter(adapter):
        raise OrchestratorError(f"{origin} is no adapter: it needs a declaration, build and read")
    if adapter.declaration.name != point.name:
        raise OrchestratorError(f"{origin} declares itself as {adapter.declaration.name!r}; use one name for both")
    return adapter


def _is_adapter(thing: object) -> TypeGuard[Adapter]:
    functions = all(callable(getattr(thing, name, None)) for name in ("build", "read"))
    return functions and isinstance(getattr(thing, "declaration", None), Declaration)


def _unknown(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only to help with a mistake

    close = get_close_matches(name, known, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"no provider {name!r}.{guess} There are {', '.join(known)}."
