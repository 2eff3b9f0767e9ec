"""The quick way of reading a file says what the whole of YAML says, or nothing at all."""

import random

import pytest

from orchestrator.config.quick import quick
from orchestrator.config.sheets import _Reading
from tests.config.builders import ROOT

FILES = sorted(
    path for folder in ("config", "personas", "templates", "benchmarks") for path in (ROOT / folder).rglob("*.yaml")
)
LETTERS = " \n:-{}[],#'\"&*!|>%@?0a:~.\t\r\\é<="


def as_yaml(text):
    """What the reader of YAML makes of a text, None where it finds a slip or cannot read it."""
    reading = _Reading(0)
    try:
        root = reading.document(text)
    except Exception:  # noqa: BLE001 - whatever it says, it is not a clean file
        return None
    return None if reading.slips else root


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_our_own_files_are_read_the_quick_way_and_alike(path):
    text = path.read_text(encoding="utf-8")
    found = quick(text, 0)
    assert found is not None
    assert found == as_yaml(text)


def mutated(dice, text):
    letters = list(text)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(letters))
        match dice.randrange(4):
            case 0:
                letters[at:at] = dice.choice(LETTERS)
            case 1:
                del letters[at]
            case 2:
                letters[at] = dice.choice(LETTERS)
            case _:
                other = dice.randrange(len(letters))
                letters[at], letters[other] = letters[other], letters[at]
    return "".join(letters)


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_slips_is_read_alike_or_left_to_yaml(seed):
    dice = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    told = 0
    for _ in range(600):
        text = mutated(dice, dice.choice(texts))
        found = quick(text, 0)
        if found is not None:
            told += 1
            assert found == as_yaml(text), text
    assert told > 150


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n",
        "a: {}\nb: []\n",
        "a:\n- p\n- q\nb: z\n",
        "a:\n  - b: 1\n    c: [1, {d: e}]\n  - 'quoted # text'\n",
        "a: b # comment\n\n# another\nc: d#e f\n",
        'a: "x: y"   \nb: it\'s {fine} [here], too\n',
        'a: {url: https://x.test/a, at: 2026-01-10 12:00, "k": v}\n',
        "a: 2026-03-02T10:00+01:00\nb: Zürich, €129 🙂\n",
    ],
)
def test_what_people_write_is_read_the_quick_way(text):
    found = quick(text, 0)
    assert found is not None
    assert found == as_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "# nothing\n", "- a\n", "--- \na: b\n", "a: b\n--- \nc: d\n", "a: |\n  text\n", "a: >\n  text\n", "a: &x b\nc: *x\n",
        "a: !!str b\n", "a: b\n  goes on\n", "a: 'it''s'\n", 'a: "b\\n"\n', "a: NO\n", "a: 10:00\n", "a: 0123\n", "a:\n", "a: ~\n",
        "a: 1\na: 2\n", "1: a\n", "a: {b: 1, b: 2}\n", "a: {b}\n", "a: [b,]\n", "a: {b:\n  1}\n", "a:\tb\n", "a: b: c\n", "? a\n: b\n",
        "a:\n    b: 1\n  c: 2\n", "a: [1, 2\n", "a: b]\n\tc: d\n", "%YAML 1.1\na: b\n", "a: - b\n", "yes: 1\n", "a: \xa0b\n",
    ],
)  # fmt: skip
def test_whatever_is_not_plainly_clean_is_left_to_yaml(text):
    found = quick(text, 0)
    assert found is None or found == as_yaml(text)
    if text != "a: b]\n\tc: d\n":
        assert found is None


def test_lines_count_from_where_the_file_begins():
    assert quick("a: b\n", 7).line == 8
