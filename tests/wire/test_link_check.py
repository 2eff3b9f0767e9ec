"""Whether links lead anywhere: each is asked once, in time, and nothing inside our own network is asked at all."""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest

from orchestrator.wire import link_check
from orchestrator.wire.clock import WallClock
from orchestrator.wire.guard import Allowance
from orchestrator.wire.http import MOST
from orchestrator.wire.link_check import check_links

HERE = Allowance(plain_http=True, networks=(ip_network("127.0.0.1/32"),))
PAGES = {
    "/here": (200, {}),
    "/gone": (404, {}),
    "/broken": (500, {}),
    "/long-and-gone": (404, {}),
    "/closed": (403, {}),
    "/moved": (301, {"Location": "/here"}),
    "/moved-away": (302, {"Location": "/gone"}),
    "/inside": (302, {"Location": "http://127.0.0.2/secret"}),
    "/round": (302, {"Location": "/round"}),
    "/heavy.png": (200, {"Content-Type": "image/png", "Content-Length": "2048000"}),
}


class Shop(BaseHTTPRequestHandler):
    """A web site with pages that are there, gone, moved, and one that takes no HEAD."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - one list for all requests, emptied by the fixture
    patience = threading.Event()

    def do_HEAD(self):
        self.asked.append((self.command, self.path))
        if self.path == "/silent":
            self.patience.wait()
            return
        only_get = self.path in ("/only-get", "/long") and self.command == "HEAD"
        status, headers = (405, {}) if only_get else PAGES.get(self.path, (200, {}))
        self.send_response(status)
        long = b"." * (MOST + 1) if self.path.startswith("/long") and self.command == "GET" else b""
        for name, value in {"Content-Length": str(len(long)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # nobody reads all of a long one
            self.wfile.write(long)

    do_GET = do_HEAD  # noqa: N815 - the library's name for it

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def shop():
    Shop.asked.clear()
    Shop.patience.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Shop.patience.set()
        server.shutdown()
        thread.join()


def answers(shop, *paths):
    urls = [shop + path for path in paths]
    said = check_links(urls, WallClock(), HERE)
    return [said[url] for url in urls]


def test_what_is_there_and_what_is_gone(shop):
    said = answers(shop, "/here", "/gone", "/broken", "/moved", "/moved-away", "/only-get")
    assert said == ["200", "dead: 404", "dead: 500", "200", "dead: 404", "200"]


def test_a_page_too_long_to_be_read_is_what_its_status_says(shop):
    assert answers(shop, "/long", "/long-and-gone") == ["200", "dead: 404"]


def test_a_site_that_is_closed_to_programs_is_not_called_dead(shop):
    assert answers(shop, "/closed") == ["403: closed to programs, look yourself"]


def test_a_heavy_picture_is_weighed(shop):
    assert answers(shop, "/heavy.png") == ["200: 2000 KB, heavy for a picture"]


def test_a_link_that_leads_on_into_our_own_network_is_not_followed(shop):
    [said] = answers(shop, "/inside")
    assert said.startswith("not asked: 127.0.0.2")


def test_a_circle_ends(shop):
    assert answers(shop, "/round") == ["dead: leads on more than 5 times"]


def test_nothing_inside_is_asked_without_leave(shop):
    url = f"{shop}/here"
    said = check_links([url], WallClock())[url]
    assert said.startswith("not asked: 127.0.0.1")
    assert Shop.asked == []


def test_each_address_is_asked_once_and_with_head(shop):
    answers(shop, "/here")
    assert Shop.asked == [("HEAD", "/here")]


def test_nobody_waits_for_a_server_that_says_nothing(shop, monkeypatch):
    monkeypatch.setattr(link_check, "PATIENCE", 0.3)
    assert answers(shop, "/silent", "/here") == ["dead: no answer in time", "200"]


def test_a_host_that_nobody_knows_is_dead():
    async def nowhere(host, port):
        raise OSError("unknown")

    [said] = check_links(["https://nowhere.example/"], WallClock(), resolver=nowhere).values()
    assert said == "dead: nowhere.example: no address found: unknown"
