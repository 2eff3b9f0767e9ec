"""Tests of campaigns: personas live through the runs of campaigns on a fixed clock, without any store, and are held to what was expected."""

from orchestrator.personas.expecting import Failure, Tested, Told, tested
from orchestrator.personas.life import Message, Outcome
from orchestrator.personas.stage import Stage

__all__ = ["Failure", "Message", "Outcome", "Stage", "Tested", "Told", "tested"]
