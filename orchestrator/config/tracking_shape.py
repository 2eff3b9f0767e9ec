"""Which keys `tracking:` has, in the settings and in a campaign's file."""

from typing import Annotated

from pydantic import Field

from orchestrator.config.fields import matching
from orchestrator.config.shape import Shape

Host = Annotated[
    str,
    *matching(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9\-]*[A-Za-z0-9]", "a host", "shop.example"
    ),
]


class TrackingShape(Shape):
    """What is known of e-mails after they arrive."""

    clicks: bool = Field(
        default=False,
        description="Links of the HTML part lead over `public_url`, so that `message: clicked` finds who followed one.",
    )
    opens: bool = Field(
        default=False,
        description="A picture at the end of the HTML part tells when it is loaded, for `message: opened`. Some countries want"
        " people's consent to that.",
    )
    hosts: list[Host] = Field(
        default_factory=list,
        description="A link whose host comes from data is followed only to these hosts, and to all below them.",
    )


class CampaignTrackingShape(Shape):
    """What one campaign's e-mails do otherwise than the project's."""

    clicks: bool | None = Field(default=None, description="Follow its links, or do not; unset, as the project says.")
    opens: bool | None = Field(default=None, description="Add the picture, or do not; unset, as the project says.")
