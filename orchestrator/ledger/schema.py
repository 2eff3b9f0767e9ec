"""The ledger's tables, declared once for SQLite and PostgreSQL; Alembic migrates them, hot statements are SQL text elsewhere.

Only migrations and the test that compares both import this file: SQLModel costs a second of start-up.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlmodel import Field, SQLModel

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False, "postgresql_with": {"fillfactor": 70}}
"""Rows live inside their primary key (SQLite) or leave room on their page to change in place (PostgreSQL)."""


def _big(*, key: bool = False, null: bool = False) -> Any:
    """A signed 64-bit column: instants are microseconds."""
    return Field(sa_column=Column(BigInteger, primary_key=key, nullable=null, autoincrement=False))


def _user(*, key: bool = False, null: bool = False) -> Any:
    """A user's id, or another text, ordered by code point on both databases."""
    by_code_point = String().with_variant(VARCHAR(collation="C"), "postgresql")
    return Field(sa_column=Column(by_code_point, primary_key=key, nullable=null))


class Meta(SQLModel, table=True):
    """Single facts about the ledger itself: its id, its epoch, the counter of consent changes."""

    name: str = Field(primary_key=True)
    value: str


class Boot(SQLModel, table=True):
    """One life of one process. Its lock (named by `token`) says whether it still lives."""

    id: int | None = Field(default=None, primary_key=True)
    token: str = Field(unique=True)
    kind: str
    host: str
    pid: int
    started_at: int = _big()
    ended_at: int | None = _big(null=True)


class Bundle(SQLModel, table=True):
    """The files a run was planned from, one blob, once per hash."""

    hash: str = Field(primary_key=True)
    files: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = _big()


class Run(SQLModel, table=True):
    """One occurrence of a campaign. (campaign, occurrence) is unique, and that row decides who fires it."""

    __table_args__ = (Index("run_occurrence", "campaign", "occurrence", unique=True), Index("run_state", "state"))

    id: int | None = Field(default=None, primary_key=True)
    campaign: str
    occurrence: str
    version: str
    source: str = ""
    state: str
    reason: str = ""
    due_at: int = _big()
    created_at: int = _big()
    planned_at: int | None = _big(null=True)
    planner: int | None = Field(default=None)
    audience: int | None = Field(default=None)
    on_ambiguous: str


class Shard(SQLModel, table=True):
    """Some 2,000 people of a run: the unit of work. `due_at` is null when nothing is left to do.

    `asked_at` is the moment as of which the audience engine told about its people.
    """

    __table_args__ = (
        Index(
            "shard_due", "due_at", postgresql_where=text("due_at IS NOT NULL"), sqlite_where=text("due_at IS NOT NULL")
        ),
        Index(
            "shard_claimed",
            "claimed_by",
            postgresql_where=text("claimed_by IS NOT NULL"),
            sqlite_where=text("claimed_by IS NOT NULL"),
        ),
    )

    run: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    opens_at: int = _big()
    due_at: int | None = _big(null=True)
    asked_at: int = _big()
    claimed_by: int | None = Field(default=None)
    claims: int = 0
    members: int = 0
    first_user: str = _user()
    last_user: str = _user()
    people: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    summary: str = "[]"


class Delivery(SQLModel, table=True):
    """One row for every member and channel of a run, whatever happens: the truth of the product."""

    __table_args__ = (Index("delivery_user", "user_id"), CLUSTERED)

    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: str = _user(key=True)
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    shard: int
    segment: str
    variant: str
    holdout: int
    state: str
    reason: str = ""
    detail: str = ""
    attempt: int = 0
    boot: int | None = Field(default=None)
    provider: str = ""
    provider_id: str = ""
    address: str = ""
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    judged_at: int | None = _big(null=True)
    exposed_at: int | None = _big(null=True)
    intent_at: int | None = _big(null=True)
    settled_at: int | None = _big(null=True)
    not_before: int | None = _big(null=True)
    again_until: int | None = _big(null=True)
    maybe_duplicate: int = 0


