"""A variant and a language that somebody chose, held against those there are."""

from typing import TYPE_CHECKING

from orchestrator.cli.desk import no_such

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.core.campaigns import Campaign


def chosen_variant(campaign: "Campaign", name: str) -> str:
    """A variant of the campaign's experiment; ends with those there are if it is none."""
    variants = [] if campaign.experiment is None else list(campaign.experiment.variants)
    return name if name in variants else no_such("variant", name, variants)


def chosen_locale(locales: "Sequence[str]", name: str) -> str:
    """A language of the project, or one with a region that falls back to it, as `de-CH` does to `de`."""
    spoken = {locale.partition("-")[0] for locale in locales}
    language, *rest = name.replace("_", "-").split("-")
    regional = all(part.isalnum() and 2 <= len(part) <= 4 for part in rest)
    return name if name in locales or (language in spoken and regional) else no_such("locale", name, locales)
