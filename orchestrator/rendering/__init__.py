"""Templates to messages: which files make a message, what they may say, and what comes of them for one person."""

from orchestrator.rendering.compiling import Setting
from orchestrator.rendering.rendering import Compiled, Refusal, RenderRequest, touched
from orchestrator.rendering.scripts import Path, spell

__all__ = ["Compiled", "Path", "Refusal", "RenderRequest", "Setting", "spell", "touched"]
