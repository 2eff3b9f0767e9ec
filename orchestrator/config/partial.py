"""What can be read of settings that have mistakes: where the ledger is, for the verbs that must work all the same."""

from typing import Any

from pydantic import ValidationError

from orchestrator.config.draft import SETTINGS
from orchestrator.config.findings import nearest
from orchestrator.config.reading import Files
from orchestrator.config.secret import Secret
from orchestrator.config.settings import DEV
from orchestrator.config.shapes import EnvironmentShape, SettingsShape, StoresShape
from orchestrator.config.sheets import read_sheet


def ledger_of(files: Files, environment: str) -> Secret | None:
    """Where an environment's ledger is, whatever else is mistaken; None if that is not said beyond doubt.

    Nothing is guessed here: a command to stop must never go to another ledger than the daemon's.
    """
    sheet, slips = read_sheet(SETTINGS, files.get(SETTINGS, b""))
    if sheet is None or slips or _misspelt(sheet.value):
        return None
    environments = sheet.value.get("environments", {})
    if not isinstance(environments, dict) or (environment not in environments and environment != DEV):
        return None
    try:
        own = EnvironmentShape.model_validate(environments[environment]).stores if environment in environments else None
        return Secret((own or StoresShape.model_validate(sheet.value.get("stores", {}))).ledger)
    except ValidationError:
        return None


def _misspelt(settings: dict[str, Any]) -> bool:
    """Whether a key that nobody knows may have been meant to say where the ledger is."""
    known = {field.alias or name for name, field in SettingsShape.model_fields.items()}
    return any(nearest(str(key), ["stores", "environments"]) for key in settings if key not in known)
