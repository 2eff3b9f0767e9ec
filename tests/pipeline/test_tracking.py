"""Links of ours in e-mails: they lead where the template's did, for the one who has the mail, and nobody can make one."""

import random
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from orchestrator.core.campaigns import Campaign, Policy
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Address, Channel, DeliveryKey, Person
from orchestrator.ledger import Purpose, Seal
from orchestrator.ledger.links import SigningKey
from orchestrator.pipeline import BundleLetters, Letter
from orchestrator.pipeline.tracking import Tracks, Untracked
from orchestrator.rendering import Compiled, RenderChild
from tests.pipeline.test_previewing import SEAL
from tests.rendering.builders import NOW, SETTING, bundle

URL = "https://go.shop.example"
CLICKS, OPENS = (
    Seal(purpose, (SigningKey(name, bytes([int(name)] * 32)),))
    for purpose, name in ((Purpose.CLICK, "11"), (Purpose.OPEN, "22"))
)
UNTRACKED = Untracked(CLICKS, OPENS)
BODY = """\
<p>Hi {{ firstName }}, <a href="https://shop.example/new?u={{ user_id }}&amp;utm_source=mail#top">new</a>
<a href="https://shop.example/sale">sale</a> <a href="https://shop.example/sale">sale again</a>
<a href="mailto:help@shop.example">help</a> <a href="{{ link }}">your cart</a>
<a href="https://shop.example/imprint" data-untracked>imprint</a>
<a href="{{ unsubscribe_url }}">no more</a></p>
"""


class Hrefs(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.pictures = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs)["href"])
        elif tag == "img":
            self.pictures.append(dict(attrs)["src"])


def mailed(body=BODY, clicks=CLICKS, opens=None, hosts=(), user="u1", run=7, child=None, **attributes):
    """An e-mail of a tracked campaign to somebody."""
    tracks = Tracks(URL, clicks, opens, hosts)
    files = {"templates/spring/_default/email.html": f"---\nsubject: s\n---\n{body}\n"}
    compiled = Compiled("spring", bundle(files), replace(SETTING, secret=tracks.secret))
    assert compiled.mistakes == ()
    campaign = Campaign("spring", (Channel.EMAIL,), Policy("UTC", topic="offers"))
    letters = BundleLetters(compiled, campaign, SEAL, URL, child, tracks)
    person = Person(user, "everyone", attributes={"firstName": "Ada", "link": "https://x.test/c", **attributes})
    letter = Letter(person, DeliveryKey(run, user, Channel.EMAIL), "0" * 32, Address("ada@mail.example"), NOW)
    return next(iter(letters.render([letter])))


def tokens(content, way="c"):
    return re.findall(rf"{URL}/{way}/([\w-]+)", content.html)


def led(content):
    """Where each link of ours leads."""
    return [UNTRACKED.click(token, NOW)[0] for token in tokens(content)]


def test_each_link_leads_where_the_template_meant_it_to():
    assert led(mailed()) == [
        "https://shop.example/new?u=u1&utm_source=mail#top",
        "https://shop.example/sale",
        "https://shop.example/sale",
    ]


def test_mail_telephone_ways_out_and_what_is_not_to_be_tracked_stay_as_they_are():
    hrefs = Hrefs(mailed().html).found
    assert [href for href in hrefs if not href.startswith(f"{URL}/c/")] == [
        "mailto:help@shop.example",
        "https://x.test/c",
        "https://shop.example/imprint",
        hrefs[-1],
    ]
    assert hrefs[-1].startswith(f"{URL}/u/")


def test_a_click_tells_whose_message_it_was_which_link_and_of_how_many():
    touches = [UNTRACKED.click(token, NOW)[1] for token in tokens(mailed())]
    assert {(one.key, one.deed, one.at, one.links) for one in touches} == {
        (DeliveryKey(7, "u1", Channel.EMAIL), Deed.CLICKED, NOW, 2)
    }
    assert [one.link for one in touches] == [
        "https://shop.example/new",
        "https://shop.example/sale",
        "https://shop.example/sale",
    ]


def test_the_text_part_shows_addresses_people_can_read():
    assert f"{URL}/c/" not in mailed().text
    assert "(https://shop.example/sale)" in mailed().text


def test_neither_an_address_nor_an_id_stands_in_a_link():
    html = mailed(user="ada@mail.example", opens=OPENS).html
    assert "ada" not in html.replace("Hi Ada", "")


