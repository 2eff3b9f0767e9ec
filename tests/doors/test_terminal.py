"""The first hour in a terminal: the README's commands, typed from an empty folder, and the screens they leave at three widths."""

import json
import os
import re
from dataclasses import dataclass

import httpx
import pytest

from tests.docs.checkout import a_checkout, surroundings
from tests.docs.pages import blocks
from tests.doors.essentials import PLAN, SCREENS
from tests.doors.keyboard import Terminal, plain, too_wide
from tests.mail import a_free_port

WIDTHS = (80, 60, 200)
PAGES = [[line for line in block.text.splitlines() if line.strip()] for block in blocks("README.md", "sh")]
INSTALLING, *FOLLOWING = PAGES
FIRST_HOUR = [command for page in FOLLOWING for command in page]
LEFT = {"orchestrator preview new_in --as u001": "ctrl-c ends it"}
"""Commands that stay until somebody ends them, and the words they stay with."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout, installed as the README says; and what that said."""
    folder = a_checkout(tmp_path_factory.mktemp("checkout"))
    with Terminal(folder, WIDTHS[0], surroundings()) as terminal:
        said = {command: terminal.type(command) for command in INSTALLING}
    return folder, said


@pytest.fixture(scope="module", params=WIDTHS)
def hour(request, checkout, tmp_path_factory):
    """A terminal in which the first hour was played, and the screen of every command."""
    empty = tmp_path_factory.mktemp("hour")
    with in_a_shell(empty, checkout, request.param) as terminal:
        yield terminal, {command: typed(terminal, command) for command in FIRST_HOUR}, empty / "shop"


@pytest.fixture
def shop(checkout, tmp_path):
    """A new project of the test's own, and a terminal in it."""
    with in_a_shell(tmp_path, checkout, WIDTHS[0]) as terminal:
        typed(terminal, "orchestrator init shop")
        typed(terminal, "cd shop")
        yield terminal, tmp_path / "shop"


def in_a_shell(folder, checkout, columns):
    """A terminal in a folder, with the command that was installed."""
    own = {
        name: value for name, value in surroundings().items() if name not in {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}
    }
    return Terminal(folder, columns, {**own, "PATH": f"{checkout[0]}/.venv/bin{os.pathsep}{own['PATH']}"})


def typed(terminal, command):
    """The screen of a command; one that stays is ended with ctrl-c."""
    terminal.begin(command)
    if command in LEFT:
        terminal.wait_for(LEFT[command])
        terminal.interrupt()
    return terminal.end()


def missing(patterns, lines):
    """The first essential line that is not there, looked for in order; empty if all are."""
    rest = iter(" " * line.startswith(" ") + " ".join(line.split()) for line in lines)
    return next((pattern for pattern in patterns if not any(re.search(pattern, line) for line in rest)), "")


def missing_words(patterns, text):
    """The same where a terminal may be too narrow for a line: its words are there, in order."""
    for pattern in patterns:
        found = re.search(pattern.removeprefix("^").removesuffix("$").strip(), text)
        if found is None:
            return pattern
        text = text[found.end() :]
    return ""


def test_every_command_of_the_readme_is_played():
    assert list(SCREENS) == [*INSTALLING, *FIRST_HOUR]


def test_it_is_installed_as_the_readme_says(checkout):
    _, said = checkout
    assert {command: seen.code for command, seen in said.items()} == dict.fromkeys(INSTALLING, 0)
    assert [missing(SCREENS[command], seen.lines) for command, seen in said.items()] == [""] * len(INSTALLING)


def test_every_screen_has_its_essential_lines(hour):
    terminal, screens, _ = hour
    for command, seen in screens.items():
        assert seen.code == 0, (command, seen.lines)
        assert missing_words(SCREENS[command], seen.text) == "", (command, seen.lines)
        if terminal.columns == max(WIDTHS):
            assert missing(SCREENS[command], seen.lines) == "", (command, seen.lines)


def test_no_word_is_torn_by_the_edge_of_the_terminal(hour):
    terminal, screens, _ = hour
    assert [line for seen in screens.values() for line in too_wide(seen, terminal.columns)] == []


def test_nothing_is_left_over_of_what_only_moved(hour):
    _, screens, _ = hour
    left = [line for seen in screens.values() for line in seen.lines if re.search("[━█⠋⠙⠹⠸]|Traceback|Warning", line)]
    assert left == []


@dataclass(frozen=True)
class Counted:
    """Numbers of people as a screen has them; `nothing` by reason, in the screen's order and words."""

    people: int
    reached: int
    waiting: int
    nothing: dict[str, int]


def table_of(screen):
    """The numbers of a plan, and some people for each reason to get nothing."""
    found = re.findall(r"^ +(\S.*?) {2,}[^\w\s]?([\d,]+)(?: |$)", "\n".join(screen.written), re.MULTILINE)
    numbers = {label: int(number.replace(",", "")) for label, number in found}
    assert numbers["nothing, because"] == sum(numbers[reason] for reason in REASONS)
    return Counted(
        numbers["in the audience"],
        numbers["would get a message now"],
        numbers["later: quiet hours"],
        {reason: numbers[reason] for reason in REASONS},
    )


