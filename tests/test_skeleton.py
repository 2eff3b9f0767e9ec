"""What the project promises of itself as a package: its names, its bounds, its two commands, its licence, its strictness."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGE, TOOLS = PROJECT["project"], PROJECT["tool"]
EXTRAS = [line for extra in PACKAGE["optional-dependencies"].values() for line in extra]
SOURCES = sorted(
    path for folder in ("orchestrator", "tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py")
)


def test_the_distribution_has_its_name_and_the_command_two():
    assert PACKAGE["name"] == "messaging-orchestrator"
    assert PACKAGE["requires-python"] == ">=3.11"
    assert {"orchestrator", "orc"} <= set(PACKAGE["scripts"])
    assert PACKAGE["scripts"]["orchestrator"] == PACKAGE["scripts"]["orc"] == "orchestrator.cli:main"


@pytest.mark.parametrize("line", [*PACKAGE["dependencies"], *EXTRAS])
def test_every_dependency_has_a_lower_bound(line):
    assert any(bound.operator in {">=", "==", "~="} for bound in Requirement(line).specifier), line


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_what_the_product_imports_is_declared_and_what_is_declared_is_imported():
    owners = {
        module: {name.lower().replace("_", "-") for name in names} for module, names in packages_distributions().items()
    }
    used = {name for path in SOURCES if path.is_relative_to(ROOT / "orchestrator") for name in imported(path)}
    needed = {frozenset(owners[name]) for name in used - sys.stdlib_module_names - {"orchestrator"} if name in owners}
    postgresql = PACKAGE["optional-dependencies"]["postgresql"]
    declared = {Requirement(line).name.lower() for line in [*PACKAGE["dependencies"], *postgresql]}
    comes_along = {
        "markupsafe": "jinja2 escapes with it",
        "pydantic-core": "pydantic raises its errors",
        "sqlalchemy": "sqlmodel is made of it",
    }
    undeclared = {name for names in needed for name in names if not names & declared} - set(comes_along)
    assert undeclared == set()
    only_data = {"tzdata"}
    assert declared - {name for names in needed for name in names} - only_data == set()


def test_the_makefile_has_its_targets_and_a_change_is_held_against_two_of_them():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "lint", "bench", "prove", "docs"} <= targets
    gate = ROOT / ".ci" / "run"
    assert gate.stat().st_mode & 0o111
    assert {"make lint", "make test"} <= set(gate.read_text(encoding="utf-8").splitlines())


def test_the_licence_is_apache_2():
    assert PACKAGE["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert text.count("\n") > 190


def test_the_machine_is_as_strict_as_promised():
    assert TOOLS["pytest"]["ini_options"]["filterwarnings"][0] == "error"
    assert TOOLS["mypy"]["strict"] is True
    assert TOOLS["ruff"]["lint"]["select"] == ["ALL"]
    floors = [contract for contract in TOOLS["importlinter"]["contracts"] if contract["type"] == "layers"]
    assert all(contract["exhaustive"] for contract in floors)
    assert floors


def test_every_exception_to_the_linter_has_its_reason_beside_it():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    rules = re.findall(r'^    "([A-Z]+[0-9]*)",(.*)$', text.partition("[tool.ruff.lint]")[2], re.MULTILINE)
    assert rules
    assert [rule for rule, reason in rules if not reason.strip().startswith("# ")] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_first_exception_of_a_kind_in_a_file_says_why(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    silent, said = {}, set()
    for number, line in enumerate(lines, 1):
        if found := re.search(r"# (?:noqa: ([A-Z0-9, ]+)|type: ignore\[([a-z, -]+)\])(.*)", line):
            kinds = {kind.strip() for kind in (found[1] or found[2]).split(",")}
            if found[3].strip(" -#"):
                said |= kinds
            elif kinds - said:
                silent[number] = line.strip()
    assert silent == {}


def test_the_package_starts_without_a_warning():
    code = "import orchestrator.cli.main, orchestrator.app, orchestrator.worker, orchestrator.planner"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)
