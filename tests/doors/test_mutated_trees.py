"""A thousand broken projects: check names every mistake with its place, never crashes, never carries anything out, never takes long.

The seeds are fixed, so a tree that fails can be made again by its number. `make prove` checks all of them, which takes eight
minutes of a processor; `make test` the first three hundred.
"""

import os
import random
import time

import pytest

from orchestrator import checking, config
from tests.config.builders import the_example

TREES, TOGETHER = 1000 if os.environ.get("ORCHESTRATOR_PROVE") else 300, 100
LONGEST = 5.0
"""Seconds of the processor that checking one tree may take."""
PIECES = (
    "{", "}", "[", "]", ":", ": ", "- ", "#", '"', "'", "|", ">", "&a ", "*a", "!x ", "%", "@", "\n", "\n  ", "\t", "{{", "}}",
    "{% if %}", "{% for x in y %}", "{{ x.y }}", "${", "${env:X}", "~", "0", "null", "?", ",", "---\n", "\x00", "é", "\u2028",
    "9" * 30, "1e999", "true", "- - - ", "<<: ", "<mj-text>", "</mjml>", "../../etc/passwd", "last month", "NO", "10:00",
)  # fmt: skip


def mutated(number: int) -> dict[str, bytes]:
    """The example, with one to four things done to its files."""
    dice = random.Random(number)
    files = the_example()
    for _ in range(dice.randint(1, 4)):
        file = dice.choice(sorted(files))
        dice.choice(MUTATIONS)(dice, files, file)
    return files


def noise(dice, files, file):
    text = files[file].decode("utf-8", "replace")
    start = dice.randint(0, len(text))
    files[file] = (text[:start] + dice.choice(PIECES) + text[start + dice.randint(0, 12) :]).encode()


def a_line(dice, files, file):
    """A line is lost, doubled, moved, or stands further in."""
    lines = files[file].split(b"\n")
    at = dice.randrange(len(lines))
    what = dice.choice(["lost", "doubled", "moved", "further in", "less far in"])
    line = lines.pop(at)
    if what == "doubled":
        lines[at:at] = [line, line]
    elif what == "moved":
        lines.insert(dice.randint(0, len(lines)), line)
    elif what != "lost":
        lines.insert(at, b"  " + line if what == "further in" else line.removeprefix(b"  "))
    files[file] = b"\n".join(lines)


def cut_off(dice, files, file):
    files[file] = files[file][: dice.randint(0, len(files[file]))]


def any_bytes(dice, files, file):
    files[file] = dice.randbytes(dice.randint(0, 200))


def gone(dice, files, file):
    del files[file]


def mistaken_for_another(dice, files, file):
    files[file] = files[dice.choice(sorted(files))]


def renamed(dice, files, file):
    stem, dot, ending = file.rpartition(".")
    at = dice.randrange(len(stem))
    files[stem[:at] + stem[at + 1 :] + dot + ending] = files.pop(file)


MUTATIONS = (noise, noise, a_line, a_line, cut_off, any_bytes, gone, mistaken_for_another, renamed)


@pytest.mark.parametrize("first", range(0, TREES, TOGETHER))
def test_whatever_is_done_to_a_tree_check_names_the_place_and_comes_to_an_end(first):
    broken = 0
    for number in range(first, first + TOGETHER):
        files = mutated(number)
        began = time.process_time() + sum(os.times()[2:4])
        found = checking.mistakes(config.load(files, "live"))
        assert time.process_time() + sum(os.times()[2:4]) - began < LONGEST, f"tree {number}"
        broken += bool(found)
        for mistake in found:
            assert mistake.file, f"tree {number}"
            assert mistake.text, f"tree {number}"
            lines = files.get(mistake.file, b"").count(b"\n") + 1
            assert 0 <= mistake.line <= lines + 1, f"tree {number}: {mistake}"
            assert (mistake.column > 0) == (mistake.line > 0), f"tree {number}: {mistake}"
    assert broken > TOGETHER / 2
