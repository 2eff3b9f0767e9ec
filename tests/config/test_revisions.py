"""Trees of a real git repository, read at any revision without touching the folder."""

import os
import subprocess

import pytest

from orchestrator.config import RevisionError, load, read_tree, revision
from orchestrator.config.tree import LARGEST
from tests.config.builders import the_example

FILES = {name: content.decode() for name, content in the_example().items()}


def git(root, *words):
    own = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.test", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}  # fmt: skip
    own |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.test"}
    return subprocess.run(
        ["git", "-C", str(root), *words], check=True, capture_output=True, text=True, env={**os.environ, **own}
    ).stdout.strip()


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def commit(root, text="x"):
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", text)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for name, content in FILES.items():
        write(root, name, content)
    write(root, ".gitignore", "lists/long.csv\n")
    commit(root)
    return root


def test_a_revision_is_read_as_it_was_and_the_folder_stays_as_it_is(repository):
    before = read_tree(repository)
    first = git(repository, "rev-parse", "HEAD")
    write(repository, "config/segments/lapsed.yaml", "about: changed\n")
    write(repository, "templates/new/_default/sms.txt", "hello")
    commit(repository)
    write(repository, "config/segments/lapsed.yaml", "about: once more\n")
    here = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    for name in (first, "HEAD~1", first[:8]):
        found = revision(repository, name)
        assert (found.commit, found.tree.files, found.tree.refused) == (first, before, ())
    assert revision(repository, "main").tree.files["config/segments/lapsed.yaml"] == b"about: changed\n"
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == here


def test_what_git_ignores_is_no_revisions_and_stays(repository):
    write(repository, "lists/long.csv", "user_id\na\n")
    assert revision(repository, "HEAD").tree.files["lists/long.csv"] == b"user_id\na\n"


def test_hidden_files_are_left_out_and_links_followed_inside_only(repository):
    write(repository, "config/segments/.hidden.yaml", "x")
    write(repository, "lists/one.csv", "user_id\na\n")
    (repository / "lists" / "two.csv").symlink_to("one.csv")
    (repository / "lists" / "out.csv").symlink_to("../../out.csv")
    (repository / "lists" / "round.csv").symlink_to("round.csv")
    commit(repository)
    tree = revision(repository, "HEAD").tree
    assert tree.files["lists/two.csv"] == b"user_id\na\n"
    assert "config/segments/.hidden.yaml" not in tree.files
    assert {it.file for it in tree.refused} == {"lists/out.csv", "lists/round.csv"}


def test_a_file_that_is_too_large_is_refused_as_on_the_disk(repository):
    write(repository, "config/segments/large.yaml", "#" * (LARGEST["config"] + 1))
    commit(repository)
    (it,) = revision(repository, "HEAD").tree.refused
    assert (it.file, "is larger than" in it.text) == ("config/segments/large.yaml", True)
    assert load(revision(repository, "HEAD").tree.files, refused=(it,)).project is None


def test_a_project_below_the_root_of_its_repository_is_read_from_there(tmp_path):
    git(tmp_path, "init", "-q")
    for name, content in FILES.items():
        write(tmp_path / "a" / "b", name, content)
    write(tmp_path, "config/orchestrator.yaml", "another")
    commit(tmp_path)
    assert revision(tmp_path / "a" / "b", "HEAD").tree.files == read_tree(tmp_path / "a" / "b")


def test_names_with_blanks_quotes_and_umlauts_are_read(repository):
    write(repository, 'lists/für "uns" 1.csv', "user_id\na\n")
    commit(repository)
    assert revision(repository, "HEAD").tree.files['lists/für "uns" 1.csv'] == b"user_id\na\n"


@pytest.mark.parametrize("name", ["nope", "-x", "--help", "HEAD~9", "main:config", "", "a b"])
def test_an_unknown_revision_is_told_those_there_are(repository, name):
    with pytest.raises(RevisionError, match="there are: main"):
        revision(repository, name)


def test_a_folder_outside_of_git_cannot_be_compared(tmp_path):
    with pytest.raises(RevisionError, match="not a git repository"):
        revision(tmp_path, "HEAD")


def test_a_revision_without_a_project_says_so(repository):
    git(repository, "checkout", "-q", "--orphan", "other")
    git(repository, "rm", "-rqf", ".")
    write(repository, "z", "z")
    commit(repository)
    git(repository, "checkout", "-qf", "main")
    with pytest.raises(RevisionError, match="no project in it"):
        revision(repository, "other")


def test_a_machine_without_git_says_so(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(RevisionError, match="git is not installed"):
        revision(repository, "HEAD")


def test_a_hook_of_another_repository_leads_nobody_astray(repository, monkeypatch, tmp_path):
    before = revision(repository, "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert revision(repository, "HEAD") == before


def test_no_program_of_the_repository_is_run(repository):
    """A repository may name programs in its settings; looking at it must start none of them."""
    ran = repository / "ran"
    program = repository / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(program))
    git(repository, "config", "core.pager", str(program))
    ran.unlink(missing_ok=True)
    revision(repository, "HEAD")
    assert not ran.exists()
