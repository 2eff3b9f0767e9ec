"""`doctor` looks at everything that must hold, and every trouble it names says where and what to do."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app
from tests.doors.builders import rewrite, the_example_in


@pytest.fixture
def project(tmp_path):
    return the_example_in(tmp_path)


def findings(project, code):
    done = CliRunner().invoke(app, ["-C", str(project), "--json", "doctor"])
    assert done.exit_code == code, done.output
    return {one["what"]: (one["well"], one["text"]) for one in json.loads(done.stdout)}


def test_an_audience_file_that_is_not_there_is_named_with_the_remedy(project):
    well, text = findings(project, 1)["audience"]
    assert not well
    assert "data/audience.duckdb: there is no such file yet" in text
    assert "orchestrator import profiles FILE" in text


def test_the_audience_is_counted(project):
    people = project / "people.jsonl"
    people.write_text("".join(json.dumps({"user_id": f"u{number}"}) + "\n" for number in range(3)))
    assert CliRunner().invoke(app, ["-C", str(project), "import", "profiles", str(people)]).exit_code == 0
    found = findings(project, 0)
    assert found["audience"] == (True, "3 people, 0 events")
    assert found["provider mail"][1].endswith("not needed where nothing leaves (dev)")


def test_an_event_of_the_future_is_not_the_newest_and_is_told(project):
    moments = ("2026-03-01T10:00:00Z", "2126-03-01T10:00:00Z")
    events = project / "events.jsonl"
    lines = [{"user_id": "u1", "event": "app_open", "id": at, "time": at} for at in moments]
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert CliRunner().invoke(app, ["-C", str(project), "import", "events", str(events)]).exit_code == 0
    _, text = findings(project, 0)["audience"]
    assert "2 events, the newest of 2026-03-01 11:00:00" in text
    assert "some are of the future, up to 2126-03-01 11:00:00" in text


def test_a_broken_template_is_named(project):
    body = "templates/winback/_default/email.mjml"
    rewrite(project / body, "{{ copy.title }}", "{{ copy.title ")
    well, text = findings(project, 1)["files"]
    assert not well
    assert text.startswith(body)
