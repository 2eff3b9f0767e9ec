"""Migrations: they lead to the declared tables on both databases, and carry the rows of older releases along."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text

from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.ledger import Ledger, deeds, migrating, opening, schema
from orchestrator.ledger.deeds import Happened


@pytest.fixture
def engine(ledger_url, tmp_path):
    scheme, _, rest = ledger_url.partition(":")
    made = create_engine(
        f"sqlite:///{tmp_path / 'ledger.db'}" if scheme == "sqlite" else f"postgresql+psycopg:{rest}",
        poolclass=NullPool,
    )
    yield made
    made.dispose()


def test_the_newest_migration_is_the_one_this_release_expects():
    assert ScriptDirectory.from_config(migrating.config()).get_heads() == [opening.HEAD]


def test_the_migrations_lead_to_the_declared_tables(engine, ledger_url, tmp_path):
    Ledger.open(ledger_url, tmp_path).close()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.SQLModel.metadata) == []


def test_what_happened_before_machines_were_told_apart_was_done_by_people(engine, ledger_url, tmp_path):
    settings = migrating.config()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0007")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO deed VALUES ('ada', 1, 'in_app', 0, 0, 'opened', 5000)"))
    ledger = Ledger.open(ledger_url, tmp_path)
    key = DeliveryKey(1, "ada", Channel.IN_APP)
    assert deeds.of_run(ledger.store, 1, "ada") == [Happened(key, Deed.OPENED, 5000, link="", machine=False)]
    ledger.close()


def test_shards_of_the_first_release_were_asked_about_when_their_run_was_due(engine, ledger_url, tmp_path):
    settings = migrating.config()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO run (id, campaign, occurrence, version, source, state, reason, due_at, created_at, on_ambiguous)"
                " VALUES (1, 'winback', 'once', 'v', '', 'working', '', 5000, 5000, 'hold')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO shard (run, number, opens_at, due_at, claims, members, first_user, last_user, summary)"
                " VALUES (1, 0, 9000, 9000, 0, 1, 'a', 'a', '[]')"
            )
        )
    ledger = Ledger.open(ledger_url, tmp_path)
    assert ledger.store.rows("SELECT asked_at FROM shard") == [(5000,)]
    ledger.close()
