"""`preview`: words in the terminal, a page beside them for people, and neither server nor browser for programs."""

import json
import os
import pty
import signal
import subprocess

import pytest

from tests.cli.conftest import CLI, orchestrator, surroundings
from tests.config.test_revisions import commit, git
from tests.doors.builders import rewrite, the_example_in

TILE = {
    *("channel", "segments", "variants", "locales", "files", "nothing", "mistakes", "findings", "bytes", "links"),
    *("pictures", "parts"),
}


@pytest.fixture
def files(tmp_path):
    """A project's files and nothing else: no people, no stores."""
    return the_example_in(tmp_path)


def test_made_up_values_need_no_database_and_leave_none(files):
    said = orchestrator(files, "preview", "winback", "--out", "pages")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(" made-up values · segment lapsed_vips · variant reminder · en\n")
    assert "Ada, your [product] is here" in said.out
    assert not (files / "data").exists()


def test_a_program_gets_every_message_with_what_is_said_of_it(files):
    told = orchestrator(files, "preview", "winback", "--json").told
    assert told["user"] is None
    assert [(tile["channel"], tile["variants"]) for tile in told["tiles"]] == [
        ("push", ["reminder"]), ("push", ["discount"]), ("email", ["reminder"]), ("email", ["discount"]),
        ("email", ["reminder"]), ("email", ["discount"]),
    ]  # fmt: skip
    assert all(set(tile) == TILE for tile in told["tiles"])
    assert told["tiles"][0]["findings"] == [
        {"text": "text of 52 characters; Android shows about 45 before it is opened", "wrong": False}
    ]


def test_one_file_is_written_for_machines_that_check_changes(files):
    said = orchestrator(files, "preview", "winback", "--html", "shown/page.html")
    assert said.code == 0
    assert "open shown/page.html" in said.out
    page = (files / "shown/page.html").read_text()
    assert page.count("<article") == 6
    assert "<link" not in page.partition("<article")[0]


def test_the_page_and_the_answer_name_the_commit_the_words_are_from(files):
    def looked():
        told = orchestrator(files, "preview", "winback", "--html", "page.html", "--json").told
        return told["source"], (files / "page.html").read_text()

    source, page = looked()
    assert (source, "commit" in page) == ("", False)
    git(files, "init", "-q", "-b", "main")
    head = commit(files)
    source, page = looked()
    assert source == f"commit {head[:12]}"
    assert f'<span class="env">{source}</span>' in page
    rewrite(files / "config/campaigns/winback.yaml", "about: ", "about: Once more. ")
    source, page = looked()
    assert source == f"working copy after {head[:12]}, not committed"
    assert f'<span class="env">{source}</span>' in page


def test_a_broken_template_ends_with_1_and_the_page_is_there_all_the_same(files):
    rewrite(files / "templates/winback/_default/push@discount.yaml", "| default('friend')", "| defalt('friend')")
    said = orchestrator(files, "preview", "winback", "--html", "page.html")
    assert said.code == 1
    assert "templates/winback/_default/push@discount.yaml:1:" in said.err
    assert "Did you mean default?" in said.err
    page = (files / "page.html").read_text()
    assert page.count("<article") == 6
    assert page.count('class="broken"') == 1


def test_without_a_page_a_broken_template_is_all_there_is_to_say(files):
    rewrite(files / "templates/winback/_default/push@discount.yaml", "| default('friend')", "| defalt('friend')")
    said = orchestrator(files, "preview", "winback", "--json")
    assert (said.code, said.out) == (1, "")
    assert json.loads(said.err)["mistakes"][0]["file"] == "templates/winback/_default/push@discount.yaml"


def test_a_mistake_in_another_campaign_is_not_in_the_way(files):
    (files / "templates/new_in/_default/push.yaml").write_text("title: '{{ 1 / }}'\nbody: b\n")
    assert orchestrator(files, "preview", "winback").code == 0


def test_a_page_and_an_answer_for_programs_do_not_go_together(files):
    said = orchestrator(files, "preview", "winback", "--serve", "--json")
    assert said.code == 2
    assert "choose one" in json.loads(said.err)["error"]


def test_a_file_that_cannot_be_written_is_named(files):
    (files / "taken").write_text("")
    said = orchestrator(files, "preview", "winback", "--html", "taken/page.html")
    assert said.code == 1
    assert "taken/page.html: cannot be written" in said.err


def test_links_inside_our_own_network_are_not_asked(files):
    rewrite(files / "templates/winback/_default/push.yaml", "link: shop://new", "link: http://127.0.0.1:9/x")
    rewrite(files / "templates/winback/_default/push.yaml", "https://img.shop.example/winback.jpg", "''")
    rewrite(files / "config/campaigns/winback.yaml", "{first_of: [push, email]}", "{first_of: [push]}")
    for name in (
        "_default/email.mjml",
        "_default/email@discount.mjml",
        "lapsed_vips/email.mjml",
        "lapsed_vips/email@discount.mjml",
    ):
        (files / "templates/winback" / name).unlink()
    (files / "templates/winback/_default/push@discount.yaml").write_text("title: less\n")
    assert orchestrator(files, "preview", "winback", "--links", "--html", "page.html").code == 0
    assert "not asked: 127.0.0.1" in (files / "page.html").read_text()


def test_dead_links_are_named_on_the_screen_in_the_answer_and_by_the_exit_code(files):
    rewrite(files / "templates/winback/_default/push.yaml", "link: shop://new", "link: https://nowhere.invalid/x")
    said = orchestrator(files, "preview", "winback", "--links", "--html", "page.html")
    assert said.code == 1
    [line] = [line for line in said.out.splitlines() if "https://nowhere.invalid/x" in line and "dead" in line]
    assert line.startswith("   dead: ")
    assert "asked, " in said.out
    told = orchestrator(files, "preview", "winback", "--links", "--json")
    assert told.code == 1
    pushes = [tile for tile in told.told["tiles"] if "https://nowhere.invalid/x" in tile["links"]]
    assert pushes
    for tile in pushes:
        [found] = [one for one in tile["findings"] if one["text"].startswith("https://nowhere.invalid/x: dead: ")]
        assert found["wrong"]
    assert not any(
        "dead:" in one["text"]
        for tile in orchestrator(files, "preview", "winback", "--json").told["tiles"]
        for one in tile["findings"]
    )


def test_at_a_terminal_a_browser_opens_the_page_until_ctrl_c(files, tmp_path):
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!/bin/sh\necho \"$1\" > '{tmp_path}/opened.part' && mv '{tmp_path}/opened.part' '{tmp_path}/opened'\n"
    )
    browser.chmod(0o755)
    ours, theirs = pty.openpty()
    environ = {**surroundings(), "BROWSER": str(browser)}
    with subprocess.Popen(
        [*CLI, "preview", "new_in"], cwd=files, stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    ) as process:
        os.close(theirs)
        said = b""
        while b"ctrl-c ends it" not in said:
            said += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    os.close(ours)
    [url] = [line.split()[1] for line in said.decode().splitlines() if line.startswith(" page ")]
    assert (tmp_path / "opened").read_text().strip() == url
