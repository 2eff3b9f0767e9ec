"""Which keys `push` of orchestrator.yaml has: the platforms of devices, each with its providers."""

from typing import Annotated

from pydantic import Field

from orchestrator.config.shape import Shape
from orchestrator.core.devices import PLATFORMS

Names = Annotated[list[str], Field(min_length=1)]


class PushShape(Shape):
    """Providers of push by platform; the next one only when the first is down. Devices of a platform without any get none."""

    ios: Names | None = Field(default=None, description="Devices of the platform `ios`.")
    android: Names | None = Field(default=None, description="Devices of the platform `android`.")
    web: Names | None = Field(default=None, description="Browsers.")
    other: Names | None = Field(default=None, description="Devices whose platform stands not here, or is not known.")

    @property
    def named(self) -> dict[str, list[str]]:
        """The platforms that are written down, and their providers."""
        return {platform: names for platform in PLATFORMS if (names := getattr(self, platform)) is not None}

    @property
    def all(self) -> tuple[str, ...]:
        """Every provider, each once."""
        return tuple(dict.fromkeys(name for names in self.named.values() for name in names))
