"""JSON Schemas of the files, so that an editor completes keys and marks mistakes while they are typed."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.shapes import DataShape, SettingsShape
from orchestrator.config.warehouse_shape import WarehouseShape
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel
from orchestrator.core.segments import glossary
from orchestrator.core.segments.parsing import NOUNS
from orchestrator.core.segments.reading_bands import BAND_WORDS
from orchestrator.core.segments.reading_events import EVENT_KEYS, MOMENT_KEYS, PICKED_KEYS
from orchestrator.core.segments.reading_messages import CHANNEL_NOUNS, MESSAGE_KEYS
from orchestrator.core.segments.reading_people import RFM_KEYS
from orchestrator.core.segments.reading_steps import STEP_KEYS
from orchestrator.core.segments.reading_tests import EVERY_WORD

SCHEMA_OF = {
    "orchestrator.schema.json": "config/orchestrator.yaml",
    "data.schema.json": "config/data.yaml",
    "warehouse.schema.json": "config/warehouse.yaml",
    "campaign.schema.json": "config/campaigns/*.yaml",
    "segment.schema.json": "config/segments/*.yaml",
    "persona.schema.json": "personas/*.yaml",
}
"""Which files each schema is for, as editors' YAML extensions want it (`yaml.schemas`)."""


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of file, by the name of the schema's own file (see SCHEMA_OF)."""
    from orchestrator.config.persona_shape import PersonaShape  # noqa: PLC0415 - most verbs want no personas

    return {
        "orchestrator.schema.json": _of(SettingsShape),
        "data.schema.json": _of(DataShape),
        "warehouse.schema.json": _of(WarehouseShape),
        "campaign.schema.json": _of(CampaignShape),
        "segment.schema.json": _segment(),
        "persona.schema.json": _of(PersonaShape),
    }


def _of(model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": GenerateJsonSchema.schema_dialect, **model.model_json_schema(by_alias=True)}


def _segment() -> dict[str, Any]:
    """Segments are read by core, not by a model; its own lists of words say which keys there are."""
    condition = {"$ref": "#/$defs/Condition"}
    group = {"type": "array", "items": condition, "minItems": 1}
    words = (
        *EVERY_WORD, *EVENT_KEYS, *MOMENT_KEYS, *PICKED_KEYS, *BAND_WORDS, *MESSAGE_KEYS, *RFM_KEYS, *CHANNEL_NOUNS,
    )  # fmt: skip
    steps: dict[str, Any] = dict.fromkeys((*STEP_KEYS, *MESSAGE_KEYS), True)
    deed = {"enum": [str(deed) for deed in Deed]}
    told = {"enum": [str(deed) for deed in Deed if deed is not Deed.CONVERTED]}
    step = {"$ref": "#/$defs/Step"}
    where = {"type": "object"}
    own = {
        "all": group,
        "any": group,
        "not": condition,
        "attribute": {"type": "string"},
        "event": {"type": "string"},
        "message": deed,
        **{noun: {"enum": [str(channel) for channel in Channel]} for noun in CHANNEL_NOUNS},
        "sample": {"type": "integer", "minimum": 1},
        "of": {"anyOf": [{"const": "everybody"}, condition]},
        "segment": {"type": "string"},
        "list": {"type": "string", "pattern": "^lists/"},
        "bucket": {"type": "string", "examples": ["970 to 999 of 1000"]},
        "salt": {"type": "string"},
        "ignore_case": {"type": "boolean"},
        "where": where,
        "then": step,
        "then_not": step,
    }
    keys = _explained({**dict.fromkeys(words, True), **own})
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "Segment",
        "type": "object",
        "properties": {
            "about": {"type": "string", "minLength": 1, "description": glossary.FILE["about"]},
            "formerly": {"type": ["string", "array"], "description": glossary.FILE["formerly"]},
            "all": group,
            "any": group,
            "not": condition,
        },
        "required": ["about"],
        "additionalProperties": False,
        "$defs": {
            "Condition": {
                "type": "object",
                "properties": keys,
                "additionalProperties": False,
                "oneOf": [{"required": [noun]} for noun in NOUNS],
            },
            "Step": {
                "type": "object",
                "properties": _explained(
                    {
                        **steps,
                        "event": {"type": "string"},
                        "message": told,
                        "where": where,
                        "then": step,
                        "then_not": step,
                        "without": {"anyOf": [step, {"type": "array", "items": step, "minItems": 1}]},
                    }
                ),
                "oneOf": [{"required": ["event"]}, {"required": ["message"]}],
                "additionalProperties": False,
            },
        },
    }


def _explained(keys: dict[str, Any]) -> dict[str, Any]:
    """Each key with a line of meaning, which editors show."""
    told = {}
    for key, shape in keys.items():
        said = glossary.meaning(key)
        told[key] = {**({} if shape is True else shape), "description": said} if said else shape
    return told
