"""What a change does, against a revision of a real repository: people in and out, messages before and after, and the report."""

import re
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from orchestrator.cli.pictures import find_browser
from tests.cli.conftest import CLI, inside, surroundings
from tests.config.test_revisions import commit, git

NO_BROWSER = {"ORCHESTRATOR_CHROMIUM": "/nowhere/chromium"}
VIPS = "config/segments/lapsed_vips.yaml"
MAIL = "templates/winback/lapsed_vips/email.mjml"


@pytest.fixture
def repository(shop):
    """The shop in git, its campaign winback open to everybody at any hour until long after."""
    path = shop / "config" / "campaigns" / "winback.yaml"
    text = re.sub(r"  ramp:.*\n", "", path.read_text()).replace("end: 2030-06-30", "end: 2999-06-30")
    path.write_text(text)
    git(shop, "init", "-q", "-b", "main")
    commit(shop)
    return shop


def edit(shop, name, old, new):
    path = shop / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_segment_is_told_in_words_and_in_people(repository):
    before = {one: count(repository, one) for one in ("lapsed_vips", "one_time_buyers")}
    edit(repository, VIPS, "over: 200", "over: 20")
    edit(repository, "config/segments/one_time_buyers.yaml", ", exactly: 1", "")
    told = inside(repository, "plan", "--diff", "HEAD", "--json").told
    after = {one: count(repository, one) for one in before}
    for name, change in told["segments"].items():
        assert (change["before"], change["after"]) == (before[name], after[name])
        assert change["after"] - change["before"] == change["entered"] - change["left"]
    assert told["segments"]["one_time_buyers"]["entered"] > 20
    words = {one["file"]: one["words"] for one in told["files"]}
    assert words[VIPS] == ["purchase over 200 → over 20"]
    (winback,) = told["campaigns"]
    assert winback["campaign"] == "winback"
    said = inside(repository, "plan", "--diff", "HEAD").out
    assert "winback   changed: segment lapsed_vips (purchase over 200 → over 20), segment one_time_buyers (" in said
    numbers = told["segments"]["one_time_buyers"]
    assert f"{numbers['before']} → {numbers['after']}   people   +{numbers['entered']}" in said


def count(shop, segment):
    return inside(shop, "segment", "count", segment, "--json").told["people"]


def test_the_numbers_of_both_sides_are_those_of_their_plans(repository):
    before = inside(repository, "plan", "winback", "--json").told
    edit(repository, "config/campaigns/winback.yaml", "holdout: 10%", "holdout: 80%")
    edit(repository, "config/campaigns/winback.yaml", "[push, email]", "[email, push]")
    after = inside(repository, "plan", "winback", "--json").told
    (winback,) = inside(repository, "plan", "--diff", "HEAD", "--json").told["campaigns"]
    for name, plan in (("before", before), ("after", after)):
        assert winback[name] == {"people": plan["people"], "reached": plan["reached"], "channels": plan["channels"]}
    assert winback["audience"]["entered"] == winback["audience"]["left"] == 0
    assert before["reached"] > 2 * after["reached"]
    assert "times smaller" in inside(repository, "plan", "--diff", "HEAD").out


def test_a_message_is_shown_before_and_after_for_one_person(repository):
    edit(repository, MAIL, "Still thinking it over?", "Changed your mind?")
    told = inside(repository, "plan", "--diff", "main", "--json").told
    messages = [one for campaign in told["campaigns"] for one in campaign["messages"]]
    assert {(one["channel"], one["segment"]) for one in messages} == {("email", "lapsed_vips")}
    assert {one["variant"] for one in messages} == {"reminder", "discount"}
    for one in messages:
        assert {"-Still thinking it over?", "+Changed your mind?"} < set(one["difference"])
    user = messages[0]["user"]
    only = inside(repository, "plan", "--diff", "main", "--as", user, "--json").told["campaigns"][0]["messages"]
    assert {one["user"] for one in only} == {user}
    refused = inside(repository, "plan", "--diff", "main", "--as", "nobody")
    assert (refused.code, "nobody is not in the audience of winback" in refused.err) == (2, True)


