"""`import --replace`: nobody goes without a word, and where somebody can be asked, they are."""

import json
import os
import pty
import subprocess

import pytest

from tests.cli.conftest import CLI, Said, orchestrator, surroundings


@pytest.fixture
def file(shop):
    """A file of these people, of those that `init` invented."""

    def write(kept):
        path = shop / "everybody.jsonl"
        lines = (shop / "data/example/profiles.jsonl").read_text().splitlines()
        path.write_text("".join(f"{line}\n" for line in lines[:kept]))
        return path.name

    return write


def count(shop):
    found = orchestrator(shop, "import", "profiles", "data/example/profiles.jsonl", "--json").told[0]
    return 200 - found["new"]


def at_a_terminal(shop, typed, *words):
    """The same call with a terminal to type into."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        done = subprocess.run(
            [*CLI, *words], cwd=shop, stdin=theirs, capture_output=True, text=True, check=False, env=surroundings()
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return Said(done.returncode, done.stdout, done.stderr)


def test_a_torn_file_is_refused_and_the_answer_says_what_to_do(shop, file):
    name = file(3)
    with (shop / name).open("a") as lines:
        lines.write('{"user_id": "u9')
    said = orchestrator(shop, "import", "profiles", name, "--replace")
    assert (said.code, said.out) == (1, "")
    assert "nothing was changed: 1 of its 4 rows cannot be taken" in said.err
    assert "everybody-1.csv" in said.err
    assert (shop / "data/rejects/everybody-1.csv").read_text().count("\n") == 2
    assert count(shop) == 200
    said = orchestrator(shop, "import", "profiles", name, "--replace", "--yes")
    assert (said.code, "197 removed" in said.out, "1 rejected" in said.out) == (0, True, True)


def test_more_than_half_goes_only_with_yes_where_nobody_can_be_asked(shop, file):
    for words in ((), ("--json",)):
        said = orchestrator(shop, "import", "profiles", file(99), "--replace", *words)
        assert (said.code, said.out) == (1, "")
        assert "101 of 200 people are not in it and would go; say --yes" in said.err
    said = orchestrator(shop, "import", "profiles", file(100), "--replace", "--json")
    assert (said.code, said.told[0]["removed"]) == (0, 100)
    said = orchestrator(shop, "import", "profiles", file(3), "--replace", "--yes", "--json")
    assert (said.code, said.told[0]["removed"]) == (0, 97)
    assert count(shop) == 3


@pytest.mark.parametrize(("typed", "code", "left"), [("50\n", 0, 150), ("y\n", 1, 200), ("200\n", 1, 200)])
def test_at_a_terminal_the_number_of_who_goes_has_to_be_typed(shop, file, typed, code, left):
    said = at_a_terminal(shop, typed, "import", "profiles", file(150), "--replace")
    assert said.code == code, said.err
    assert "Type the number of people that are not in the file (50) to remove them" in said.out
    assert ("stopped; nothing was changed" in said.err) is bool(code)
    assert ("50 removed" in said.out) is not bool(code)
    assert count(shop) == left


def test_nobody_is_asked_where_nobody_goes_or_with_yes_or_by_a_program(shop, file):
    for kept, words in ((200, ()), (190, ("--yes",)), (180, ("--json",))):
        said = at_a_terminal(shop, "", "import", "profiles", file(kept), "--replace", *words)
        assert (said.code, "Type the number" in said.out) == (0, False), said.err


def test_events_are_counted_by_themselves(shop):
    lines = (shop / "data/example/events.jsonl").read_text().splitlines()
    (shop / "did.jsonl").write_text("".join(f"{line}\n" for line in lines[1:]))
    [told] = orchestrator(shop, "import", "events", "did.jsonl", "--replace", "--json").told
    assert (told["rows"], told["new"], told["removed"]) == (len(lines) - 1, 0, 1)


def test_two_files_cannot_both_be_the_whole_truth(shop, file):
    said = orchestrator(shop, "import", "profiles", file(200), file(200), "--replace")
    assert (said.code, "--replace takes one file" in said.err) == (2, True)


def test_an_import_without_replace_says_in_json_that_nobody_went(shop, file):
    assert json.loads(orchestrator(shop, "import", "profiles", file(3), "--json").out)[0]["removed"] == 0
