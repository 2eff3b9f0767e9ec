"""A dry run of one campaign by itself, to its end."""

from orchestrator.pipeline import forecasting
from orchestrator.pipeline.foreseen import together


def forecast(*question, **more):
    """What `forecasting` comes to."""
    [found] = together([forecasting(*question, **more)])
    return found
