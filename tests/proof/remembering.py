"""Verdicts that hold are remembered with the files they held for, so that a long proof can be stopped and goes on later."""

import json
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from tests.proof.cases import Case, Result
from tests.proof.history import Verdict
from tests.proof.product import ROOT

_CONCERNED = ("orchestrator", "tests/proof")


def fingerprint(root: Path = ROOT) -> str:
    """The hash of everything a verdict depends on: the product, the proof itself, and the interpreter's version."""
    hashed = sha256(sys.version.encode())
    for path in sorted(found for folder in _CONCERNED for found in (root / folder).rglob("*") if found.is_file()):
        if "__pycache__" not in path.parts:
            hashed.update(f"{path.relative_to(root)}\0".encode())
            hashed.update(sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


class Memory:
    """A folder with one file for each case that held; None remembers nothing."""

    def __init__(self, folder: Path | None, held_for: str | None = None) -> None:
        self.folder = folder
        self.held_for = held_for or fingerprint()

    def recall(self, case: Case) -> Result | None:
        """What came of a case with these very files, if it held."""
        path = self._path(case)
        if path is None or not path.is_file():
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("held_for") != self.held_for:
            return None
        verdict = Verdict(**{**found.pop("verdict"), "lies": {}})
        return Result(**{**found, "case": case, "verdict": verdict})

    def keep(self, result: Result) -> None:
        """Remember a result that holds; one that does not is to be seen again."""
        path = self._path(result.case)
        if path is not None and result.holds:
            path.parent.mkdir(parents=True, exist_ok=True)
            told = json.dumps({"held_for": self.held_for, **asdict(result)}, indent=1)
            path.write_text(told + "\n", encoding="utf-8")

    def _path(self, case: Case) -> Path | None:
        named = sha256(json.dumps(asdict(case), sort_keys=True).encode()).hexdigest()[:8]
        name = f"{case.store}-{case.door}-{case.policy}-{case.signal}-{named}.json"
        return self.folder / name if self.folder else None
