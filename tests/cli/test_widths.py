"""Screens fit the terminal they are on: no line is longer than it is wide, no word is torn, no colour where none is wanted."""

import json
import re
import shutil
import signal
import subprocess

import pytest
import yaml

from orchestrator.cli import reviewing
from orchestrator.cli.screen import Column, Line, Section, beside, fit, fitted, leading, many, table
from tests.cli.conftest import CLI, orchestrator, surroundings
from tests.cli.terminal import on_a_terminal

VERBS = (("today",), ("status",), ("report",), ("report", "new_in"), ("plan", "new_in"))
LOOKS = (
    ("segment", "show", "lapsed_vips", "-a", "country"),
    ("segment", "explain", "lapsed_vips", "USER"),
    ("segment", "funnel", "lapsed_vips"),
    ("segment", "diff", "lapsed_vips", "--between", "2026-01-01T10:00+01:00", "2026-01-31T10:00+01:00"),
    ("segment", "overlap", "lapsed_vips", "visitors", "lapsed", "one_time_buyers"),
    ("segment", "sample", "lapsed_vips"),
    ("segment", "discover", "--goal", "purchase"),
    ("doctor",),
    ("preview", "winback", "--as", "USER", "--no-open"),
    ("why", "new_in", "USER"),
    ("show", "new_in", "--user", "USER"),
)
"""USER: somebody who is in both campaigns."""


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


@pytest.fixture(scope="module")
def user(busy):
    return orchestrator(busy, "segment", "sample", "lapsed_vips", "-n", "1").out.strip()


def words_of(lines):
    """The words on a screen; bars are no words, and shorter on a narrow one."""
    return {word for word in " ".join(lines).replace("…", " ").split() if word.strip("█")}


def too_wide(lines, columns):
    """Lines that are wider than the terminal, but for a link or a path that no line can hold, beside its label at most."""
    return [line for line in lines if len(line) > columns and len(line.split()) > 2]


@pytest.mark.parametrize("words", [*VERBS, *LOOKS], ids=" ".join)
def test_no_line_is_torn_at_any_width(busy, user, words):
    words = [user if word == "USER" else word for word in words]
    plain = orchestrator(busy, *words)
    assert plain.code == (1 if words == ["doctor"] else 0), plain.err
    for columns in (60, 80, 200):
        screen = on_a_terminal(busy, *words, columns=columns)
        assert screen.code == plain.code
        assert too_wide(screen.lines, columns) == []
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


def test_numbers_of_a_segment_stand_in_their_columns_beside_broken_sentences(busy):
    told = orchestrator(busy, "segment", "show", "lapsed_vips", "--json").told
    sentences = [one["sentence"] for one in told["conditions"]]
    [long] = [one for one in sentences if len(one) > 100]
    assert [line for line in orchestrator(busy, "segment", "show", "lapsed_vips").out.splitlines() if long in line]
    lines = on_a_terminal(busy, "segment", "show", "lapsed_vips", columns=60).lines
    [head] = [line for line in lines if line.split() == ["alone", "left"]]
    firsts = [begins(lines, one) for one in told["conditions"]]
    assert {len(line) for line in firsts} == {len(head)}
    assert [line.split()[-1] for line in firsts] == [str(one["left"]) for one in told["conditions"]]


def begins(lines, condition):
    """The first line of a condition."""
    return next(line for line in lines if line.startswith(f"   {' '.join(condition['sentence'].split()[:3])}"))


def test_an_explanation_says_each_condition_once(busy, user):
    told = orchestrator(busy, "segment", "explain", "lapsed_vips", user, "--json").told
    lines = orchestrator(busy, "segment", "explain", "lapsed_vips", user).out.splitlines()
    assert [len([line for line in lines if one["sentence"] in line]) for one in told["tree"]["parts"]] == [1] * 6
    assert not any(told["tree"]["sentence"] in line for line in lines)
    assert [line[3:8] for line in lines[1:7]] == ["yes  " if one["holds"] else "no   " for one in told["tree"]["parts"]]
    assert "   yes  is not in staff\n      no   at least one of these\n         no   email ends with" in "\n".join(
        lines
    )


