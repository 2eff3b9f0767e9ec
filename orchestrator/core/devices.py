"""Which providers know a device's token: all of a channel's, or those of its platform where a project says so."""

from collections.abc import Mapping

from orchestrator.core.nouns import Address

WEB, OTHER = "web", "other"
PLATFORMS = ("ios", "android", WEB, OTHER)
"""What a route by platform may name; `other` is every device whose platform it does not name, or nobody knows."""

ByPlatform = Mapping[str, tuple[str, ...]]
"""Providers of push by platform, in the order of failing over. Empty: every device by the channel's own route."""


def carriers(by_platform: ByPlatform, address: Address) -> tuple[str, ...]:
    """The providers that know this device's token; none for one that nobody carries. A browser's subscription says that it is one."""
    platform = WEB if address.value.startswith("{") else address.platform
    found = by_platform.get(platform)
    return by_platform.get(OTHER, ()) if found is None else found
