"""Which files belong to a project, and which are refused."""

import os

import pytest

from orchestrator.checking import mistakes
from orchestrator.config import load, load_folder, read_tree
from orchestrator.config import tree as trees
from orchestrator.config.tree import survey
from orchestrator.core.errors import ConfigError
from tests.config.builders import ROOT, said, the_example, with_file


@pytest.fixture
def folder(tmp_path):
    """A project's folder on a disk of its own."""
    root = tmp_path / "shop"
    for name, content in the_example().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def refused(root):
    with pytest.raises(ConfigError) as caught:
        read_tree(root)
    return str(caught.value)


def test_a_folder_is_read_into_the_files_it_holds(folder):
    assert read_tree(folder) == the_example() == read_tree(ROOT)
    assert list(read_tree(folder)) == sorted(the_example())


def test_hidden_files_and_leftovers_of_editors_are_left_out(folder):
    (folder / "config/.orchestrator.yaml.swp").write_text("x")
    (folder / "config/orchestrator.yaml~").write_text("x")
    (folder / "templates/.git").mkdir()
    (folder / "templates/.git/config").write_text("x")
    assert read_tree(folder) == the_example()


def test_a_link_out_of_the_project_is_refused(folder, tmp_path):
    (tmp_path / "secrets.yaml").write_text("about: secret")
    (folder / "config/segments/x.yaml").symlink_to(tmp_path / "secrets.yaml")
    assert "config/segments/x.yaml  is a link to a folder or out of the project" in refused(folder)


@pytest.mark.parametrize(
    "name",
    [
        "config/segments/lapsed.yaml",
        "config/campaigns/winback.yaml",
        "config/data.yaml",
        "config/orchestrator.yaml",
        "config/imports/x.yaml",
        "lists/contractors.csv",
        "templates/winback/_default/push.yaml",
    ],
)
def test_a_refused_file_is_one_mistake_and_hides_no_other(folder, tmp_path, name):
    (folder / "config/segments/staff.yaml").write_text("about: Staff\nall: [{attribute: nowhere, is: 1}]\n")
    before = {str(it) for it in mistakes(load_folder(folder))}
    (folder / name).unlink(missing_ok=True)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    found = {str(it) for it in mistakes(load_folder(folder))}
    refusal = f"{name}  is a link to a folder or out of the project\n    Put the file itself here."
    assert refusal in found
    if not name.startswith("templates/"):  # a variant's file says only what is different from that
        assert found - {refusal} <= before
    if name != "config/data.yaml":  # without it nobody can tell which attributes there are
        assert any("config/segments/staff.yaml" in one for one in found)


def test_a_tree_that_cannot_be_read_on_is_still_told_by_its_mistakes(folder, monkeypatch):
    monkeypatch.setattr(trees, "MOST_FILES", 3)
    [only] = load_folder(folder).mistakes
    assert "more than 3 files" in only.text


def test_a_link_to_a_folder_is_refused_so_that_nobody_goes_round_in_circles(folder):
    (folder / "templates/winback/again").symlink_to(folder / "templates")
    assert "templates/winback/again  is a link" in refused(folder)


def test_a_linked_folder_of_settings_is_refused(folder):
    (folder / "config").rename(folder / "elsewhere")
    (folder / "config").symlink_to(folder / "elsewhere")
    assert "config  is a link" in refused(folder)


def test_a_link_to_a_file_inside_counts_as_that_file(folder):
    mounted = folder / "config/..data"
    mounted.mkdir()
    (folder / "config/data.yaml").rename(mounted / "data.yaml")
    (folder / "config/data.yaml").symlink_to("..data/data.yaml")
    assert read_tree(folder) == the_example()


def test_a_pipe_is_refused_and_not_waited_for(folder):
    os.mkfifo(folder / "lists/pipe.csv")
    assert "lists/pipe.csv  is not an ordinary file" in refused(folder)


def test_a_dangling_link_is_refused(folder):
    (folder / "lists/gone.csv").symlink_to(folder / "lists/never.csv")
    assert "lists/gone.csv  is not an ordinary file" in refused(folder)


def test_a_file_that_is_too_large_is_named_with_its_limit(folder):
    (folder / "config/data.yaml").write_bytes(b"#" * (trees.LARGEST["config"] + 1))
    assert "config/data.yaml  is larger than 256 KiB" in refused(folder)


def test_too_many_files_are_refused(folder, monkeypatch):
    monkeypatch.setattr(trees, "MOST_FILES", 5)
    assert "more than 5 files" in refused(folder)


def test_an_empty_folder_is_no_project(tmp_path):
    assert "config/orchestrator.yaml  is missing" in "\n".join(map(str, load(read_tree(tmp_path)).mistakes))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../outside.yaml", "leads out of the project's folder"),
        ("/etc/passwd", "leads out of the project's folder"),
        ("config/../../x.yaml", "leads out of the project's folder"),
        ("config/segments/../x.yaml", "leads out of the project's folder"),
        ("config\\segments\\x.yaml", "leads out of the project's folder"),
        ("config/orchestator.yaml", "Did you mean 'orchestrator.yaml'?"),
        ("config/segmens/x.yaml", "Did you mean 'segments'?"),
        ("config/campaigns/x.yml", "is not a .yaml file"),
        ("config/campaigns/x.txt", "is not a .yaml file"),
        ("config/campaigns/a/b.yaml", "is not a name"),
        ("config/segments/_default.yaml", "is not a name"),
    ],
)
def test_a_file_that_nobody_would_read_is_named(path, words):
    assert any(
        line.startswith(path) for line in said(with_file(path, "about: x\nall: [{event: purchase}]\n")).splitlines()
    )
    assert words in said(with_file(path, "about: x\nall: [{event: purchase}]\n"))


def test_mappings_of_imports_are_left_to_imports():
    assert load(with_file("config/imports/customers.yaml", "anything: goes")).mistakes == ()


def test_a_folder_with_the_name_of_a_file_is_named(tmp_path):
    (tmp_path / "config" / "campaigns" / "x.yaml").mkdir(parents=True)
    [mistake] = survey(tmp_path).refused
    assert (mistake.file, mistake.text) == ("config/campaigns/x.yaml", "is a folder with the name of a file")
