"""Running Alembic's migrations; imported only when a ledger is new or older than this release."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine

from orchestrator.core.errors import StoreError

_FOLDER = Path(__file__).with_name("migrations")


def config() -> Config:
    """Alembic's settings: only where the migrations lie."""
    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER))
    return settings


def refuse_newer(revision: str) -> None:
    """StoreError if the ledger stands at a migration this release does not know."""
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision and revision not in known:
        raise StoreError(
            f"ledger: its tables are of a newer release (migration {revision}); upgrade this program, never the other way round"
        )


def upgrade(url: str) -> None:
    """Run every missing migration on the database at this SQLAlchemy URL."""
    engine = create_engine(url, poolclass=NullPool)
    settings = config()
    try:
        with engine.begin() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    finally:
        engine.dispose()