def test_pushes_and_in_app_messages_are_shown_whole_as_their_readers_see_them(repository, tmp_path):
    edit(repository, "templates/new_in/_default/push.yaml", "New this week", "New today")
    edit(repository, "templates/welcome_back/_default/in_app.yaml", "label: Not now", "label: Later")
    report = tmp_path / "report.md"
    said = inside(repository, "plan", "--diff", "HEAD", "--report", str(report)).out
    for text, indent in ((said, "     "), (report.read_text(), "")):
        lines = text.splitlines()
        start = next(place for place, line in enumerate(lines) if line.startswith(f"{indent}-Title: New this week, "))
        name = lines[start].rpartition(", ")[2]
        assert lines[start + 1 : start + 4] == [
            f"{indent}+Title: New today, {name}",
            f"{indent} Body: Linen shirts, canvas bags and the return of the rain boots.",
            f"{indent} Link: shop://new",
        ]
        assert f"{indent}-Buttons 2: label: Not now · dismiss: yes" in lines
        assert f"{indent}+Buttons 2: label: Later · dismiss: yes" in lines
        assert f"{indent} Image: https://img.shop.example/bag.png" in lines
        assert not any(line.strip().startswith(("{", '"')) for line in lines), "no JSON"


def test_only_what_the_change_concerns_is_asked_about(repository):
    edit(repository, "templates/new_in/_default/push.yaml", "New this week", "New today")
    told = inside(repository, "plan", "--diff", "HEAD", "--json").told
    assert [one["campaign"] for one in told["campaigns"]] == ["new_in"]
    assert told["segments"] == {}
    same = inside(repository, "plan", "--diff", "HEAD", "winback").out
    assert "changed besides: template new_in/_default/push.yaml (+1 −1 lines)" in same  # noqa: RUF001 - a minus sign in front of a number people read
    git(repository, "checkout", "-q", ".")
    assert "no file is different" in inside(repository, "plan", "--diff", "HEAD").out


def test_a_change_of_comments_moves_nobody_and_says_so(repository):
    edit(repository, "config/campaigns/new_in.yaml", "about:", "# by hand\nabout:")
    said = inside(repository, "plan", "--diff", "HEAD").out
    assert "changed besides: campaign new_in (only comments, order of keys or layout)" in said


def test_a_list_of_another_content_is_asked_about_in_both_versions(repository):
    before = count(repository, "staff")
    users = inside(repository, "segment", "sample", "visitors", "-n", "20", "--json").told["users"]
    path = repository / "lists" / "contractors.csv"
    header = path.read_text().splitlines()[0]
    path.write_text("user_id\n" + "\n".join(users) + "\n")
    told = inside(repository, "plan", "--diff", "HEAD", "--json").told
    after = count(repository, "staff")
    change = told["segments"]["staff"]
    assert (change["before"], change["after"]) == (before, after)
    assert after > before, header
    new_in = next(one for one in told["campaigns"] if one["campaign"] == "new_in")
    assert new_in["audience"]["left"] > 0
    assert path.read_text().startswith("user_id\n"), "the working copy stays as it is"


def test_new_and_gone_campaigns_and_segments_count_from_and_to_nobody(repository):
    (repository / "config/segments/austrians.yaml").write_text("about: x\nall:\n  - {attribute: country, is: AT}\n")
    text = (repository / "config/campaigns/new_in.yaml").read_text()
    (repository / "config/campaigns/hello.yaml").write_text(text.replace("[visitors]", "[austrians]"))
    shutil.copytree(repository / "templates/new_in", repository / "templates/hello")
    (repository / "config/campaigns/welcome_back.yaml").unlink()
    shutil.rmtree(repository / "templates/welcome_back")
    told = inside(repository, "plan", "--diff", "HEAD", "--json").told
    how = {one["campaign"]: one["how"] for one in told["campaigns"]}
    assert how == {"hello": "new", "welcome_back": "gone"}
    assert told["segments"]["austrians"] == {
        "before": 0, "after": count(repository, "austrians"), "entered": count(repository, "austrians"), "left": 0,
    }  # fmt: skip
    by_name = {one["campaign"]: one for one in told["campaigns"]}
    assert by_name["hello"]["before"] is None
    assert by_name["welcome_back"]["after"] is None
    assert by_name["welcome_back"]["audience"]["after"] == 0
    assert {one["channel"] for one in by_name["hello"]["messages"]} == {"push", "email"}
    said = inside(repository, "plan", "--diff", "HEAD").out
    assert "hello   is new: " in said
    assert "welcome_back   is gone" in said


def rename(repository, old, new):
    (repository / f"config/campaigns/{old}.yaml").rename(repository / f"config/campaigns/{new}.yaml")
    (repository / f"templates/{old}").rename(repository / f"templates/{new}")


