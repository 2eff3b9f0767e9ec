"""Segments: who is in an audience. One tree, read three ways: SQL (audience/), one person in memory, a sentence."""

from orchestrator.core.segments.crowd import Crowd, Place
from orchestrator.core.segments.measuring import Happened
from orchestrator.core.segments.mistakes import SegmentError, SegmentMistake
from orchestrator.core.segments.oracle import Everybody, Finding, Moment, OraclePerson, explain, member, referred
from orchestrator.core.segments.parsing import parse
from orchestrator.core.segments.sentence import say, sentences
from orchestrator.core.segments.tree import Catalogue, Declared, Kind, Segment

__all__ = [
    "Catalogue",
    "Crowd",
    "Declared",
    "Everybody",
    "Finding",
    "Happened",
    "Kind",
    "Moment",
    "OraclePerson",
    "Place",
    "Segment",
    "SegmentError",
    "SegmentMistake",
    "explain",
    "member",
    "parse",
    "referred",
    "say",
    "sentences",
]
