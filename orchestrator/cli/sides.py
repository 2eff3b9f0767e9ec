"""Both versions of the files, ready to be asked about the same people: the revision laid out beside today's stores."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import app, bundles
from orchestrator.audience.changes import Change, Version, change, relisted
from orchestrator.cli.rehearsing import Bed
from orchestrator.config import FOLDERS, Versions
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, Purpose, Seal
from orchestrator.rendering import RenderChild

_NOW = "now/"
"""Where lists that differ stand beside those of the revision, for as long as both are asked about."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both versions, ready to be asked about: a folder with the revision's files beside today's stores."""

    after: app.Opened
    before: app.Opened | None
    ledger: Ledger
    child: RenderChild
    seal: Seal
    relisted: dict[str, str]
    """Lists that differ: as segments name them, and where today's stand in the folder."""
    root: Path
    versions: Versions

    @classmethod
    @contextmanager
    def open(cls, opened: app.Opened, versions: Versions, root: Path, now: Instant) -> "Iterator[Sides]":
        with ExitStack() as stack:
            lists = _lay_out(opened.root, root, versions)
            before = None
            if versions.before is not None:
                before = app.Opened(root, versions.before, versions.files_before, opened.secrets)
            # The child is forked before there are threads or databases here.
            child = stack.enter_context(RenderChild())
            ledger = opened.ledger()
            stack.callback(ledger.close)
            yield cls(opened, before, ledger, child, ledger.seal(Purpose.UNSUBSCRIBE, now), lists, root, versions)

    def bed(self, opened: app.Opened, campaign: str) -> Bed:
        """What it takes to rehearse a campaign of one version."""
        prepared = bundles.prepared(opened.project, opened.files, campaign, self.seal, self.child)
        return Bed(opened, self.ledger, prepared, self.child)

    def change(self, before: Segment | None, after: Segment | None, at: Instant) -> Change:
        """How a segment, or an audience, changes between the versions."""
        project = self.versions.after
        segments = {name: relisted(one, self.relisted) for name, one in project.segments.items()}
        then = self.versions.before or project
        reader = app.audience(replace(self.after, root=self.root))
        return change(
            reader,
            Version(before, Moment(at, then.settings.time_zone, then.segments)),
            Version(
                None if after is None else relisted(after, self.relisted),
                Moment(at, project.settings.time_zone, segments),
            ),
        )


def _lay_out(root: Path, folder: Path, versions: Versions) -> dict[str, str]:
    """Write the revision's files into a folder, beside links to all else there is in the project; which lists differ."""
    for entry in root.iterdir():
        if entry.name not in {*FOLDERS, ".git"}:
            (folder / entry.name).symlink_to(entry)
    files = versions.files_before if versions.before is not None else versions.files_after
    differing: dict[str, str] = {}
    for path, content in files.items():
        _write(folder / path, content)
    for path, content in versions.files_after.items():
        if path.startswith("lists/") and files.get(path) != content:
            differing[path] = f"{_NOW}{path}"
            _write(folder / differing[path], content)
    return differing


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