def test_a_renamed_campaign_is_compared_with_what_it_was_and_its_memory_is_told(repository, tmp_path):
    sent = inside(repository, "send", "new_in", "--yes", "--json")
    assert sent.code == 0, sent.err
    assert inside(repository, "pause", "new_in").code == 0
    before = inside(repository, "plan", "new_in", "--json").told
    had_it = sum(one["people"] for one in before["nothing"] if one["reason"] == "repeat")
    assert had_it > 20
    rename(repository, "new_in", "fresh")
    edit(repository, "templates/fresh/_default/push.yaml", "New this week", "New today")
    report = tmp_path / "report.md"
    told = inside(repository, "plan", "--diff", "HEAD", "--report", str(report), "--json").told
    (fresh,) = told["campaigns"]
    assert (fresh["campaign"], fresh["how"], fresh["renamed_from"]) == ("fresh", "renamed", "new_in")
    assert fresh["audience"]["entered"] == fresh["audience"]["left"] == 0
    assert (fresh["before"]["people"], fresh["before"]["reached"]) == (before["people"], before["reached"])
    after = inside(repository, "plan", "fresh", "--json").told
    assert fresh["after"]["reached"] == after["reached"]
    assert not any(one["reason"] == "repeat" for one in after["nothing"]), "the ledger knows a campaign by its name"
    assert fresh["meaning"]["repeat"].startswith(f"begins anew: {had_it} people of the next run had it from new_in")
    assert "experiment" not in fresh["meaning"]
    assert "new_in is paused, fresh is not" in fresh["meaning"]["pause"]
    assert fresh["meaning"]["caps"].startswith("stay: ")
    assert {one["file"] for one in told["files"]} == {
        "config/campaigns/fresh.yaml", "templates/fresh/_default/push.yaml", "templates/fresh/_default/email.mjml",
    }  # fmt: skip
    changed = [one["difference"][:2] for one in fresh["messages"]]
    assert [[line.partition(",")[0] for line in pair] for pair in changed] == [
        ["-Title: New this week", "+Title: New today"]
    ]
    said = inside(repository, "plan", "--diff", "HEAD").out
    headline = "fresh   is renamed from new_in; changed: template _default/push.yaml (+1 −1 lines)"  # noqa: RUF001 - a minus sign in front of a number people read
    for text in (said, report.read_text().replace("\\", "")):
        assert f"{had_it} people of the next run had it from new_in" in text
        assert "new_in did stays with that name" in text
    assert headline in said
    assert "Renamed from `new_in`." in report.read_text()


def test_without_people_a_rename_is_told_and_its_templates_are_held_against_the_old_ones(repository):
    shutil.rmtree(repository / "data")
    rename(repository, "winback", "come_back")
    edit(repository, MAIL.replace("winback", "come_back"), "Still thinking it over?", "Changed your mind?")
    told = inside(repository, "plan", "--diff", "HEAD", "--json").told
    (one,) = told["campaigns"]
    assert (one["how"], one["renamed_from"]) == ("renamed", "winback")
    assert list(one["sources"]) == [MAIL.replace("winback", "come_back")]
    assert {"-  title: Still thinking it over?", "+  title: Changed your mind?"} < set(*one["sources"].values())
    assert one["meaning"]["repeat"] == "begins anew: who had it from winback can get it again (repeat: after 90 days)"
    assert "`salt: winback`" in one["meaning"]["experiment"]


def test_a_draft_that_goes_live_says_so_in_words(repository):
    edit(repository, "config/campaigns/winback.yaml", "state: live", "state: draft")
    commit(repository)
    edit(repository, "config/campaigns/winback.yaml", "state: draft", "state: live")
    said = inside(repository, "plan", "--diff", "HEAD").out
    assert "campaign winback (state: draft → live)" in said


def test_a_revision_with_mistakes_is_named_with_them_and_people_are_those_of_now(repository):
    edit(repository, "config/campaigns/new_in.yaml", "[visitors]", "[visitorss]")
    commit(repository)
    edit(repository, "config/campaigns/new_in.yaml", "[visitorss]", "[visitors]")
    answer = inside(repository, "plan", "--diff", "HEAD")
    assert answer.code == 0
    assert "HEAD cannot be read: 1 mistake in its files, so there is no before" in answer.out
    assert "no segment 'visitorss'" in answer.out
    now = inside(repository, "plan", "new_in", "--json").told
    told = inside(repository, "plan", "--diff", "HEAD", "--json").told
    (new_in,) = told["campaigns"]
    assert (new_in["before"], new_in["after"]["reached"]) == (None, now["reached"])
    assert len(told["mistakes"]) == 1
    edit(repository, "config/campaigns/new_in.yaml", "[visitors]", "[visitorsss]")
    assert inside(repository, "plan", "--diff", "HEAD").code == 1, "mistakes of now are mistakes"


