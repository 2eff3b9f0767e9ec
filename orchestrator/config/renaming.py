"""Campaigns that have another name than before: which of those that are new is one of those that are gone."""

from collections import Counter
from collections.abc import Mapping

from orchestrator.config.reading import CAMPAIGNS, Files

ALIKE = 0.5
"""The share of a campaign's file that must be the same: git's own measure of a rename."""


def renamed_campaigns(before: Files, after: Files) -> Mapping[str, str]:
    """For each campaign with a new name the old one: of two files alike one is gone and one is new.

    Where several would do, those that are most alike belong together, then those whose templates are.
    """
    gone, new = (
        sorted(path for path in one if path.startswith(CAMPAIGNS) and path not in other)
        for one, other in ((before, after), (after, before))
    )
    pairs = []
    for old in gone:
        for path in new:
            like = likeness(before[old], after[path])
            if like >= ALIKE:
                pairs.append((-like, -likeness(_templates(before, old), _templates(after, path)), old, path))
    found: dict[str, str] = {}
    for _, _, old, path in sorted(pairs):
        if _name(path) not in found and _name(old) not in found.values():
            found[_name(path)] = _name(old)
    return found


def counterpart(path: str, renamed: Mapping[str, str]) -> str:
    """Where a file of a renamed campaign stood before; the same path for every other file."""
    for new, old in renamed.items():
        if path == f"{CAMPAIGNS}{new}.yaml":
            return f"{CAMPAIGNS}{old}.yaml"
        if path.startswith(f"templates/{new}/"):
            return f"templates/{old}/{path.removeprefix(f'templates/{new}/')}"
    return path


def likeness(one: bytes, other: bytes) -> float:
    """The share of the longer of two texts whose lines are in both."""
    if one == other:
        return 1.0
    shared = Counter(one.splitlines(keepends=True)) & Counter(other.splitlines(keepends=True))
    return sum(len(line) * many for line, many in shared.items()) / max(len(one), len(other))


def _templates(files: Files, campaign: str) -> bytes:
    folder = f"templates/{_name(campaign)}/"
    return b"".join(content for path, content in sorted(files.items()) if path.startswith(folder))


def _name(path: str) -> str:
    return path.removeprefix(CAMPAIGNS).removesuffix(".yaml")
