"""Who hears of clicks and opens: nobody unless a file says so, and nobody without a place where people reach us."""

import pytest

from tests.config.builders import SETTINGS, WELCOME, WINBACK, loaded, said, with_edit

PUBLIC = "public_url: https://go.shop.example"


def asked(settings="", winback="", kind="marketing", public=True):
    """The example, whose settings and whose campaign by e-mail say this of tracking."""
    files = with_edit(SETTINGS, PUBLIC, f"{PUBLIC if public else ''}\n{settings}\n")
    files = with_edit(WINBACK, "kind: marketing ", f"{winback}\nkind: {kind} ", files)
    return files if public else with_edit(WINBACK, "state: live", "state: draft", files)


def known(*words, **over):
    policy = loaded(asked(*words, **over)).project.campaigns["winback"].policy
    return policy.clicks, policy.opens


def test_unless_a_file_says_so_nobody_knows():
    assert known() == (False, False)


def test_a_campaign_does_as_the_project_says_unless_it_says_otherwise():
    assert known("tracking: {clicks: true}") == (True, False)
    assert known("tracking: {clicks: true, opens: true}", "tracking: {opens: false}") == (True, False)
    assert known("", "tracking: {clicks: true, opens: true}") == (True, True)


def test_a_transactional_campaign_is_tracked_by_its_own_word_alone():
    project = "tracking: {clicks: true, opens: true}"
    assert known(project, kind="transactional") == (False, False)
    assert known(project, "tracking: {clicks: true}", kind="transactional") == (True, False)


def test_hosts_are_read_in_small_letters():
    project = loaded(asked("tracking: {clicks: true, hosts: [Shop.example, pay.example]}")).project
    assert project.settings.tracked_hosts == ("shop.example", "pay.example")


@pytest.mark.parametrize(
    ("settings", "winback", "text"),
    [
        (
            "tracking: {clicks: true}",
            "",
            "orchestrator.yaml:5:20  tracking.clicks: nobody knows of clicks without a public_url",
        ),
        (
            "",
            "tracking: {opens: true}",
            "winback.yaml:4:19  tracking.opens: nobody knows of opens without a public_url",
        ),
    ],
)
def test_whoever_wants_to_know_needs_a_public_address(settings, winback, text):
    found = said(asked(settings, winback, public=False))
    assert text in found
    assert "`public_url: https://go.shop.example`" in found


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ("tracking: {clicks: maybe}", "tracking.clicks: expects"),
        ("tracking: {click: true}", "no key 'click'\n    Allowed: clicks, hosts, opens. Did you mean 'clicks'?"),
        (
            "tracking: {hosts: ['https://shop.example']}",
            "tracking.hosts[0]: 'https://shop.example' is not a host\n    Write it like `shop.example`.",
        ),
        ("tracking: {hosts: [com]}", "'com' is not a host"),
    ],
)
def test_a_slip_of_the_pen_is_said(settings, text):
    assert text in said(asked(settings))


def test_a_campaign_without_mail_has_nothing_to_track():
    files = with_edit(WELCOME, "kind: marketing", "tracking: {clicks: true}\nkind: marketing")
    assert "'tracking' has no meaning without email\n    Delete it." in said(files)
