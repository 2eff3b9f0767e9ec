"""A variant, a language and a person that somebody chose, held against those there are."""

from typing import TYPE_CHECKING

from orchestrator.cli.desk import USAGE, fail, no_such

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.app import Opened
    from orchestrator.core.campaigns import Campaign
    from orchestrator.core.nouns import Person
    from orchestrator.core.times import Instant
    from orchestrator.pipeline import Prepared


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


def one_of(opened: "Opened", prepared: "Prepared", user: str, at: "Instant") -> "Person":
    """One person of the campaign's audience, who alone is asked for; ends if they are not in it."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.pipeline import Casting  # noqa: PLC0415

    campaign = prepared.campaign
    casting = Casting(app.audience(opened), opened.project, campaign, at, prepared.letters.touched(), among=[user])
    try:
        person = next(iter(casting), None)
    finally:
        casting.close()
    if person is None:
        names = ", ".join(campaign.audience)
        fail(
            f"{user} is not in the audience of {campaign.name} ({names});"
            f" orchestrator segment explain NAME {user} tells why",
            USAGE,
        )
    return person