class Attempt(SQLModel, table=True):
    """What a provider answered, for every attempt that did not simply succeed: the story `why` tells."""

    __table_args__ = (CLUSTERED,)

    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: str = _user(key=True)
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = _big(key=True)
    attempt: int
    provider: str
    outcome: str
    detail: str


class Touch(SQLModel, table=True):
    """One intent, counted by the caps of every campaign."""

    __table_args__ = (CLUSTERED,)

    user_id: str = _user(key=True)
    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = _big()
    campaign: str


class Coupon(SQLModel, table=True):
    """One code of a pool and whose it is; nobody's while `user_id` is null. The runs are those that planned with it."""

    __table_args__ = (Index("coupon_user", "pool", "user_id", "code"), CLUSTERED)

    pool: str = Field(primary_key=True)
    code: str = _user(key=True)
    user_id: str | None = _user(null=True)
    first_run: int | None = Field(default=None)
    last_run: int | None = Field(default=None)
    given_at: int | None = _big(null=True)
    expires_at: int | None = _big(null=True)


class Consent(SQLModel, table=True):
    """What somebody agreed to or withdrew, with proof; nothing is ever changed here, the latest word counts."""

    __table_args__ = (CLUSTERED,)

    user_id: str = _user(key=True)
    channel: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    at: int = _big(key=True)
    granted: int
    source: str
    proof: str = ""


class Deed(SQLModel, table=True):
    """What happened to a message after a provider took it: delivered, opened, clicked, bounced, complained; only ever added to.

    `link` is what was clicked; what a `machine` did is kept, and segments never see it.
    """

    __table_args__ = (CLUSTERED,)

    user_id: str = _user(key=True)
    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    deed: str = Field(primary_key=True)
    at: int = _big(key=True)
    link: str = ""
    machine: int = 0


class MirrorDue(SQLModel, table=True):
    """What the audience engine does not know yet: a shard that was put back (run and number), or a person (run 0)."""

    __tablename__: ClassVar[Any] = "mirror_due"

    id: int | None = Field(default=None, primary_key=True)
    run: int
    number: int
    user_id: str = _user()


class Suppression(SQLModel, table=True):
    """Addresses nothing may go to, as keyed hashes: erasing a person leaves them suppressed without keeping them."""

    __table_args__ = (CLUSTERED,)

    address_hash: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    reason: str
    since: int = _big()
    source: str


class Inbox(SQLModel, table=True):
    """In-app messages, waiting for the customer's app to fetch and acknowledge them."""

    __table_args__ = (CLUSTERED,)

    user_id: str = _user(key=True)
    id: str = Field(primary_key=True)
    run: int
    payload: str
    created_at: int = _big()
    expires_at: int | None = _big(null=True)
    seen_at: int | None = _big(null=True)


class EventInbox(SQLModel, table=True):
    """Events and profile changes acknowledged but not yet loaded into the audience engine."""

    __tablename__: ClassVar[Any] = "event_inbox"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    user_id: str = _user()
    message_id: str
    payload: str
    received_at: int = _big()


class Pace(SQLModel, table=True):
    """Pace, pause and breaker of a provider or a campaign, read in every turn."""

    scope: str = Field(primary_key=True)
    tokens: float = 0.0
    filled_at: int = _big()
    paused_until: int | None = _big(null=True)
    reason: str = ""
    failures: int = 0


class SigningKey(SQLModel, table=True):
    """Secrets that sign our links and inbox tokens; several are active while one is being replaced."""

    __tablename__: ClassVar[Any] = "signing_key"

    id: str = Field(primary_key=True)
    purpose: str
    secret: str
    created_at: int = _big()
    retired_at: int | None = _big(null=True)


class Audit(SQLModel, table=True):
    """Who asked for what: sends by hand, pauses, approvals, erasures."""

    id: int | None = Field(default=None, primary_key=True)
    at: int = _big()
    who: str
    what: str
    subject: str
    detail: str = ""
