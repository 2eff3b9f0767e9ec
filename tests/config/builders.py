"""Projects for the tests of config: the example as it stands in the repository, and the example with a slip of the pen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from orchestrator.config import Files, Loaded, load, read_tree

ROOT = Path(__file__).parents[2]
WINBACK, WELCOME, NEW_IN = (f"config/campaigns/{name}.yaml" for name in ("winback", "welcome_back", "new_in"))
SETTINGS, DATA = "config/orchestrator.yaml", "config/data.yaml"
VIPS, STAFF, LAPSED = (f"config/segments/{name}.yaml" for name in ("lapsed_vips", "staff", "lapsed"))


@cache
def _example() -> Files:
    return read_tree(ROOT)


@dataclass(frozen=True)
class Given:
    """A machine on which just these secrets are set."""

    variables: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)

    def env(self, name: str) -> str | None:
        return self.variables.get(name)

    def file(self, path: str) -> str | None:
        return self.contents.get(path)


def all_secrets(value: str = "a secret") -> Given:
    """A machine on which every secret of the example is set, to something its providers can work with."""
    names = re.findall(r"\$\{env:(\w+)\}", _example()[SETTINGS].decode())
    usable = {"PUSH_URL": f"https://push.shop.example/{value}", "PUSH_SECRET": "whsec_" + "A" * 44}
    return Given({**dict.fromkeys(names, value), **usable})


def the_example() -> dict[str, bytes]:
    """The files of the example project."""
    return dict(_example())


def with_edit(file: str, old: str, new: str, files: Files | None = None) -> dict[str, bytes]:
    """The example with the first `old` of a file replaced by `new`; an error if the file does not say `old`."""
    changed = dict(files or _example())
    text = changed[file].decode()
    assert old in text, f"{file} does not say {old!r}"
    changed[file] = text.replace(old, new, 1).encode()
    return changed


def with_file(file: str, content: str | bytes) -> dict[str, bytes]:
    """The example with one more file, or another content of one."""
    return {**_example(), file: content if isinstance(content, bytes) else content.encode()}


def without_file(file: str) -> dict[str, bytes]:
    """The example without a file."""
    return {name: content for name, content in _example().items() if name != file}


def said(files: Files, environment: str = "live") -> str:
    """Everything that is said about these files."""
    return "\n".join(str(mistake) for mistake in load(files, environment).mistakes)


def loaded(files: Files, environment: str = "live") -> Loaded:
    """The project, which has no mistake."""
    found = load(files, environment)
    assert found.project is not None, said(files, environment)
    return found
