"""Who does something by hand, as the ledger remembers it: the user of this machine, or whoever is named."""

import getpass
import os
from typing import Annotated

import typer

By = Annotated[
    str | None,
    typer.Option("--by", help="Who says so, as the ledger will remember it; default: this machine's user."),
]


def signed(by: str | None) -> str:
    """The name to write down. Who has become another user with sudo stays who they are."""
    try:
        return by or os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        return f"user {os.getuid()}"
