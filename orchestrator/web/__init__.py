"""The product's own web face: unsubscribe pages, the in-app inbox, health and metrics."""

from orchestrator.web.site import Health, Seals, site
from orchestrator.web.tracking import Tracking

__all__ = ["Health", "Seals", "Tracking", "site"]
