"""Screens fit the terminal they are on: no line is longer than it is wide, no word is torn, no colour where none is wanted."""

import json
import shutil
import signal
import subprocess

import pytest

from orchestrator.cli.screen import Column, Line, Section, fit, fitted, table
from tests.cli.conftest import CLI, orchestrator, surroundings
from tests.cli.terminal import on_a_terminal

VERBS = (("today",), ("status",), ("report",), ("report", "new_in"), ("plan", "new_in"))


@pytest.fixture(scope="module")
def busy(_shop, tmp_path_factory):
    """A project with a run under way, one that was stopped, and a campaign of the clock."""
    shop = shutil.copytree(_shop, tmp_path_factory.mktemp("busy") / "shop")
    path = shop / "config" / "campaigns" / "new_in.yaml"
    path.write_text(path.read_text() + "schedule: {every: day at 10:00}\n")
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    assert orchestrator(shop, "send", "winback", "--yes").code == 0
    assert orchestrator(shop, "pause", "winback").code == 0
    return shop


def words_of(lines):
    return set(" ".join(lines).replace("…", " ").split())


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_no_line_is_torn_at_any_width(busy, words):
    plain = orchestrator(busy, *words)
    assert plain.code == 0, plain.err
    for columns in (60, 80, 200):
        screen = on_a_terminal(busy, *words, columns=columns)
        assert screen.code == 0
        assert max(len(line) for line in screen.lines) <= columns, screen.lines
        moves = {word for word in words_of(screen.lines) if any(letter.isdigit() for letter in word)}
        torn = words_of(screen.lines) - words_of(plain.out.splitlines()) - moves - {"more:", "--all"}
        assert torn == set(), (columns, screen.lines)


def test_the_morning_fits_one_screen(busy):
    assert len(on_a_terminal(busy, "today", columns=80, lines=40).lines) < 40
    small = on_a_terminal(busy, "today", columns=80, lines=16)
    assert any("more: --all" in line for line in small.lines)
    whole = on_a_terminal(busy, "today", "--all", columns=80, lines=16)
    assert not any("more: --all" in line for line in whole.lines)


def test_colour_is_for_terminals_that_want_it(busy):
    assert "\x1b[33m" in on_a_terminal(busy, "today").raw
    assert "\x1b[3" not in on_a_terminal(busy, "today", NO_COLOR="1").raw
    assert "\x1b" not in on_a_terminal(busy, "today", TERM="dumb").raw
    for words in VERBS:
        assert "\x1b" not in orchestrator(busy, *words).out


def test_a_pipe_has_no_width_and_leaves_nothing_out(busy):
    [line] = [line for line in orchestrator(busy, "report").out.splitlines() if line.startswith("welcome_back")]
    assert len(line) > 100
    assert "mostly" in orchestrator(busy, "today").out


ROWS = [["winback", "some words that may be broken", "1,204"], ["new_in", "more of them", "7"]]
COLUMNS = [Column("campaign"), Column("told", wraps=True, gives_way=1), Column("people", right=True)]


def texts(lines: list[Line]):
    return [line.text for line in lines]


def test_a_column_is_broken_between_words_before_it_gives_way():
    assert texts(table(COLUMNS, ROWS, 40).lines) == [
        f" campaign  {'told':<21}  people",
        f" winback   {'some words that may':<21}   1,204",
        "           be broken",
        f" new_in    {'more of them':<21}       7",
    ]
    assert texts(table(COLUMNS, ROWS, 24).lines) == [" campaign  people", " winback    1,204", " new_in         7"]


def test_a_column_without_a_name_and_without_a_cell_is_not_there():
    columns = [Column("event"), Column("", wraps=True)]
    assert texts(table(columns, [["purchase", ""]], 40).lines) == [" event", " purchase"]
    assert texts(table(columns, [["purchase", "is late"]], 40).lines) == [" event", " purchase  is late"]


def test_where_nothing_gives_way_each_row_is_a_block():
    columns = [Column("campaign"), Column("occurrence"), Column("people", right=True)]
    rows = [["winback", "2026-03-02T10:00[Europe/Vienna]", "7"]]
    assert texts(table(columns, rows, 46).lines) == [
        " winback",
        "   occurrence  2026-03-02T10:00[Europe/Vienna]",
        "   people      7",
    ]


def test_a_long_text_goes_on_to_the_right_of_where_it_began():
    assert fitted("   ab cd ef gh", 9) == ["   ab cd", "    ef gh"]
    assert fitted("   ab cd ef gh", 8) == ["   ab cd", "    ef", "    gh"], "by no more than half of the room"
    assert fitted("   ab cd ef gh", None) == ["   ab cd ef gh"]


def test_where_there_is_no_room_the_longest_section_loses_its_last_lines():
    long = Section([Line("A")], [[Line("1"), Line("one")], [Line("2"), Line("two")], [Line("3"), Line("three")]])
    short = Section([Line("B")], [[Line("4")]])
    assert texts(fit([long, short], 8)) == ["A", "1", "one", "   … and 2 more: --all", "", "B", "4"]
    assert len(fit([Section([Line("A")], [[Line(str(n))] for n in range(99)])], None)) == 100


def test_watching_looks_again_until_ctrl_c(busy):
    command = [*CLI, "--json", "status", "--watch"]
    process = subprocess.Popen(command, cwd=busy, stdout=subprocess.PIPE, env=surroundings(), text=True)
    try:
        looks = [json.loads(process.stdout.readline()) for _ in range(2)]
    finally:
        process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert (looks[0]["messages_a_second"], looks[1]["messages_a_second"]) == (None, 0.0)
    assert looks[1]["at"] > looks[0]["at"]
    assert [run["campaign"] for run in looks[1]["runs"]] == ["new_in"]
