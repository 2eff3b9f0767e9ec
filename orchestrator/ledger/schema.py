"""The ledger's tables, declared once for SQLite and PostgreSQL; Alembic migrates them, hot statements are SQL text elsewhere.

Only migrations and the test that compares both import this file and `schema_outside`: SQLModel costs a second of start-up.
"""

from typing import Any, ClassVar

from sqlalchemy import Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from orchestrator.ledger.columns import CLUSTERED, big, user


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
    started_at: int = big()
    ended_at: int | None = big(null=True)


class Bundle(SQLModel, table=True):
    """The files a run was planned from, one blob, once per hash."""

    hash: str = Field(primary_key=True)
    files: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = big()


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
    due_at: int = big()
    created_at: int = big()
    planned_at: int | None = big(null=True)
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
    opens_at: int = big()
    due_at: int | None = big(null=True)
    asked_at: int = big()
    claimed_by: int | None = Field(default=None)
    claims: int = 0
    members: int = 0
    first_user: str = user()
    last_user: str = user()
    people: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    summary: str = "[]"


class Delivery(SQLModel, table=True):
    """One row for every member and channel of a run, whatever happens: the truth of the product."""

    __table_args__ = (Index("delivery_user", "user_id"), CLUSTERED)

    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: str = user(key=True)
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
    judged_at: int | None = big(null=True)
    exposed_at: int | None = big(null=True)
    intent_at: int | None = big(null=True)
    settled_at: int | None = big(null=True)
    not_before: int | None = big(null=True)
    again_until: int | None = big(null=True)
    maybe_duplicate: int = 0


class Attempt(SQLModel, table=True):
    """What a provider answered, for every attempt that did not simply succeed: the story `why` tells."""

    __table_args__ = (CLUSTERED,)

    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: str = user(key=True)
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = big(key=True)
    attempt: int
    provider: str
    outcome: str
    detail: str


class Touch(SQLModel, table=True):
    """One intent, counted by the caps of every campaign."""

    __table_args__ = (CLUSTERED,)

    user_id: str = user(key=True)
    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = big()
    campaign: str


class Coupon(SQLModel, table=True):
    """One code of a pool and whose it is; nobody's while `user_id` is null. The runs are those that planned with it."""

    __table_args__ = (Index("coupon_user", "pool", "user_id", "code"), CLUSTERED)

    pool: str = Field(primary_key=True)
    code: str = user(key=True)
    user_id: str | None = user(null=True)
    first_run: int | None = Field(default=None)
    last_run: int | None = Field(default=None)
    given_at: int | None = big(null=True)
    expires_at: int | None = big(null=True)


class Pace(SQLModel, table=True):
    """Pace, pause and breaker of a provider or a campaign, read in every turn."""

    scope: str = Field(primary_key=True)
    tokens: float = 0.0
    filled_at: int = big()
    paused_until: int | None = big(null=True)
    reason: str = ""
    failures: int = 0


class SigningKey(SQLModel, table=True):
    """Secrets that sign our links and inbox tokens; several are active while one is being replaced."""

    __tablename__: ClassVar[Any] = "signing_key"

    id: str = Field(primary_key=True)
    purpose: str
    secret: str
    created_at: int = big()
    retired_at: int | None = big(null=True)


class Audit(SQLModel, table=True):
    """Who asked for what: sends by hand, pauses, approvals, erasures."""

    id: int | None = Field(default=None, primary_key=True)
    at: int = big()
    who: str
    what: str
    subject: str
    detail: str = ""
