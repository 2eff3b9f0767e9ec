"""The files people write: a whole project read at once, with every mistake named, or nothing of it taken."""

from orchestrator.config.adapters import installed_adapters, objection
from orchestrator.config.adding import Added, extend_catalogue, mapping_text, news, write_whole, written
from orchestrator.config.differences import RENAMED, FileChange, Versions, file_changes
from orchestrator.config.draft import DATA
from orchestrator.config.fields import Deliver, Type
from orchestrator.config.git import RevisionError
from orchestrator.config.origin import Origin, origin_of
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
from orchestrator.config.revisions import Revision, revision
from orchestrator.config.schema import SCHEMA_OF, schemas
from orchestrator.config.secret import MachineSecrets, Secret, SecretMissingError, SecretSource
from orchestrator.config.tree import FOLDERS, load_folder, load_personas, read_tree
from orchestrator.config.watching import fingerprint

__all__ = [
    "DATA",
    "FOLDERS",
    "RENAMED",
    "SCHEMA_OF",
    "Added",
    "Catalogue",
    "Coupons",
    "DataType",
    "Deliver",
    "Environment",
    "FileChange",
    "Files",
    "Loaded",
    "MachineSecrets",
    "Origin",
    "Outline",
    "Project",
    "ProviderSettings",
    "Revision",
    "RevisionError",
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
    "Versions",
    "extend_catalogue",
    "file_changes",
    "fingerprint",
    "installed_adapters",
    "ledger_of",
    "load",
    "load_folder",
    "load_personas",
    "located",
    "mapping_of",
    "mapping_text",
    "news",
    "objection",
    "origin_of",
    "read_tree",
    "revision",
    "schemas",
    "write_whole",
    "written",
]
