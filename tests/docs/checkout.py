"""A copy of the checkout to install from, and the surroundings of a shell in which that needs no network."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from tests.docs.pages import ROOT

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "data", "demo", "build", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"
)


def a_checkout(folder: Path) -> Path:
    """A copy of the files as they are, without what was made of them."""
    return Path(shutil.copytree(ROOT, folder / "checkout", ignore=_LEFT_OUT))


def surroundings() -> dict[str, str]:
    """Variables of a shell: libraries come from where the tests have theirs, the package itself is built and installed."""
    told = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATOR", "VIRTUAL_ENV"))}
    return {
        **told,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{told['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
    }
