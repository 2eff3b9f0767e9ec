"""The page of previews as it is served: for this machine alone, each message in a sandbox, word of every new edition."""

import asyncio
import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from orchestrator.core.nouns import Channel, EmailContent, PushContent
from orchestrator.rendering import Preview, Tile, inspect
from orchestrator.web.preview import Editions, preview_site

MAIL = EmailContent("Shop <a@shop.example>", "Hello <b>", "<html><head></head><body><p>Hi</p></body></html>", "Hi")


def a_tile(content=MAIL, channel=Channel.EMAIL, **more):
    return Tile(channel, ("lapsed",), ("",), ("en",), ("f",), content, inspection=inspect(content, "en"), **more)


def a_preview(*tiles, **more):
    return Preview("winback", "Bring them back", "ada", "with the data of ada", "dev", "", tiles or (a_tile(),), **more)


@pytest.fixture
def editions():
    return Editions(a_preview())


@pytest.fixture
def web(editions):
    site, path = preview_site(editions)
    client = TestClient(site, base_url="http://127.0.0.1:8000")
    client.page = path
    return client


def test_the_page_is_shown_under_its_own_path_alone(web):
    assert "Hello &lt;b&gt;" in web.get(web.page).text
    for path in ("/", "/events", "/page.js", "/messages/x", web.page + "nothing"):
        assert web.get(path).status_code == 404


def test_a_web_page_elsewhere_cannot_have_a_browser_ask_for_it(web):
    for host in ("evil.example", "127.0.0.1.evil.example"):
        assert web.get(web.page, headers={"Host": host}).status_code == 400


def test_the_page_runs_its_own_script_alone_and_is_framed_by_nobody(web):
    policy = web.get(web.page).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    for name, kind in (("page.js", "text/javascript"), ("page.css", "text/css")):
        assert web.get(web.page + name).headers["content-type"].startswith(kind)


def test_the_page_has_no_script_or_style_in_place(web):
    text = web.get(web.page).text
    assert "style=" not in text
    assert text.count("<script") == 1
    assert "<script src=" in text


def test_each_message_is_in_a_sandbox_and_loads_nothing_until_it_is_asked_to(web, editions):
    name = editions.preview.tiles[0].name
    plain, shown = web.get(f"{web.page}messages/{name}"), web.get(f"{web.page}messages/{name}?1&pictures")
    for answer in (plain, shown):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox;")
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        assert "<p>Hi</p>" in answer.text
    assert "img-src data:;" in plain.headers["content-security-policy"]
    assert "img-src data: https: http:" in shown.headers["content-security-policy"]
    frames = re.findall("<iframe ([^>]*)", web.get(web.page).text)
    assert frames
    assert all(frame.split()[0] == "sandbox" for frame in frames)
    assert web.get(f"{web.page}messages/nothing").status_code == 404


def test_words_of_a_template_are_words_on_the_page(web, editions):
    evil = "<script>alert(1)</script>"
    editions.publish(a_preview(a_tile(PushContent(evil, evil, link=evil, image=evil), Channel.PUSH)))
    text = web.get(web.page).text
    assert evil not in text
    assert "&lt;script&gt;alert(1)" in text


async def test_whoever_waits_hears_of_the_next_edition_and_of_the_end(editions):
    waiting = asyncio.create_task(editions.after(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    editions.publish(editions.preview)  # nothing is new about it
    await asyncio.sleep(0)
    assert not waiting.done()
    editions.publish(replace(editions.preview, about="Another"))
    assert await waiting == 2
    assert await editions.after(1) == 2
    last = asyncio.create_task(editions.after(2))
    await asyncio.sleep(0)
    editions.close()
    assert await last == 2


def test_events_end_with_the_page(web, editions):
    editions.close()
    assert web.get(f"{web.page}events").text == ""
