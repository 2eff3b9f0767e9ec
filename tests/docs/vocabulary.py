"""Every word the product knows, gathered from the product itself and not by way of the generator of the reference."""

import re
import types
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic import BaseModel

import orchestrator
from orchestrator.audience.mapping import COLUMN_KEYS, FIELDS, KEYS, What
from orchestrator.cli.main import app
from orchestrator.config import fields
from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.persona_shape import PersonaShape
from orchestrator.config.shapes import DataShape, SettingsShape
from orchestrator.config.warehouse_shape import WarehouseShape
from orchestrator.core import campaigns
from orchestrator.core.nouns import Channel, OnAmbiguous, State
from orchestrator.core.personas import Outside
from orchestrator.core.reasons import Reason
from orchestrator.core.segments.parsing import NOUNS
from orchestrator.core.segments.reading_bands import BAND_WORDS
from orchestrator.core.segments.reading_events import EVENT_KEYS, MOMENT_KEYS
from orchestrator.core.segments.reading_messages import MESSAGE_KEYS
from orchestrator.core.segments.reading_people import RFM_KEYS
from orchestrator.core.segments.reading_steps import STEP_KEYS
from orchestrator.core.segments.reading_tests import EVERY_WORD
from orchestrator.ledger import RunState
from orchestrator.providers import registry
from orchestrator.rendering.environment import GLOBALS, Room
from orchestrator.rendering.forms import IN_APP_KINDS
from orchestrator.rendering.heads import KEYS as HEAD_KEYS
from orchestrator.rendering.linting import BEHAVIOUR, OCCURRENCES, OTHERS
from orchestrator.rendering.rendering import BUILT_IN

SOURCE = Path(orchestrator.__file__).parent


def commands() -> dict[str, Any]:
    """Every verb by its full name, with typer's own command."""
    return dict(_commands("", typer.main.get_command(app)))


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for word, found in getattr(command, "commands", {}).items():
        if not found.hidden:
            full = f"{name} {word}".strip()
            yield from _commands(full, found) if hasattr(found, "commands") else [(full, found)]


def options(command: Any) -> set[str]:
    """The options a command takes, those of all verbs included."""
    own = {*command.params, *typer.main.get_command(app).params}
    return {word for one in own for word in (*one.opts, *one.secondary_opts) if word.startswith("-")} | {"--help"}


def config_keys_of() -> dict[str, set[str]]:
    """Every key of the YAML files by its path, `NAME` for names that are not ours; by the file's schema."""
    models = {
        "orchestrator": SettingsShape,
        "data": DataShape,
        "warehouse": WarehouseShape,
        "campaign": CampaignShape,
        "persona": PersonaShape,
    }
    return {f"{name}.schema.json": set(_keys(model, "")) for name, model in models.items()}


def config_keys() -> set[str]:
    """All of them."""
    return {key for keys in config_keys_of().values() for key in keys}


def _keys(annotation: Any, path: str) -> Iterator[str]:
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            full = f"{path}.{field.alias or name}" if path else field.alias or name
            yield full
            yield from _keys(field.annotation, full)
    elif origin is Annotated:
        yield from _keys(get_args(annotation)[0], path)
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _keys(part, path)
    elif origin is list:
        yield from _keys(get_args(annotation)[0], path)
    elif origin is dict:
        yield from _keys(get_args(annotation)[1], f"{path}.NAME")


def segment_words() -> set[str]:
    """Every key a condition may have."""
    of_events = {*EVENT_KEYS, *MOMENT_KEYS, *STEP_KEYS, *MESSAGE_KEYS, *RFM_KEYS}
    return {*NOUNS, *EVERY_WORD, *BAND_WORDS, *of_events, "of", "ignore_case", "salt", "about", "formerly"}


def variables() -> set[str]:
    """What templates may print of a person."""
    return {*BEHAVIOUR, *OCCURRENCES, *OTHERS, *BUILT_IN}


def metrics() -> set[str]:
    """Every figure, by the names that stand in the source."""
    named = re.compile(r'(?:Counter|Gauge|Histogram)\w*\(\s*"(\w+)"')
    return {name for path in SOURCE.rglob("*.py") for name in named.findall(path.read_text(encoding="utf-8"))}


def settings_of_providers() -> set[str]:
    """The keys of every provider's entry."""
    return {it.name for name in registry.BUILT_IN for it in registry.provider(name).declaration.settings}


def words() -> set[str]:
    """All of it: words that a document may write as code."""
    enums = [
        kind
        for module in (fields, campaigns)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum)
    ]
    found: set[str] = {
        str(word) for kind in (*enums, Channel, OnAmbiguous, State, Reason, Outside, RunState, What) for word in kind
    }
    found |= {part for name in commands() for part in name.split()}
    found |= {part for key in config_keys() for part in key.split(".")}
    found |= segment_words() | variables() | metrics() | settings_of_providers() | set(registry.BUILT_IN)
    found |= {*Room().filters, *Room().tests, *GLOBALS, *KEYS, *COLUMN_KEYS, *IN_APP_KINDS}
    found |= {key for keys in HEAD_KEYS.values() for key in keys} | {name for its in FIELDS.values() for name in its}
    return found
