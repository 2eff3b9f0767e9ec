"""Rules of the house that no linter knows: reason words stand in one place, every file says what lives in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.reasons import Reason

HOUSE = Path(__file__).parent.parent / "orchestrator"
FILES = sorted(path for path in HOUSE.rglob("*.py") if "migrations/versions" not in path.as_posix())
REASONS = HOUSE / "core" / "reasons.py"

ALSO_OTHER_WORDS = {
    "address_gone": "an outcome of a provider (core/outcomes.py), as the story of an attempt tells it",
    "cancelled": "the state of a run",
    "holdout": "a key of an experiment, a column of a delivery and a salt",
    "project_holdout": "a key of the settings",
    "quiet_hours": "a key of a campaign",
    "ramp": "a key of an experiment",
    "repeat": "a key of a campaign",
    "left": "a kind of join in SQL, and one of the engine's answers about a member (core/facts.py)",
    "converted": "one of the engine's answers about a member (core/facts.py)",
    "wave": "the moment a shard of an own-time-zone run opens",
    "late": "an ordinary adjective",
    "busy": "a code of SQLite",
    "suppressed": "a state of an address",
    "refused": "a no in a column of consent",
}
"""Reasons that are words of another vocabulary too, where they mean something else."""


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string of a file with its line, docstrings left out: they are prose."""
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def reason_words(source: str) -> list[tuple[int, str]]:
    """Reason words that stand as a string of their own, or quoted inside a longer one such as SQL."""
    words = {str(reason) for reason in Reason} - set(ALSO_OTHER_WORDS)
    quoted = re.compile(r"'(" + "|".join(words) + r")'")
    return [(line, text) for line, text in strings(ast.parse(source)) if text in words or quoted.search(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_reason_words_stand_in_one_place_only(path):
    if path != REASONS:
        assert reason_words(path.read_text()) == [], "say it with orchestrator.core.reasons.Reason"


def test_the_rule_about_reason_words_sees_what_it_forbids():
    assert sorted(reason_words("skip('capped')\nsql = \"reason = 'no_consent'\"")) == [
        (1, "capped"),
        (2, "reason = 'no_consent'"),
    ]
    assert reason_words('"""capped"""\nskip(Reason.CAPPED)') == []
    assert set(ALSO_OTHER_WORDS) <= set(Reason)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_the_first_line_of_a_file_says_what_lives_there(path):
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said, "begin with a line a marketer could follow"
    assert len(said.splitlines()[0]) > 20
