"""Who carries push to a device: by its platform, and a device nobody carries is told apart from no device at all."""

import pytest

from orchestrator.core.campaigns import Campaign, Kind, Policy
from orchestrator.core.devices import carriers
from orchestrator.core.eligibility import judge
from orchestrator.core.facts import PersonFacts, RunFacts
from orchestrator.core.nouns import Address, Channel, Person, Send, Skip
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant

NOW = Instant(1_772_442_000_000_000)
BROWSER = '{"endpoint":"https://x.example"}'


@pytest.mark.parametrize(
    ("routes", "value", "platform", "expected"),
    [
        ({"ios": ("apns",), "other": ("fcm",)}, "t", "ios", ("apns",)),
        ({"ios": ("apns",), "other": ("fcm",)}, "t", "android", ("fcm",)),
        ({"ios": ("apns",), "other": ("fcm",)}, "t", "", ("fcm",)),
        ({"ios": ("apns",)}, "t", "", ()),
        ({"ios": ("apns",)}, "t", "android", ()),
        ({"web": ("webpush",), "ios": ("apns",)}, BROWSER, "", ("webpush",)),
        ({"web": ("webpush",), "ios": ("apns",)}, BROWSER, "ios", ("webpush",)),
    ],
)
def test_a_device_is_carried_by_its_platform_s_providers(routes, value, platform, expected):
    assert carriers(routes, Address(value, platform=platform)) == expected


IPHONE, PIXEL = Address("i", Instant(2), "ios"), Address("a", Instant(1), "android")


def judged(by_platform, *devices, suppressed=frozenset(), which="latest"):
    campaign = Campaign(
        "c", (Channel.PUSH,), Policy("UTC", topic="t"), kind=Kind.TRANSACTIONAL, devices=which, by_platform=by_platform
    )
    person = Person("ada", "all", addresses={Channel.PUSH: devices})
    rows = judge(campaign, RunFacts(1, NOW, NOW), person, PersonFacts(suppressed=suppressed), NOW)
    return [row.verdict for row in rows]


def test_the_latest_device_that_somebody_carries_gets_the_message():
    assert judged({"android": ("fcm",)}, IPHONE, PIXEL) == [Send(PIXEL)]
    assert judged({"android": ("fcm",), "ios": ("apns",)}, IPHONE, PIXEL) == [Send(IPHONE)]
    assert judged({}, IPHONE, PIXEL) == [Send(IPHONE)]


def test_a_device_that_nobody_carries_says_so():
    [verdict] = judged({"web": ("webpush",)}, IPHONE)
    assert verdict == Skip(Reason.NO_ADDRESS, "no provider carries push to this platform")
    assert judged({"web": ("webpush",)}) == [Skip(Reason.NO_ADDRESS)]
    assert judged({"ios": ("apns",)}, IPHONE, PIXEL, suppressed=frozenset({"i"})) == [Skip(Reason.SUPPRESSED)]


def test_of_all_devices_each_has_its_own_row_and_its_own_answer():
    found = judged({"ios": ("apns",)}, IPHONE, PIXEL, which="all")
    assert found == [Send(IPHONE), Skip(Reason.NO_ADDRESS, "no provider carries push to this platform")]
