"""Puts the example project, which stands at the root of the repository, into the package: `orchestrator init` copies it."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class WithExample(build_py):
    """The package as it is, and the example beside it; an editable installation reads the repository's own."""

    def run(self) -> None:
        """Copy the folders once everything else is there."""
        super().run()
        if not self.editable_mode:
            for folder in ("config", "templates", "lists", "personas"):
                copytree(folder, Path(self.build_lib) / "orchestrator" / "example" / folder, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithExample})
