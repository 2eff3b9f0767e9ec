"""The ledger's tables of what comes from outside, or goes there: people's words, events, providers' reports, in-app messages.

Only migrations and the test that compares both import this file.
"""

from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from orchestrator.ledger.columns import CLUSTERED, big, user


class Consent(SQLModel, table=True):
    """What somebody agreed to or withdrew, with proof; nothing is ever changed here, the latest word counts."""

    __table_args__ = (CLUSTERED,)

    user_id: str = user(key=True)
    channel: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    at: int = big(key=True)
    granted: int
    source: str
    proof: str = ""


class Deed(SQLModel, table=True):
    """What happened to a message after a provider took it: delivered, opened, clicked, bounced, complained; only ever added to.

    `link` is what was clicked; what a `machine` did is kept, and segments never see it.
    """

    __table_args__ = (CLUSTERED,)

    user_id: str = user(key=True)
    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    deed: str = Field(primary_key=True)
    at: int = big(key=True)
    link: str = ""
    machine: int = 0


class Callback(SQLModel, table=True):
    """What a provider reported, until it is taken into the deliveries; without a run it is about a message of somebody else's."""

    __table_args__ = (Index("callback_due", "due_at", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    due_at: int = big()
    provider: str
    run: int | None = Field(default=None)
    user_id: str = user()
    channel: str
    step: int
    slot: int
    deed: str
    at: int = big()
    stop: str
    address: str
    detail: str
    link: str
    machine: int


class MirrorDue(SQLModel, table=True):
    """What the audience engine does not know yet: a shard that was put back (run and number), or a person (run 0)."""

    __tablename__: ClassVar[Any] = "mirror_due"

    id: int | None = Field(default=None, primary_key=True)
    run: int
    number: int
    user_id: str = user()


class Suppression(SQLModel, table=True):
    """Addresses nothing may go to, as keyed hashes: erasing a person leaves them suppressed without keeping them."""

    __table_args__ = (CLUSTERED,)

    address_hash: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    reason: str
    since: int = big()
    source: str


class Inbox(SQLModel, table=True):
    """In-app messages, waiting for the customer's app to fetch and acknowledge them."""

    __table_args__ = (CLUSTERED,)

    user_id: str = user(key=True)
    id: str = Field(primary_key=True)
    run: int
    payload: str
    created_at: int = big()
    expires_at: int | None = big(null=True)
    seen_at: int | None = big(null=True)


class EventInbox(SQLModel, table=True):
    """Events and profile changes acknowledged but not yet loaded into the audience engine."""

    __tablename__: ClassVar[Any] = "event_inbox"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    user_id: str = user()
    message_id: str
    payload: str
    received_at: int = big()