def sentence_of(screen):
    """The numbers of a run, as one sentence has them."""
    people, reached, waiting, _, reasons = re.search(SENTENCE, screen.text).groups()
    nothing = {reason: int(number) for reason, number in re.findall(r"(\D+) (\d+)(?:, )?", reasons)}
    return Counted(int(people), int(reached), int(waiting), nothing)


SENTENCE = r"(\d+) people: reached (\d+) · waiting (\d+) · nothing (\d+) \(([^)]+)\)"
REASONS = {
    "no consent for offers": "no consent",
    "no push and no e-mail address": "no address",
    "every address is stopped": "suppressed",
}
"""The words of a plan, and those of a run."""


def test_every_screen_counts_the_same_people(hour):
    terminal, screens, shop = hour
    sent, reported = (
        sentence_of(screens["orchestrator send new_in --yes"]),
        sentence_of(screens["orchestrator report new_in"]),
    )
    assert sent == reported
    for command in ("orchestrator plan new_in", "orchestrator send new_in --yes"):
        table = table_of(screens[command])
        # Somebody's quiet hours may end between two screens: then they are reached and do not wait.
        assert (table.people, table.reached + table.waiting) == (sent.people, sent.reached + sent.waiting)
        assert {REASONS[label]: number for label, number in table.nothing.items()} == sent.nothing
        assert table.people == table.reached + table.waiting + sum(table.nothing.values())

    messages = [
        json.loads(line) for file in (shop / "data" / "sink").iterdir() for line in file.read_text().splitlines()
    ]
    assert len({message["user"] for message in messages}) == len(messages) == sent.reached
    assert " got it: " in why(terminal, messages[0]["user"])
    for label, reason in REASONS.items():
        [somebody] = re.search(rf"{label} \d+ for example (u\d+)", screens["orchestrator plan new_in"].text).groups()
        assert f" got nothing: {reason}" in why(terminal, somebody)


ONCE = pytest.mark.parametrize("hour", WIDTHS[:1], indirect=True)
"""What has nothing to do with a width is looked at in one."""


def why(terminal, somebody):
    """Their story with the campaign."""
    return terminal.type(f"orchestrator why new_in {somebody}").text


def test_send_asks_for_the_number_of_people_and_takes_no_other_answer(shop):
    terminal, folder = shop
    question = "Type the number of people in the audience (192) to send, anything else to stop:"
    for answer in ("y", "191", ""):
        terminal.begin("orchestrator send new_in")
        terminal.answer(question, answer)
        if not answer:  # an empty line is no answer: it is asked again
            terminal.wait_for("to stop: ")
            terminal.interrupt()
        stopped = terminal.end()
        said = " ".join(stopped.text.split())
        assert stopped.code == (1 if answer else 130)
        assert "stopped; nothing was sent" in said
        assert ("asked for is the number of people in the audience, 192" in said) is answer.isdecimal()
        assert too_wide(stopped, terminal.columns) == []
    assert not (folder / "data" / "sink").exists()

    terminal.begin("orchestrator send new_in")
    terminal.answer(question, "192")
    sent = terminal.end()
    assert sent.code == 0
    assert missing_words(PLAN, sent.text) == ""
    assert sentence_of(sent).people == 192
    assert (folder / "data" / "sink").exists()


@ONCE
def test_a_pipe_gets_the_same_words_without_a_terminal_around_them(hour):
    terminal, screens, shop = hour
    for command in ("orchestrator report new_in", "orchestrator why new_in u001", "orchestrator test"):
        assert terminal.type(f"{command} > told.txt").code == 0
        text = (shop / "told.txt").read_text(encoding="utf-8")
        assert plain(text)
        assert text.split() == screens[command].text.split()


@ONCE
def test_colours_are_for_those_who_want_them(hour):
    terminal, screens, _ = hour
    assert "green" in screens["orchestrator test"].colours
    assert "red" in terminal.type("orchestrator today").colours
    for command in ("orchestrator test", "orchestrator today", "orchestrator check"):
        assert terminal.type(f"NO_COLOR=1 {command}").colours == set()
    assert terminal.type("NO_COLOR=1 orchestrator test").lines == screens["orchestrator test"].lines


def test_a_mistake_is_named_and_fits_the_terminal(hour):
    terminal, _, _ = hour
    for command, said in {
        "orchestrator plan new_inn": "no campaign new_inn. Did you mean new_in? There are: new_in, welcome_back, winback.",
        "orchestrator why new_in nobody@example.test": "nobody@example.test",
        "orchestrator run new_in": "serve",
    }.items():
        seen = terminal.type(command)
        assert seen.code == 2, seen.lines
        assert said in seen.text
        assert too_wide(seen, terminal.columns) == []


def test_the_daemon_ends_well_at_ctrl_c(hour):
    terminal, _, _ = hour
    port = a_free_port()
    terminal.begin(f"orchestrator serve --port {port}")
    terminal.wait_for("config.taken")
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").json()["well"]
    terminal.interrupt()
    seen = terminal.end()
    assert seen.code == 0
    assert "^C" in seen.lines, seen.lines
    assert seen.lines[-1].endswith("daemon.stopped")
    assert not [line for line in seen.lines if "Traceback" in line or "KeyboardInterrupt" in line]
    assert too_wide(seen, terminal.columns) == []
    assert "daemon none runs" in terminal.type("orchestrator status").text
