"""Templates to messages: which files make a message, what they may say, and what comes of them for one person."""

from orchestrator.rendering.child import RenderChild, RenderChildError
from orchestrator.rendering.compiling import Setting
from orchestrator.rendering.inspecting import Finding, Inspection, inspect
from orchestrator.rendering.linting import Catalogue, lint
from orchestrator.rendering.marks import THEIRS, address_of, host_of, replaced
from orchestrator.rendering.needing import Reads
from orchestrator.rendering.rendering import Compiled, Refusal, RenderRequest, touched
from orchestrator.rendering.samples import samples
from orchestrator.rendering.scripts import Path, spell
from orchestrator.rendering.tiles import DEAD, Preview, Tile, addresses, with_answers
from orchestrator.rendering.trials import Values, tried
from orchestrator.rendering.writing import Limits
from orchestrator.rendering.writing_many import write_many

__all__ = [
    "DEAD",
    "THEIRS",
    "Catalogue",
    "Compiled",
    "Finding",
    "Inspection",
    "Limits",
    "Path",
    "Preview",
    "Reads",
    "Refusal",
    "RenderChild",
    "RenderChildError",
    "RenderRequest",
    "Setting",
    "Tile",
    "Values",
    "address_of",
    "addresses",
    "host_of",
    "inspect",
    "lint",
    "replaced",
    "samples",
    "spell",
    "touched",
    "tried",
    "with_answers",
    "write_many",
]
