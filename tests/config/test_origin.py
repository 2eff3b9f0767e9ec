"""Which commit a project's files are is told from their content, so it is true whatever the disk holds by now."""

import subprocess

import pytest

from orchestrator.config import Origin, origin_of, read_tree


def git(folder, *words):
    command = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x.test", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(params=["", "shops/first"])
def project(request, tmp_path):
    """A committed project, at the top of its repository or below it."""
    root = tmp_path / request.param
    for name in ("config/orchestrator.yaml", "templates/a/_default/push.yaml", "lists/näme.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    (root / "README.md").write_text("not part of it\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "all")
    return root


def test_files_as_they_were_committed_are_that_commit(project):
    head = git(project, "rev-parse", "HEAD")
    assert origin_of(project, read_tree(project)) == Origin(head)
    assert str(Origin(head)) == f"commit {head[:12]}"


@pytest.mark.parametrize(
    "edit",
    [
        lambda root: (root / "config/orchestrator.yaml").write_text("# other\n"),
        lambda root: (root / "lists/new.csv").write_text("x\n"),
        lambda root: (root / "templates/a/_default/push.yaml").unlink(),
    ],
    ids=["changed", "added", "taken away"],
)
def test_an_edit_is_a_working_copy_until_it_is_committed(project, edit):
    head = git(project, "rev-parse", "HEAD")
    edit(project)
    files = read_tree(project)
    assert origin_of(project, files) == Origin(head, edited=True)
    assert str(origin_of(project, files)) == f"working copy after {head[:12]}, not committed"
    git(project, "add", "--all", ".")
    git(project, "commit", "--quiet", "-m", "the edit")
    assert origin_of(project, files) == Origin(git(project, "rev-parse", "HEAD"))


def test_what_is_no_part_of_the_project_makes_no_working_copy(project):
    (project / "README.md").write_text("other\n")
    (project / "config" / ".hidden").write_text("x")
    (project / "config" / "orchestrator.yaml~").write_text("x")
    assert not origin_of(project, read_tree(project)).edited


def test_files_read_before_a_pull_are_not_called_by_the_commit_it_brought(project):
    before = read_tree(project)
    (project / "config/orchestrator.yaml").write_text("# pulled\n")
    git(project, "commit", "--quiet", "-a", "-m", "pulled")
    assert origin_of(project, before).edited
    assert not origin_of(project, read_tree(project)).edited


def test_without_git_or_before_the_first_commit_there_is_no_commit(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "orchestrator.yaml").write_text("x")
    (tmp_path / ".git").write_text("gitdir: nowhere\n")  # else the folders above might be a repository
    assert origin_of(tmp_path, read_tree(tmp_path)) == Origin()
    (tmp_path / ".git").unlink()
    git(tmp_path, "init", "--quiet")
    assert (origin_of(tmp_path, read_tree(tmp_path)), str(Origin())) == (Origin(), "")


def test_a_hook_of_another_repository_leads_nobody_astray(project, monkeypatch, tmp_path):
    head = git(project, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert origin_of(project, read_tree(project)) == Origin(head)
