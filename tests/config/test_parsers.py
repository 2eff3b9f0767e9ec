"""libyaml tells of a file what ruamel's parser tells, or it is not listened to."""

import random

import pytest
import yaml

from orchestrator.config import parsers
from orchestrator.config.sheets import _Reading, clean, read_sheet
from tests.config.builders import ROOT

FILES = sorted(
    path for folder in ("config", "personas", "templates", "benchmarks") for path in (ROOT / folder).rglob("*.yaml")
)
# What our own files have little of: blocks of text, quotes over several lines, anchors, lists in lists.
RARE = """\
---
text: >-
  Dear {{ name }},
  welcome.

   as it stands

  bye
literal: |
  a
    b

"quoted": "two
  lines\\n \\u20ac \\
  more"
single: 'it''s

  here'
plain: it goes
  on # and ends
'both': &both {x: 1, more: [1, 2], "z":3}
again: *both
list:
- - a
  -   b
-
  - {c: d}
- [
   e, https://x.test/?f=g,
  ]
"""
LETTERS = " \n:-{}[],#'\"&*!|>%@?0a:~.\t\r\\é<=\u2028\x85\ufeff"
PIECES = [
    *LETTERS, "\n  ", "\n\n", " # c\n", "? ", ": ", "&a ", "*a", "! ", "|+\n  a\n\n", ">#\n  a\n", "|2\n   a\n", "|\n \n  a\n", "---\n", "...\n",
    "''", "{a:b}", '{"a":b}', "{a}", "[a: b]", "[? a]", "<<: ", "?a", "-a", ":a", "[:]", "%YAML 1.1\n---\n", " \n \n",
]  # fmt: skip


def as_ruamel_tells(text):
    """The tree of a text as ruamel's parser tells it, None where there is a slip or no reading it at all."""
    reading = _Reading(0)
    try:
        root = reading.document(parsers.ruamel(text))
    except Exception:  # noqa: BLE001 - whatever it says, it is not a clean file
        return None
    return None if reading.slips else root


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_our_own_files_are_told_by_libyaml_and_alike(path):
    text = path.read_text(encoding="utf-8")
    found = clean(text, 0)
    assert found is not None
    assert found == as_ruamel_tells(text)


def mutated(dice, text):
    letters = list(text)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(letters))
        match dice.randrange(4):
            case 0:
                letters[at:at] = dice.choice(PIECES)
            case 1:
                del letters[at]
            case 2:
                letters[at] = dice.choice(PIECES)
            case _:
                other = dice.randrange(len(letters))
                letters[at], letters[other] = letters[other], letters[at]
    return "".join(letters)


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_slips_is_told_alike_or_left_to_ruamel(seed):
    dice = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    told = 0
    for _ in range(1000):
        text = mutated(dice, dice.choice([dice.choice(texts), RARE]))
        found = clean(text, 0)
        if found is not None:
            told += 1
            assert found == as_ruamel_tells(text), text
    assert told > 200


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
        "--- \na: b\n...\n",
        "a: |\n  text\n\n   # more\nb: >-\n  folded\n  text\n",
        "a: &x b\nc: *x\nd: &y {e: 1}\nf: *y\n",
        "a: goes\n  on\nb: 'it''s\n\n  here'\nc: \"\\u20ac\\n\\\n  x\"\n",
        "? a\n: b\nc: [d,]\n",
        "- a\n-   - b\n- {c: d}\n",
        RARE,
    ],
)
def test_what_people_write_is_told_by_libyaml_and_alike(text):
    found = clean(text, 0)
    assert found is not None
    assert found == as_ruamel_tells(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "# nothing\n", "a: b\n--- \nc: d\n", "a: !!str b\n", "a: ! b\n", "a: *x\n", "a: &x:y b\n", "a: NO\n", "a: 10:00\n", "a: 0123\n", "a:\n",
        "a: ~\n", "a: 1\na: 2\n", "1: a\n", "a: {b: 1, b: 2}\n", "a: {b}\n", "a: b: c\n", "a:\n    b: 1\n  c: 2\n", "a: [1, 2\n",
        "a: - b\n", "yes: 1\n", "a: {{ b }}\n", "a: \x00b\n", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "a: &x [*x]\n",
        "a:\tb\n", "a: b\r\n", "a: b\x85c: d\n", "a: b\u2028c: d\n", "a: b\ufeff\n", "%YAML 1.1\n---\na: b\n",
        "a: ># c\n  b\n", "a: |-  # c\n  b\n", "a: |+ \n \n  b\n",
    ],
)  # fmt: skip
def test_a_slip_and_whatever_the_two_take_differently_is_left_to_ruamel(text):
    assert clean(text, 0) is None


def test_lines_count_from_where_the_file_begins():
    assert clean("a: b\n", 7).line == 8


def test_where_libyaml_is_not_built_in_ruamel_reads_everything(monkeypatch):
    """PyYAML built from its source, on a machine that lacks libyaml, comes without it."""
    file, content = "here.yaml", RARE.encode()
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert clean(RARE, 0) is None
    alone = read_sheet.__wrapped__(file, content)
    monkeypatch.undo()
    assert alone == read_sheet.__wrapped__(file, content)
    assert alone[0].value["again"] == {"x": 1, "more": [1, 2], "z": 3}
