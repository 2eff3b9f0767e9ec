"""`orchestrator init`: a project that works at once, written beside whatever stands there and never over it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from orchestrator.cli.inventing import PEOPLE, WHAT, invent
from orchestrator.cli.workflow import source_of, workflow
from orchestrator.config import SCHEMA_OF, read_tree
from orchestrator.config.tree import PERSONAS, survey
from orchestrator.core.times import DAY, Instant
from tests.cli.conftest import orchestrator

ROOT = Path(__file__).parents[2]
NOON = Instant(1_772_452_800_000_000)


def test_check_plan_preview_and_send_work_at_once(shop):
    assert orchestrator(shop, "check", "--json").told["mistakes"] == []
    assert orchestrator(shop, "test", "--json").told["passed"] == 5
    planned = orchestrator(shop, "plan", "new_in", "--json").told
    later = sum(planned["held"].values())
    nothing = sum(why["people"] for why in planned["nothing"])
    assert planned["people"] == planned["reached"] + later + nothing
    # People live around the globe: at any hour somebody is awake.
    assert planned["reached"] > 0
    assert orchestrator(shop, "preview", "winback", "--as", first_of(shop, "lapsed_vips"), "--json").code == 0
    sent = orchestrator(shop, "send", "new_in", "--yes", "--json").told
    assert sent["rows"]["accepted"] == planned["reached"]
    assert sent["sink"] == str(shop / "data" / "sink")


def test_the_example_of_the_clock_reaches_somebody_in_the_first_step_of_its_ramp(shop):
    planned = orchestrator(shop, "plan", "winback", "--json").told
    assert planned["people"] > 100
    assert 0 < planned["reached"] + sum(planned["held"].values()) < planned["people"] / 5


def first_of(shop, segment):
    return orchestrator(shop, "segment", "sample", segment, "-n", "1", "--json").told["users"][0]


def test_every_segment_of_the_example_has_somebody_in_it(shop):
    for name in ("visitors", "lapsed", "lapsed_vips", "one_time_buyers", "staff"):
        assert orchestrator(shop, "segment", "count", name, "--json").told["people"] > 0, name


def test_the_files_are_those_of_the_repository_and_each_has_its_helpers(shop):
    assert read_tree(shop) == read_tree(ROOT)
    assert survey(shop, [PERSONAS]).files == survey(ROOT, [PERSONAS]).files
    assert {"/data/", "/test-results.xml"} <= set((shop / ".gitignore").read_text().splitlines())
    editor = json.loads((shop / ".vscode" / "settings.json").read_text())
    assert sorted(editor["yaml.schemas"].values()) == sorted(SCHEMA_OF.values())
    for path in editor["yaml.schemas"]:
        assert json.loads((shop / path).read_text())["type"] == "object"


def test_the_workflow_checks_every_pull_request_and_says_what_it_changes(shop):
    workflow = YAML(typ="safe").load((shop / ".github" / "workflows" / "campaigns.yml").read_text())
    steps = {job: [step.get("run", "") for step in told["steps"]] for job, told in workflow["jobs"].items()}
    assert "pull_request" in workflow["on"]
    assert "orchestrator check" in steps["check"]
    assert "orchestrator test --junit test-results.xml" in steps["check"]
    assert "personas/**" in workflow["on"]["pull_request"]["paths"]
    assert any("orchestrator plan --diff" in step for step in steps["review"])


HOUSE = {"url": "https://git.example/house.git", "vcs_info": {"vcs": "git", "commit_id": "4f2a"}}


@pytest.mark.parametrize(
    ("direct_url", "source"),
    [
        (None, "messaging-orchestrator==0.1.0"),
        (HOUSE, "messaging-orchestrator @ git+https://git.example/house.git@4f2a"),
        ({"url": "https://a.example/o.whl", "archive_info": {}}, "messaging-orchestrator @ https://a.example/o.whl"),
        ({"url": "file:///home/me/o", "dir_info": {"editable": True}}, ""),
        ({"url": "file:///home/me/o", "vcs_info": {"vcs": "git", "commit_id": "4f2a"}}, ""),
    ],
)
def test_the_workflow_installs_from_where_this_installation_came(direct_url, source):
    assert source_of("0.1.0", None if direct_url is None else json.dumps(direct_url)) == source


@pytest.mark.parametrize("source", ["", "messaging-orchestrator==0.1.0"])
def test_a_workflow_that_does_not_know_what_to_install_fails_and_says_where_to_say_it(source):
    told = YAML(typ="safe").load(workflow(source))
    assert told["env"] == {"ORCHESTRATOR": source}
    lines = [
        step["run"] for job in told["jobs"].values() for step in job["steps"] if "pip install" in step.get("run", "")
    ]
    assert len(lines) == 2
    for line in lines:
        shown = f'pip() {{ echo "$2"; }}; pip install{line.partition("pip install")[2]}'
        done = subprocess.run(["bash", "-ec", shown], env=told["env"], capture_output=True, text=True, check=False)
        if source:
            assert done.stdout.strip() == source
        else:
            assert done.returncode != 0
            assert "say in .github/workflows/campaigns.yml what pip installs" in done.stderr


def test_a_folder_with_a_project_is_refused_and_nothing_of_it_changes(shop):
    (shop / "config" / "orchestrator.yaml").write_text("mine\n")
    before = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    said = orchestrator(shop.parent, "init", "shop")
    assert said.code == 1
    assert str(shop / "config") in said.err
    assert {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()} == before


def test_files_that_stand_there_are_kept_and_named(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n")
    told = orchestrator(tmp_path, "init", "--empty", "--json").told
    assert told["kept"] == [".gitignore"]
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


@pytest.mark.parametrize("name", ["Shop 2", "123", "été", "y", "on", "No", "null", "1e5"])
def test_an_empty_project_has_no_mistake_and_nobody_in_it(tmp_path, name):
    told = orchestrator(tmp_path, "init", name, "--empty", "--json").told
    assert told["people"] == {}
    assert not (tmp_path / name / "data").exists()
    assert orchestrator(tmp_path / name, "check").code == 0
    assert orchestrator(tmp_path / name, "test").code == 0


def test_the_tree_and_the_next_commands_are_shown(tmp_path):
    said = orchestrator(tmp_path, "init", "shop", "--empty")
    assert "config/campaigns/" in said.out
    assert said.out.rstrip().splitlines()[-4].strip() == "cd shop"
    assert all(line.strip().startswith("orchestrator ") for line in said.out.rstrip().splitlines()[-3:])


def test_the_invented_are_the_same_for_the_same_day_and_nobody_could_be_reached(tmp_path):
    first = invent(tmp_path / "a", NOON)
    assert invent(tmp_path / "b", NOON) == first
    assert first["profiles"] == PEOPLE
    texts = {what: (tmp_path / "a" / f"{what}.jsonl").read_text() for what in WHAT}
    assert texts == {what: (tmp_path / "b" / f"{what}.jsonl").read_text() for what in WHAT}
    for line in texts["profiles"].splitlines():
        assert json.loads(line).get("email", "@example.test").endswith(("@example.test", "@shop.example"))


@pytest.mark.parametrize("days", range(0, 62, 7))
def test_the_invented_did_nothing_in_the_future(tmp_path, days):
    now = Instant(NOON + days * DAY)
    invent(tmp_path, now)
    times = [json.loads(line)["time"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert max(times) < "2026-03-02T12:00:00Z" or days


def test_the_example_travels_inside_the_package(tmp_path):
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert read_tree(tmp_path / "orchestrator" / "example") == read_tree(ROOT)
    assert survey(tmp_path / "orchestrator" / "example", [PERSONAS]).files == survey(ROOT, [PERSONAS]).files
    made = orchestrator(tmp_path, "init", "shop", "--json", environ={"PYTHONPATH": str(tmp_path)})
    assert made.code == 0, made.err
    assert made.told["people"]["profiles"] == PEOPLE
