"""Are clicks and opens of e-mails known, and is there an address of ours to know them by?"""

from orchestrator.config.campaign_shape import CampaignShape
from orchestrator.config.draft import Draft
from orchestrator.config.shapes import SettingsShape
from orchestrator.config.sheets import Sheet
from orchestrator.config.tracking_shape import CampaignTrackingShape, TrackingShape
from orchestrator.core.campaigns import Kind


def check_tracking(draft: Draft, sheet: Sheet, tracking: TrackingShape | CampaignTrackingShape) -> None:
    """Whoever wants to know of clicks or opens needs a place where people reach us."""
    if draft.settings is None or draft.settings.public_url is not None or draft.stood_in("public_url"):
        return
    for key, asked in (("clicks", tracking.clicks), ("opens", tracking.opens)):
        if asked:
            remedy = (
                "Write in config/orchestrator.yaml where people reach `serve`, `public_url: https://go.shop.example`."
            )
            draft.findings.at(sheet, ("tracking", key), f"nobody knows of {key} without a public_url", remedy)


def tracked(shape: CampaignShape, settings: SettingsShape) -> tuple[bool, bool]:
    """Whether clicks are known, and whether opens are: the campaign's own word, else the project's if it is marketing."""
    project = settings.tracking if shape.kind is Kind.MARKETING else TrackingShape()
    own = shape.tracking or CampaignTrackingShape()
    return (
        project.clicks if own.clicks is None else own.clicks,
        project.opens if own.opens is None else own.opens,
    )