def test_a_rule_that_was_found_can_be_pasted_from_a_narrow_terminal(busy):
    found = orchestrator(busy, "segment", "discover", "--goal", "purchase", "-n", "1", "--json").told
    narrow = on_a_terminal(busy, "segment", "discover", "--goal", "purchase", "-n", "1", columns=60).lines
    assert yaml.safe_load("\n".join(narrow)) == found["rules"][0]["segment"]
    assert len(narrow) > len(
        orchestrator(busy, "segment", "discover", "--goal", "purchase", "-n", "1").out.splitlines()
    )


def test_where_nobody_is_in_a_segment_no_line_is_taken_for_an_id(busy, tmp_path):
    shop = shutil.copytree(busy, tmp_path / "shop")
    (shop / "config/segments/nobody.yaml").write_text("about: Nobody\nall:\n  - {event: purchase, at_least: 1000}\n")
    said = orchestrator(shop, "segment", "sample", "nobody")
    assert (said.code, said.out, said.err) == (0, "", "nobody is in it\n")


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


def test_what_stands_beside_a_label_goes_on_below_itself():
    left = [Line(" to   ")]
    assert texts(beside(left, "some words that may be broken", 26)) == [
        " to   some words that may",
        "      be broken",
    ]
    assert texts(beside(left, "some words that may be broken", None)) == [" to   some words that may be broken"]
    assert texts(beside(left, "", 26)) == [" to"]


def test_a_command_is_whole_wherever_it_stands():
    assert texts(leading(" look:", "orchestrator report new_in", 40)) == [" look: orchestrator report new_in"]
    assert texts(leading(" look:", "orchestrator report new_in", 30)) == [" look:", "   orchestrator report new_in"]


def test_a_broken_cell_goes_on_to_the_right_where_it_is_told_to():
    columns = [Column("", wraps=True, hang=2), Column("left", right=True)]
    assert texts(table(columns, [["some words that may be broken", "1,204"]], 24).lines) == [
        f"{'left':>24}",
        " some words that   1,204",
        "   may be broken",
    ]


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
    assert "new_in" in [run["campaign"] for run in looks[1]["runs"]]


@pytest.mark.parametrize("columns", [60, 80])
def test_the_numbers_of_a_run_add_up_on_a_narrow_screen_too(busy, columns):
    [run, *_] = orchestrator(busy, "status", "--json").told["runs"]
    people = run["people"]
    lines = on_a_terminal(busy, "status", columns=columns).lines
    words = " ".join(lines[next(at for at, line in enumerate(lines) if "RUNS UNDER WAY" in line) :])
    nothing = sum(one["people"] for one in people["nothing"]) + people["holdout"]
    assert people["reached"] + people["waiting"] + nothing + people["failed"] + people["in_doubt"] == people["people"]
    for name, number in (("people", people["people"]), ("nothing", nothing), ("waiting", people["waiting"])):
        assert name in words
        assert re.search(rf"\b{number:,}\b", words)
    assert "next" in words


@pytest.mark.parametrize("columns", [60, 80])
def test_an_import_tears_no_path_and_counts_one_row_as_one(busy, tmp_path, columns):
    file = tmp_path / "newsletter_people_of_the_spring.csv"
    file.write_text("user,email\na,nobody\n")
    screen = on_a_terminal(busy, "import", "profiles", str(file), columns=columns)
    shown = [line for line in screen.lines if "rejects/" in line]
    assert len(shown) == 1
    assert shown[0].rstrip().endswith(".csv")
    assert any("· 1 row ·" in line for line in screen.lines)


def test_lines_of_a_difference_are_broken_between_words_and_keep_their_mark(monkeypatch, capsys):
    monkeypatch.setattr(reviewing, "width", lambda: 40)
    reviewing._tell_lines(["-Linen shirts and the return of the rain boots", "+Coats"])
    assert capsys.readouterr().out.splitlines() == [
        "     -Linen shirts and the return of the",
        "       rain boots",
        "     +Coats",
    ]


def test_a_number_of_things_is_said_as_people_say_it():
    assert [many(number, "shard") for number in (0, 1, 2000)] == ["0 shards", "1 shard", "2,000 shards"]
