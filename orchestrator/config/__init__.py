"""The files people write: a whole project read at once, with every mistake named, or nothing of it taken."""

from orchestrator.config.adapters import installed_adapters
from orchestrator.config.adding import Added, extend_catalogue, mapping_text, news, write_whole, written
from orchestrator.config.draft import DATA
from orchestrator.config.fields import Deliver, Type
from orchestrator.config.partial import ledger_of
from orchestrator.config.reading import Files, Loaded, load, located, mapping_of
from orchestrator.config.results import (
    Catalogue,
    Coupons,
    DataType,
    Environment,
    Outline,
    Project,
    ProviderSettings,
    Sender,
    Settings,
    Sketch,
    Source,
    Stores,
    Topic,
)
from orchestrator.config.schema import SCHEMA_OF, schemas
from orchestrator.config.secret import MachineSecrets, Secret, SecretMissingError, SecretSource
from orchestrator.config.tree import load_folder, read_tree
from orchestrator.config.watching import fingerprint

__all__ = [
    "DATA",
    "SCHEMA_OF",
    "Added",
    "Catalogue",
    "Coupons",
    "DataType",
    "Deliver",
    "Environment",
    "Files",
    "Loaded",
    "MachineSecrets",
    "Outline",
    "Project",
    "ProviderSettings",
    "Secret",
    "SecretMissingError",
    "SecretSource",
    "Sender",
    "Settings",
    "Sketch",
    "Source",
    "Stores",
    "Topic",
    "Type",
    "extend_catalogue",
    "fingerprint",
    "installed_adapters",
    "ledger_of",
    "load",
    "load_folder",
    "located",
    "mapping_of",
    "mapping_text",
    "news",
    "read_tree",
    "schemas",
    "write_whole",
    "written",
]
