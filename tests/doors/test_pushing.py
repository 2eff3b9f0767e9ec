"""A campaign to phones and browsers through the daemon: each device by its own push service, over real sockets."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from orchestrator.core.nouns import State
from orchestrator.core.reasons import Reason
from orchestrator.ledger import Ledger
from tests.doors.builders import rewrite
from tests.doors.serving import a_shop
from tests.doors.test_first_hour import orchestrator
from tests.providers.http2 import Reply, running
from tests.providers.test_apns import P8
from tests.providers.test_webpush import PRIVATE, Browser

PROVIDERS = """\
  sink: {{adapter: fcm, credentials: "${{env:FCM_ACCOUNT}}", endpoint: "{fcm}"}}
  apple:
    adapter: apns
    key: ${{env:APNS_KEY}}
    key_id: ABC123DEFG
    team_id: DEF123GHIJ
    topic: com.example.shop
    endpoint: {apns}
  browsers:
    adapter: webpush
    private_key: ${{env:VAPID_PRIVATE_KEY}}
    subject: mailto:push@shop.example
    services: 127.0.0.1
    network: 127.0.0.0/8
"""


class Browsers(BaseHTTPRequestHandler):
    """The push service of the browsers: who is gone says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, body, self.headers["ttl"]))
        self.send_response(410 if "gone" in self.path else 201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """A server of tests says nothing."""


@pytest.fixture
def browsers():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Browsers)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def apple(asked):
    """Apple's answers, by the first letter of the token."""
    token = asked.headers[":path"].rpartition("/")[2]
    gone = b'{"reason":"Unregistered","timestamp":4102444800000}'
    return Reply(410, body=gone) if token.startswith("dead") else Reply(200, [("apns-id", asked.headers["apns-id"])])


def an_account(url):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    told = {"project_id": "shop", "client_email": "push@shop.example", "private_key": pem, "token_uri": f"{url}/token"}
    return json.dumps(told)


def rows(ledger: Ledger, run):
    """user → (state, reason, provider)."""
    found = ledger.store.rows("SELECT user_id, state, reason, provider FROM delivery WHERE run = ?", (run,))
    return {user: tuple(rest) for user, *rest in found}


def test_each_device_is_reached_by_its_own_push_service(tmp_path, monkeypatch, browsers):
    own = f"http://127.0.0.1:{browsers.server_port}"
    living, gone = Browser(1, f"{own}/push/{{}}"), Browser(2, f"{own}/gone/{{}}")
    folder = tmp_path / "apple"
    folder.mkdir()
    with (
        running(folder, apple) as server,
        a_shop(tmp_path, monkeypatch, people=0, policy="hold", way="webhook") as made,
    ):
        monkeypatch.setenv("FCM_ACCOUNT", an_account(made.sink.url))
        monkeypatch.setenv("APNS_KEY", P8)
        monkeypatch.setenv("VAPID_PRIVATE_KEY", PRIVATE)
        monkeypatch.setenv("SSL_CERT_FILE", server.certificate)
        settings = made.root / "config/orchestrator.yaml"
        lines = [line for line in settings.read_text().splitlines() if not line.startswith("  sink:")]
        settings.write_text("\n".join(lines) + "\n")
        rewrite(settings, "providers:\n", "providers:\n" + PROVIDERS.format(fcm=made.sink.url, apns=server.url))
        rewrite(settings, "route:\n  push: [sink]\n", "push: {ios: [apple], web: [browsers], android: [sink]}\n")
        shop = made.again()
        devices = {
            "iphone": {"token": "AB" * 32, "platform": "ios"},
            "iphone_dead": {"token": "dead" * 16, "platform": "ios"},
            "pixel": {"token": "fcm-token", "platform": "android"},
            "browser": {"token": json.loads(living.subscribed)},
            "browser_gone": {"token": gone.subscribed, "platform": "web"},
            "unknown": {"token": "whose?"},
        }
        bring(shop.root, devices)
        run, daemon = shop.fire(), shop.serve()
        shop.done(daemon, run)
        found = rows(shop.ledger, run)
        assert found == {
            "iphone": (State.ACCEPTED, "", "apple"),
            "iphone_dead": (State.FAILED, Reason.ADDRESS_GONE, "apple"),
            "pixel": (State.ACCEPTED, "", "sink"),
            "browser": (State.ACCEPTED, "", "browsers"),
            "browser_gone": (State.FAILED, Reason.ADDRESS_GONE, "browsers"),
            "unknown": (State.SKIPPED, Reason.NO_ADDRESS, ""),
        }
        [(_, body, ttl)] = [one for one in browsers.asked if one[0] == "/push/1"]
        assert json.loads(living.open(body))["title"].startswith("Dear browser,")
        assert int(ttl) > 0
        paths = sorted(asked.headers[":path"] for asked in server.asked)
        assert paths == [f"/3/device/{'ab' * 32}", f"/3/device/{'dead' * 16}"]
        assert all(UUID(asked.headers["apns-id"]) for asked in server.asked)

        again = shop.fire("again")
        shop.done(daemon, again)
        assert daemon.stop() == 0
        found = rows(shop.ledger, again)
        assert {found["iphone_dead"][:2], found["browser_gone"][:2]} == {(State.SKIPPED, Reason.SUPPRESSED)}
        assert {found[user][0] for user in ("iphone", "pixel", "browser")} == {State.ACCEPTED}


def bring(root, devices):
    """The people, their devices and their consent, as a person brings them."""
    files = {
        "profiles": [{"user_id": user, "firstName": user, "points": 1} for user in devices],
        "devices": [{"user_id": user, **device} for user, device in devices.items()],
        "consent": [{"user_id": user, "channel": "push", "topic": "offers", "granted": True} for user in devices],
    }
    for what, lines in files.items():
        file = root / f"{what}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        [came] = orchestrator(root, "import", what, str(file))
        assert came["rejected"] == 0, came
    orchestrator(root, "import", "suppressions", "--none")
