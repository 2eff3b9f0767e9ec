"""The commands of the README and of the tutorial, run as they are written: installed from a checkout, in an empty folder."""

import re
import subprocess

import pytest

from tests.docs.checkout import a_checkout, surroundings
from tests.docs.pages import ROOT, blocks

LONGEST = 600
"""Seconds a page may take: the tutorial waits for a full minute of the clock, and sends slowly on purpose."""
ENDS_WHAT_IT_STARTED = """\
set -euo pipefail
set -m
trap 'for job in $(jobs -p); do kill -9 -- "-$job" 2>/dev/null || true; done' EXIT
"""


def script(page):
    """Every shell command of a page, in order."""
    return "".join(block.text for block in blocks(page, "sh"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A checkout with the README's first block run in it.

    Libraries come from where the tests have theirs; everything else of the block happens: an environment of its own, the
    package built and installed in it.
    """
    checkout = a_checkout(tmp_path_factory.mktemp("documents"))
    run(checkout, blocks("README.md", "sh")[0].text)
    return checkout


def run(folder, commands):
    """What bash says when it runs these commands; an error with all of it if one of them fails."""
    done = subprocess.run(
        ["bash", "-c", ENDS_WHAT_IT_STARTED + commands],
        cwd=folder,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def the_rest_of(page):
    """The commands after installing, which every page begins with in the same words."""
    first, *rest = blocks(page, "sh")
    assert first.text == blocks("README.md", "sh")[0].text
    return 'export PATH="$PWD/.venv/bin:$PATH"\n' + "".join(block.text for block in rest)


def test_the_commands_of_the_readme_do_what_they_say(installed, tmp_path):
    (tmp_path / ".venv").symlink_to(installed / ".venv")
    said = run(tmp_path, the_rest_of("README.md"))
    assert "no mistake" in said
    assert "would get a message now" in said
    assert (tmp_path / "shop" / "data" / "ledger.db").exists()


def test_the_tutorial_ends_with_everybody_accounted_for_and_no_message_twice(installed, tmp_path):
    (tmp_path / ".venv").symlink_to(installed / ".venv")
    said = run(tmp_path, the_rest_of("docs/tutorial.md"))
    assert "Did you mean 'visitors'?" in said
    assert "check found it" in said
    assert re.search(r"email\s+accepted\s+1\d\d", said)
    assert said.split()[-1] == "0"


def test_the_two_commands_of_the_readme_are_run_where_every_change_is():
    [first] = [block for block in blocks("README.md", "") if "make" in block.text]
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    for line in first.text.splitlines():
        assert line.partition("#")[0].strip() in gate
