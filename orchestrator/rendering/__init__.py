"""Templates to messages: which files make a message, what they may say, and what comes of them for one person."""

from orchestrator.rendering.child import RenderChild, RenderChildError
from orchestrator.rendering.compiling import Setting
from orchestrator.rendering.linting import Catalogue, lint
from orchestrator.rendering.rendering import Compiled, Reads, Refusal, RenderRequest, touched
from orchestrator.rendering.scripts import Path, spell
from orchestrator.rendering.trials import Values, tried
from orchestrator.rendering.writing import Limits

__all__ = [
    "Catalogue",
    "Compiled",
    "Limits",
    "Path",
    "Reads",
    "Refusal",
    "RenderChild",
    "RenderChildError",
    "RenderRequest",
    "Setting",
    "Values",
    "lint",
    "spell",
    "touched",
    "tried",
]
