"""Push by platform: which provider knows which device, read and checked."""

import pytest

from orchestrator.core.nouns import Channel
from tests.config.builders import SETTINGS, WINBACK, Given, all_secrets, load, loaded, the_example, with_edit

GATEWAY = "  push: [gateway]"
APNS = """
  apple:
    adapter: apns
    key: ${env:PUSH_SECRET}
    key_id: ABC123DEFG
    team_id: DEF123GHIJ
    topic: com.example.shop
  browsers:
    adapter: webpush
    private_key: ${env:PUSH_SECRET}
    subject: mailto:push@shop.example
"""


def shop(route, push=""):
    """The example with Apple and browsers among its providers, and push routed so."""
    files = with_edit(SETTINGS, "providers:", f"providers:{APNS}")
    return with_edit(SETTINGS, GATEWAY + "\n", f"{route}\n", with_edit(SETTINGS, "route:", f"{push}\nroute:", files))


def said_of(files):
    return [str(mistake) for mistake in load(files, "live").mistakes]


def test_each_platform_has_its_providers_and_the_channel_has_all_of_them():
    project = loaded(shop("", "push: {ios: [apple], web: [browsers], other: [gateway]}")).sound()
    assert project.settings.route[Channel.PUSH] == ("apple", "browsers", "gateway")
    routed = {"ios": ("apple",), "web": ("browsers",), "other": ("gateway",)}
    assert project.campaigns["winback"].by_platform == routed
    assert project.campaigns["winback"].routes[Channel.PUSH] == ("apple", "browsers", "gateway")


def test_a_provider_that_knows_one_platform_alone_gets_only_its_devices():
    assert loaded(shop("  push: [apple]")).sound().campaigns["winback"].by_platform == {"ios": ("apple",)}
    assert loaded(the_example()).sound().campaigns["winback"].by_platform == {}


@pytest.mark.parametrize(
    ("route", "push", "text", "remedy"),
    [
        ("  push: [apple, gateway]", "", "'gateway' and 'apple' do not know the same devices", "push: {ios:"),
        (
            "",
            "push: {android: [apple]}",
            "push.android[0]: 'apple' knows no tokens of android",
            "It knows those of ios.",
        ),
        ("", "push: {ios: [apple], windows: [gateway]}", "push: no key 'windows'", "Allowed: android, ios, other, web"),
        ("", "push: {ios: [aple]}", "push.ios[0]: no provider 'aple'", "Did you mean 'apple'?"),
        ("", "push: {ios: [mail]}", "push.ios[0]: 'mail' does not carry push", "It carries email."),
        ("", "push: {ios: [apple, apple]}", "push.ios[1]: 'apple' stands here twice", "Delete one."),
        ("", "push: {ios: []}", "push.ios", ""),
        ("", "push: {}", "push: names no platform", "Write at least one"),
        (GATEWAY, "push: {ios: [apple]}", "route: push is routed by platform already", "Delete one."),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(route, push, text, remedy):
    told = said_of(shop(route, push))
    assert any(text in one and remedy in one for one in told), told


def test_without_any_route_a_campaign_with_push_has_no_provider():
    assert any("no provider carries push" in one and one.startswith(WINBACK) for one in said_of(shop("")))


def test_the_secrets_of_providers_by_platform_must_be_there():
    files = shop("", "push: {ios: [apple], other: [gateway]}")
    known = {name: text for name, text in all_secrets().variables.items() if name != "PUSH_SECRET"}
    told = [str(one) for one in load(files, "live", Given(known)).mistakes]
    assert any("apple.key" in one and "PUSH_SECRET" in one for one in told), told
