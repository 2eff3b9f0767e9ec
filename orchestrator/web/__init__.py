"""The product's own web face: unsubscribe pages, the in-app inbox, events, providers' reports, health and metrics."""

from orchestrator.web.callbacks import Callbacks, Listening
from orchestrator.web.site import Health, Seals, site
from orchestrator.web.tracking import Tracking

__all__ = ["Callbacks", "Health", "Listening", "Seals", "Tracking", "site"]
