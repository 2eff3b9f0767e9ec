"""Audiences by URL: `duckdb:` is our own store, any other an engine of somebody's that is only read."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.audience.reader import Reader
from orchestrator.audience.store import OURS, Audience
from orchestrator.core.foreign import Foreign
from orchestrator.core.segments.tree import Catalogue


def open_audience(
    url: str, root: Path, known: Catalogue, foreign: Foreign | None = None, give_up: Callable[[], bool] | None = None
) -> Reader:
    """The audience at a URL, its tables as `foreign` shows them or shaped like ours; StoreError for a URL of no known kind."""
    if url.partition(":")[0] == OURS:
        return Audience.open(url, root, known.attributes, give_up)
    from orchestrator.audience.warehouse import warehouse  # noqa: PLC0415 - most projects need no other engine

    return warehouse(url, root, known, foreign)
