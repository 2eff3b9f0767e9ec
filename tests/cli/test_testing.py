"""`orchestrator test`: a line for each persona that got what was expected, the whole difference for one that did not."""

import json
import os
import pty
import re
import shutil
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import CLI, orchestrator, surroundings
from tests.config.builders import ROOT

WRONG = """\
profile: {firstName: Fay, country: DE, email: fay@example.test, consent: {offers: [email]}}
events:
  - {event: purchase, at: [2025-11-02 18:00, 2025-12-05 18:00], amount: 34.90, currency: EUR}
expect:
  - {campaign: winback, at: 2026-03-02 12:00, segment: one_time_buyers}
  - {campaign: winback, at: 2026-03-05 12:00, variant: discount, contains: code BACK15 takes 15% off}
  - {campaign: winback, at: 2026-03-02 12:00, channel: email}
  - {campaign: winback, at: 2026-03-06 12:00, nothing: repeat}
"""


@pytest.fixture
def shop(tmp_path):
    """The example's files without anybody's data."""
    for name in ("config", "templates", "lists", "personas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def write(shop, text=WRONG, name="fay"):
    (shop / "personas" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_personas_of_the_example_get_what_they_expect_and_no_store_is_made(shop):
    said = orchestrator(shop, "test")
    assert (said.code, said.err) == (0, "")
    *lines, last = said.out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in ("ada", "bo", "cy", "dana", "eli")]
    assert last == " 5 personas, 13 expectations: all met"
    assert not (shop / "data").exists()


def test_what_is_not_met_is_shown_with_its_place_what_came_and_why(shop):
    write(shop)
    said = orchestrator(shop, "test", "fay")
    assert said.code == 1
    assert said.out.splitlines() == [
        " !!  fay   2 of 4 expectations not met",
        "     personas/fay.yaml:5:5  winback at 2026-03-02 12:00",
        "       expected  segment one_time_buyers",
        "       got       segment lapsed",
        "       because   one_time_buyers says no:",
        "                   no   did purchase exactly 1 time ever   (2)",
        "                   yes  did not purchase in the last 30 days",
        "     personas/fay.yaml:6:5  winback at 2026-03-05 12:00",
        "       expected  a message",
        "       got       nothing: repeat",
        " 1 persona, 4 expectations: 2 not met",
    ]


def test_the_nearest_words_stand_under_those_that_were_expected(shop):
    write(shop, WRONG.replace("2026-03-05 12:00, v", "2026-03-02 12:00, v"))
    said = orchestrator(shop, "test", "personas/fay.yaml")
    assert "       expected  text: code BACK15 takes 15% off\n" in said.out
    assert "       nearest   text: code BACK10 takes 10% off   (in the text)\n" in said.out


def test_a_program_is_told_the_same(shop):
    write(shop)
    said = orchestrator(shop, "test", "--json")
    assert said.code == 1
    assert (said.told["passed"], said.told["failed"]) == (5, 1)
    fay = said.told["personas"][-1]
    assert (fay["persona"], fay["file"], fay["passed"]) == ("fay", "personas/fay.yaml", False)
    first = fay["expectations"][0]
    assert (first["line"], first["campaign"], first["passed"]) == (5, "winback", False)
    assert first["got"]["segment"] == "lapsed"
    assert first["got"]["messages"][0]["channel"] == "email"
    [failure] = first["failures"]
    assert (failure["what"], failure["expected"]) == ("segment", "segment one_time_buyers")
    [because] = failure["because"]
    assert [(it["holds"], it["value"]) for it in because["conditions"]] == [(False, 2), (True, None)]


def test_junit_names_every_expectation_and_holds_what_was_said(shop):
    strange = r'"code \u0001 <b> & BACK15"'
    write(shop, WRONG.replace("code BACK15 takes 15% off", strange).replace("2026-03-05", "2026-03-02"))
    said = orchestrator(shop, "test", "ada", "fay", "--junit", "out/results.xml")
    assert said.code == 1
    root = ET.parse(shop / "out" / "results.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "7", "2")
    assert [(it.get("name"), it.get("failures")) for it in root] == [("ada", "0"), ("fay", "2")]
    case = root[1][0]
    assert (case.get("classname"), case.get("file"), case.get("line")) == ("personas.fay", "personas/fay.yaml", "5")
    assert case[0].get("message") == "expected segment one_time_buyers, got segment lapsed"
    assert "did purchase exactly 1 time ever" in case[0].text
    assert root[1][1][0].get("message").startswith("expected text: code � <b> & BACK15, got ")


def test_a_junit_file_that_cannot_be_written_is_said(shop):
    (shop / "taken").write_text("")
    said = orchestrator(shop, "test", "--junit", "taken/results.xml")
    assert said.code == 1
    assert "--junit taken/results.xml: cannot be written" in said.err


def test_a_persona_nobody_knows_is_told_with_the_one_that_was_meant(shop):
    said = orchestrator(shop, "test", "adda")
    assert said.code == 2
    assert said.err == "no persona adda. Did you mean ada? There are: ada, bo, cy, dana, eli.\n"


def test_a_project_without_personas_is_well_and_says_so(shop):
    shutil.rmtree(shop / "personas")
    said = orchestrator(shop, "test")
    assert said.code == 0
    assert said.out.startswith(" no personas yet: write one to personas/NAME.yaml")
    assert orchestrator(shop, "test", "--json").told == {"personas": [], "passed": 0, "failed": 0}


def test_a_mistake_in_a_persona_stops_the_test_and_check_tells_it_but_no_other_verb_minds(shop):
    write(shop, WRONG.replace("firstName", "fristName"))
    said = orchestrator(shop, "test")
    assert (said.code, said.out) == (1, "")
    assert "personas/fay.yaml:1:11  profile: no attribute 'fristName'" in said.err
    checked = orchestrator(shop, "check")
    assert checked.code == 1
    assert "personas/fay.yaml:1:11  profile: no attribute 'fristName'" in checked.out
    assert "1 mistake in 29 files" in checked.out
    assert orchestrator(shop, "segment", "--help").code == 0
    assert orchestrator(shop, "report").code == 0


def test_a_mistake_in_a_campaign_comes_first(shop):
    file = shop / "config" / "campaigns" / "winback.yaml"
    file.write_text(file.read_text().replace("topic: offers", "topic: ofers"))
    said = orchestrator(shop, "test")
    assert said.code == 1
    assert "no topic 'ofers'" in said.err


def on_a_terminal(folder, columns, **environ):
    """What a person sees on a terminal of so many columns."""
    told = bytearray()

    def read(descriptor):
        data = os.read(descriptor, 65536)
        told.extend(data)
        return data

    pid, descriptor = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execve(CLI[0], [*CLI, "test"], {**surroundings(), "COLUMNS": str(columns), "TERM": "xterm", **environ})
    try:
        while True:
            try:
                if not read(descriptor):
                    break
            except OSError:  # the other end is gone
                break
    finally:
        os.close(descriptor)
        os.waitpid(pid, 0)
    return told.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_line_is_wider_than_the_screen_and_none_of_it_is_lost(shop, columns):
    write(shop)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", on_a_terminal(shop, columns))
    assert max(map(len, plain.splitlines())) <= columns
    assert " ".join(plain.split()) == " ".join(orchestrator(shop, "test").out.split())


def test_colours_are_for_terminals_that_want_them(shop):
    assert "\x1b[32mok" in on_a_terminal(shop, 80)
    assert "\x1b" not in on_a_terminal(shop, 80, NO_COLOR="1")
    assert "\x1b" not in orchestrator(shop, "test").out


def test_the_results_are_the_same_in_every_environment_and_on_every_day(shop):
    results = {
        json.dumps(orchestrator(shop, "test", "--json", "--env", name).told) for name in ("dev", "staging", "live")
    }
    assert len(results) == 1
