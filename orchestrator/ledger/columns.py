"""What the columns of the ledger's tables have in common, on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import BigInteger, Column, String
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlmodel import Field

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False, "postgresql_with": {"fillfactor": 70}}
"""Rows live inside their primary key (SQLite) or leave room on their page to change in place (PostgreSQL)."""


def big(*, key: bool = False, null: bool = False) -> Any:
    """A signed 64-bit column: instants are microseconds."""
    return Field(sa_column=Column(BigInteger, primary_key=key, nullable=null, autoincrement=False))


def user(*, key: bool = False, null: bool = False) -> Any:
    """A user's id, or another text, ordered by code point on both databases."""
    by_code_point = String().with_variant(VARCHAR(collation="C"), "postgresql")
    return Field(sa_column=Column(by_code_point, primary_key=key, nullable=null))
