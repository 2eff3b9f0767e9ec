"""The reference, written from what the product itself declares: `python -m docs.generate`, or `make docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import commands, configuration, imports, ledger, metrics, providers, segments, templates

REFERENCE = Path(__file__).parents[1] / "reference"
COMMAND = "make docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration.page,
    "segments.md": segments.page,
    "templates.md": templates.page,
    "import.md": imports.page,
    "commands.md": commands.page,
    "states-and-reasons.md": ledger.page,
    "providers.md": providers.page,
    "metrics.md": metrics.page,
}


def pages() -> dict[str, str]:
    """Every page of the reference by its file's name, as it should stand."""
    said = f"<!-- Written by `{COMMAND}` from the product's own declarations: change it there, not here. -->"
    return {name: f"{said}\n\n{page().strip()}\n" for name, page in PAGES.items()}
