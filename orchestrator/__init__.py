"""Personalised messaging as code: segments, campaigns, templates and delivery policy live as files in git."""

__version__ = "0.1.0"
