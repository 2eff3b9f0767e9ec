"""`check` names every mistake of every file at once: settings, templates and mappings of imports, each once."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app
from tests.doors.builders import rewrite, the_example_in

PUSH = "templates/winback/_default/push.yaml"


@pytest.fixture
def project(tmp_path):
    return the_example_in(tmp_path)


def mistakes(project):
    done = CliRunner().invoke(app, ["-C", str(project), "--json", "check"])
    found = [f"{one['file']}:{one['line']} {one['text']}" for one in json.loads(done.stdout)["mistakes"]]
    assert done.exit_code == (1 if found else 0)
    return found


def test_the_example_has_no_mistake(project):
    assert mistakes(project) == []


def test_a_mistake_in_the_settings_hides_none_in_the_templates(project):
    rewrite(project / "config/campaigns/welcome_back.yaml", "topic: offers", "topic: ofers")
    rewrite(project / "config/segments/lapsed.yaml", "event: purchase", "event: purchas")
    rewrite(project / PUSH, "userAttribute.firstName", "userAttribute.firstNaem")
    found = mistakes(project)
    assert [line.partition(" ")[0] for line in found] == [
        "config/campaigns/welcome_back.yaml:5",
        "config/segments/lapsed.yaml:3",
        f"{PUSH}:1",
    ]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('title: "New in', 'kind: NO\ntitle: "New in', f"{PUSH}:1 NO is text here, but false to tools that read YAML 1.1"),
        ("ttl: 12 hours", "ttl: 12 hours\nttl: 13 hours", f"{PUSH}:7 the key 'ttl' stands here twice"),
        ("link: shop://new", "link: !!python/name:os.system x", f"{PUSH}:3 the tag !!python/name:os.system is not read here"),
        ('body: "Your', "body: {{ Your", f"{PUSH}:2 {{{{ }}}} stands here without quotes"),
    ],
    ids=["1.1", "twice", "tag", "braces"],
)  # fmt: skip
def test_the_head_of_a_template_is_read_as_strictly_as_the_settings(project, old, new, text):
    rewrite(project / PUSH, old, new)
    found = mistakes(project)
    assert text in found
    assert len([line for line in found if line.partition(" ")[0] == text.partition(" ")[0]]) == 1


def test_a_bomb_of_aliases_in_a_head_is_refused(project):
    lines = ["copy:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 6)]
    (project / PUSH).write_text('title: "x"\nbody: "y"\n' + "\n".join(lines) + "\n")
    assert any(line.startswith(PUSH) and "unfolds to more than" in line for line in mistakes(project))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("columns: {mail: email}\nseparater: ';'\n", ":0 no key 'separater'. Did you mean separator?"),
        ("columns: {mail: email}\nzone: Europe/Viena\n", ":0 zone: there is no time zone 'Europe/Viena'"),
        ("columns:\n  mail: email\n  mail: user\n", ":3 the key 'mail' stands here twice"),
        ("header: NO\n", ":1 NO is text here, but false"),
    ],
    ids=["key", "zone", "twice", "1.1"],
)
def test_mappings_of_imports_are_checked_too(project, content, text):
    path = "config/imports/customers.yaml"
    (project / path).parent.mkdir()
    (project / path).write_text(content)
    found = mistakes(project)
    assert len(found) == 1
    assert found[0].startswith(f"{path}{text}")


def test_an_import_reads_its_mapping_as_check_does(project, tmp_path):
    (project / "config/imports").mkdir()
    (project / "config/imports/customers.yaml").write_text("columns: {mail: email, mail: user}\n")
    (project / "customers.csv").write_text("mail\na@shop.example\n")
    done = CliRunner().invoke(app, ["-C", str(project), "import", "profiles", str(project / "customers.csv")])
    assert done.exit_code == 1
    assert "config/imports/customers.yaml:1:24  the key 'mail' stands here twice" in done.stderr
