"""The draws that decide about somebody in a campaign, each with the number that was drawn: for explanations."""

from dataclasses import dataclass

from orchestrator.core.assignment import assign, salt
from orchestrator.core.campaigns import Campaign, Kind
from orchestrator.core.draw import place, share
from orchestrator.core.eligibility import PROJECT_HOLDOUT


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: `place` is the number between 0 and 1, `percent` the share it was held against (None: weights), `got` what came out.

    `got` is the name of a variant, or `in` for whoever fell into the share and `out` for everybody else.
    """

    what: str
    place: float
    got: str
    percent: float | None = None


IN, OUT = "in", "out"


def draws(campaign: Campaign, user: str, ramp: float = 100.0) -> tuple[Drawn, ...]:
    """Every draw the campaign makes of a user, the same at every call; `ramp` is the percentage of people it is open to."""
    found, policy, experiment = [], campaign.policy, campaign.experiment
    if policy.project_holdout and campaign.kind is not Kind.TRANSACTIONAL:
        found.append(_share("project_holdout", PROJECT_HOLDOUT, user, policy.project_holdout))
    if experiment is None:
        return tuple(found)
    salted = salt(campaign)
    if experiment.ramp:
        found.append(_share("ramp", f"{salted}:ramp", user, ramp))
    if experiment.variants:
        found.append(Drawn("variant", place(f"{salted}:variant", user), assign(campaign, user)[0]))
    if experiment.holdout:
        found.append(_share("holdout", f"{salted}:holdout", user, experiment.holdout))
    return tuple(found)


def _share(what: str, salted: str, user: str, percent: float) -> Drawn:
    return Drawn(what, place(salted, user), IN if share(salted, user, percent) else OUT, percent)
