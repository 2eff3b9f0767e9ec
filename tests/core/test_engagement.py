"""Machines that click and open before people do: known by their names, by their haste, and by following every link."""

import pytest

from orchestrator.core.engagement import SPAN, Touch, asked_by_itself, scanned
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant

ADA, BO = (DeliveryKey(1, user, Channel.EMAIL) for user in ("ada", "bo"))

PEOPLE = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.99 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Thunderbird/144.0",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
]
MACHINES = [
    "",
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
    "BarracudaCentral/1.0",
    "python-requests/2.32.3",
    "Python/3.11 aiohttp/3.9",
    "Go-http-client/2.0",
    "curl/8.5.0",
    "Java/17.0.2",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_browsers_mail_programs_and_the_proxies_behind_them_are_people(agent):
    assert not asked_by_itself({"user-agent": agent})


@pytest.mark.parametrize("agent", MACHINES)
def test_what_calls_itself_a_machine_is_one(agent):
    assert asked_by_itself({"user-agent": agent})


def test_a_page_fetched_ahead_is_nobodys_click():
    assert asked_by_itself({"user-agent": PEOPLE[0], "sec-purpose": "prefetch;prerender"})
    assert asked_by_itself({"user-agent": PEOPLE[0], "x-purpose": "preview"})
    assert asked_by_itself({})


def clicks(key, *moments, links=5):
    """One click on a different link at each moment."""
    return [Touch(key, Deed.CLICKED, Instant(at), f"https://shop.example/{n}", links) for n, at in enumerate(moments)]


@pytest.mark.parametrize(
    ("moments", "links", "is_one"),
    [
        ((0,), 1, False),
        ((0, 1), 2, True),
        ((0, SPAN), 2, True),
        ((0, SPAN + 1), 2, False),
        ((0, 1), 3, False),
        ((0, 1, 2), 9, True),
        ((0, SPAN, 2 * SPAN, 3 * SPAN), 9, False),
        ((0, 9 * SPAN, 9 * SPAN + 1, 9 * SPAN + 2), 9, True),
    ],
)
def test_who_follows_all_links_at_once_or_three_of_them_is_a_machine(moments, links, is_one):
    found = scanned([*clicks(ADA, *moments, links=links), *clicks(BO, 0)])
    assert found == ({ADA} if is_one else set())


def test_the_same_link_twice_and_an_open_beside_a_click_are_a_persons():
    twice = [Touch(ADA, Deed.CLICKED, Instant(at), "https://shop.example/", 1) for at in (0, 1, 2)]
    assert scanned([*twice, Touch(ADA, Deed.OPENED, Instant(0)), Touch(ADA, Deed.OPENED, Instant(1))]) == frozenset()