def test_without_people_there_are_words_and_lines_of_templates(repository, tmp_path):
    shutil.rmtree(repository / "data")
    edit(repository, MAIL, "Still thinking it over?", "Changed your mind?")
    edit(repository, VIPS, "over: 200", "over: 20")
    report = tmp_path / "out" / "report.md"
    answer = inside(repository, "plan", "--diff", "HEAD", "--report", str(report))
    assert answer.code == 0
    assert "nobody could be asked" in answer.out
    assert str(repository / "data") in answer.out
    assert "/orchestrator-" not in answer.out, "no word of folders that are gone"
    for text in (answer.out, report.read_text()):
        assert "purchase over 200 → over 20" in text
        assert "+  title: Changed your mind?" in text


def test_the_stores_and_the_folder_stay_as_they_are(repository):
    edit(repository, VIPS, "over: 200", "over: 20")
    inside(repository, "plan", "winback")
    files = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file() and path.suffix != ".db-shm"}
    status = git(repository, "status", "--porcelain")
    assert inside(repository, "plan", "--diff", "HEAD").code == 0
    after = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file() and path.suffix != ".db-shm"}
    assert {path for path in files | after if files.get(path) != after.get(path)} == set()
    assert git(repository, "status", "--porcelain") == status


def test_the_report_is_markdown_that_says_the_same(repository, tmp_path):
    edit(repository, VIPS, "over: 200", "over: 20")
    edit(repository, MAIL, "Still thinking it over?", "Changed your mind? ``` | <b> *x*")
    report = tmp_path / "report.md"
    told = inside(repository, "plan", "--diff", "HEAD", "--report", str(report), "--json", environ=NO_BROWSER).told
    assert (told["report"], told["pictures"]) == (str(report), [])
    text = report.read_text()
    (winback,) = told["campaigns"]
    row = f"| would get a message | {winback['before']['reached']:,} | {winback['after']['reached']:,} |"
    assert row in text
    assert "- segment `lapsed_vips`: purchase over 200 → over 20" in text
    assert "There are no pictures here: no Chromium was found on this machine" in text
    fences = re.findall(r"^(`{3,})", text, re.MULTILINE)
    assert len(fences) == 2 * len(winback["messages"])
    assert all(len(fence) > 3 for fence in fences), "a fence in a message ends nothing"
    assert not list(tmp_path.glob("*pictures"))


@pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine")
def test_pictures_stand_beside_the_report(repository, tmp_path):
    edit(repository, MAIL, "Still thinking it over?", "Changed your mind?")
    for path in (repository / "templates").rglob("*.mjml"):
        path.write_text(re.sub(r"<mj-image[^>]*/>", "", path.read_text()))
    report = tmp_path / "a b" / "report.md"
    user = inside(repository, "plan", "--diff", "HEAD", "--json").told["campaigns"][0]["messages"][0]["user"]
    told = inside(repository, "plan", "--diff", "HEAD", "--as", user, "--report", str(report), "--json").told
    places = re.findall(r"!\[(\w+)\]\(([^)]+)\)", report.read_text())
    shown = [(name, report.parent / place) for name, place in places if user in place]
    assert {name for name, _ in shown} == {"before", "after", "difference"}
    for _, path in shown:
        assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert len({path.read_bytes() for _, path in shown}) == len(shown)
    assert sorted(told["pictures"]) == sorted({str(path) for _, path in shown})


def test_a_report_that_cannot_be_written_says_so(repository, tmp_path):
    (tmp_path / "file").write_text("")
    answer = inside(repository, "plan", "--diff", "HEAD", "--report", str(tmp_path / "file" / "report.md"))
    assert (answer.code, "cannot be written" in answer.err, "Traceback" in answer.err) == (1, True, False)


def test_the_workflow_of_init_writes_the_report_that_it_posts(repository, tmp_path):
    workflow = YAML(typ="safe").load((repository / ".github" / "workflows" / "campaigns.yml").read_text())
    review = workflow["jobs"]["review"]
    (line,) = [step["run"] for step in review["steps"] if "plan --diff" in step.get("run", "")]
    edit(repository, VIPS, "over: 200", "over: 20")
    home = repository / ".venv" / "bin"
    home.mkdir(parents=True)
    verb = home / "orchestrator"
    verb.write_text(f"#!/bin/sh\nexec {CLI[0]} -c '{CLI[2]}' \"$@\"\n")
    verb.chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", line], cwd=repository, env={**surroundings(), **NO_BROWSER, "BASE": "main"}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "purchase over 200 → over 20" in (repository / "report" / "campaigns.md").read_text()
    uploads = [step["with"]["path"] for step in review["steps"] if "upload-artifact" in step.get("uses", "")]
    assert uploads == ["report"]
    assert workflow["permissions"]["pull-requests"] == "write"
    assert "head.repo.full_name == github.repository" in review["if"], "no stranger's files beside one's people"