def test_the_same_message_carries_the_same_links_on_every_attempt_wherever_it_is_written():
    body = BODY + "{% for one in [1, 2] %}<a href='https://shop.example/{{ one }}'>x</a>{% endfor %}"
    with RenderChild() as child:
        assert mailed(body, opens=OPENS) == mailed(body, opens=OPENS) == mailed(body, opens=OPENS, child=child)
    assert mailed(run=8).html != mailed().html


def test_a_link_whose_host_data_chose_is_followed_only_to_known_hosts():
    assert "https://x.test/c" not in led(mailed())
    assert "https://x.test/c" in led(mailed(hosts=["x.test"]))
    assert "https://img.x.test/c" in led(mailed(hosts=["x.test"], link="https://img.X.test/c".lower()))
    for evil in (
        "https://evilx.test/c",
        "https://x.test.evil.example/",
        "https://x.test@evil.example/",
        "https://evil.example/x.test",
    ):
        assert evil not in led(mailed(hosts=["x.test"], link=evil)), evil
        assert evil in Hrefs(mailed(hosts=["x.test"], link=evil).html).found


def test_a_link_that_is_far_too_long_is_left_as_it_is():
    long = "https://x.test/" + "x" * 1600
    assert long in mailed(hosts=["x.test"], link=long).html
    fits = "https://x.test/" + "x" * 1400
    assert fits in led(mailed(hosts=["x.test"], link=fits))


def test_the_picture_stands_at_the_end_and_tells_whose_message_was_opened():
    html = mailed("<html><body><p>Hi</p></body></html>", opens=OPENS).html
    [picture] = Hrefs(html).pictures
    assert html.rstrip().endswith("></body></html>")
    touch = UNTRACKED.open(picture.removeprefix(f"{URL}/o/").removesuffix(".gif"), NOW)
    assert (touch.key, touch.deed) == (DeliveryKey(7, "u1", Channel.EMAIL), Deed.OPENED)
    assert Hrefs(mailed(opens=OPENS).html).pictures != []
    assert Hrefs(mailed(opens=None).html).pictures == []


def test_opens_alone_leave_every_link_as_it_is():
    assert tokens(mailed(clicks=None, opens=OPENS)) == []


def test_whoever_looks_at_a_message_sees_it_without_links_and_pictures_of_ours():
    tracked, plain = mailed(opens=OPENS), mailed(clicks=None)
    assert tracked.html != plain.html
    assert UNTRACKED.content(tracked, URL).html == plain.html.replace(" data-untracked", "")


def test_a_link_made_for_something_else_opens_nothing():
    [token, *_] = tokens(mailed())
    [picture] = tokens(mailed(opens=OPENS), "o")
    assert UNTRACKED.open(token, NOW) is None
    assert UNTRACKED.click(picture, NOW) is None
    # Even under one and the same key.
    key = CLICKS.keys
    parts = ("7", "0", "0", "u1", "2", "https://shop.example/")
    assert UNTRACKED.click(CLICKS.seal(*parts), NOW) is not None
    for purpose in set(Purpose) - {Purpose.CLICK}:
        assert UNTRACKED.click(Seal(purpose, key).seal(*parts), NOW) is None


def test_what_we_never_sealed_ourselves_leads_nowhere_whatever_it_is():
    good = tokens(mailed())[0]
    dice = random.Random(1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    meant = UNTRACKED.click(good, NOW)
    for _ in range(10_000):
        forged = list(good)
        match dice.randrange(4):
            case 0:
                forged[dice.randrange(len(forged))] = dice.choice(letters)
            case 1:
                del forged[dice.randrange(len(forged)) :]
            case 2:
                forged[2:] = dice.choices(letters, k=dice.randrange(300))
            case 3:
                forged.insert(dice.randrange(len(forged)), dice.choice(letters + "%/.é\0"))
        token = "".join(forged)
        # The last letter of base64 may carry bits that mean nothing: what opens is the same link.
        assert UNTRACKED.click(token, NOW) in (None, meant)
        assert UNTRACKED.open(token, NOW) is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "evil", "https://a@evil.example/", ""])
def test_even_a_sealed_link_leads_only_into_the_web(url):
    assert UNTRACKED.click(CLICKS.seal("7", "0", "0", "u1", "2", url), NOW) is None
