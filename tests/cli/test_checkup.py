"""`orchestrator doctor` finds what keeps messages from going out, and names the remedy."""

import shutil
from base64 import b64encode

import pytest
from aiosmtpd.smtp import AuthResult

from orchestrator.cli import checkup
from orchestrator.core.times import MINUTE
from orchestrator.ledger import Ledger, figures, pace
from orchestrator.wire.clock import WallClock
from tests.cli.conftest import bring, orchestrator
from tests.mail import a_free_port, mail_server
from tests.post_office import Reply, a_post_office


def findings(shop, *words, environ=None):
    said = orchestrator(shop, "doctor", "--json", *words, environ=environ)
    assert "Traceback" not in said.err, said.err
    found = {}
    for one in said.told:
        found.setdefault(one["what"], []).append((one["well"], one["text"]))
    assert said.code == int(not all(one["well"] for one in said.told))
    return found


@pytest.fixture
def ledger(shop):
    opened = Ledger.open("sqlite:data/ledger.db", shop)
    yield opened
    opened.close()


def test_a_fresh_project_is_well(shop):
    found = findings(shop)
    assert all(well for told in found.values() for well, _ in told), found
    assert {"files", "audience", "ledger", "daemon", "queue", "provider mail"} <= set(found)
    assert orchestrator(shop, "doctor").out.rstrip().endswith("all is well")


def test_a_pool_without_a_code_is_a_mistake_where_a_live_campaign_takes_one_and_messages_leave(shop):
    idle = "no code is in it yet, and no live campaign takes one"
    assert findings(shop, "--env", "live")["coupons winback10"] == [(True, idle)]
    push = shop / "templates" / "winback" / "_default" / "push.yaml"
    push.write_text(push.read_text().replace("body: ", "body: \"{{ coupon('winback10') }}\"\n# ", 1))
    text = (
        "no code is in it yet, and winback gives one to each person;"
        " add some: to lists/winback10.csv, or by orchestrator import coupons winback10 FILE"
    )
    assert findings(shop)["coupons winback10"] == [(True, text)], "nothing leaves there"
    assert findings(shop, "--env", "live")["coupons winback10"] == [(False, text)]
    path = shop / "config/campaigns/winback.yaml"
    path.write_text(path.read_text().replace("state: live", "state: draft"))
    assert findings(shop, "--env", "live")["coupons winback10"] == [(True, idle)]


def test_mistakes_of_files_and_templates_are_named(shop):
    path = shop / "templates" / "new_in" / "_default" / "push.yaml"
    path.write_text(path.read_text().replace("firstName", "firstNam"))
    [(well, text)] = findings(shop)["files"]
    assert (well, "firstNam" in text) == (False, True)
    (shop / "config" / "segments" / "lapsed.yaml").write_text("all: [")
    assert any("lapsed.yaml" in text for _, text in findings(shop)["files"])


def test_files_are_counted_as_check_counts_them_and_a_persona_with_a_mistake_is_named(shop):
    [(well, text)] = findings(shop)["files"]
    files = orchestrator(shop, "check", "--json").told["files"]
    assert (well, text.split(",")[0]) == (True, f"{files} files")
    path = shop / "personas" / "ada.yaml"
    path.write_text(path.read_text().replace("campaign: winback", "campaign: winbak"))
    told = findings(shop)["files"]
    assert told
    assert all(not well and "personas/ada.yaml" in text for well, text in told)


def test_secrets_that_are_missing_concern_those_who_send(shop):
    assert findings(shop)["provider mail"][0][0] is True
    well, text = findings(shop, "--env", "live")["provider mail"][0]
    assert (well, "${env:SMTP_HOST}" in text) == (False, True)


def test_a_live_environment_refuses_to_send_until_told_there_are_no_suppressions(shop):
    bring(shop, "live")
    ledger = Ledger.open("sqlite:data/live/ledger.db", shop)
    ledger.store.change("DELETE FROM suppression")
    secrets = {
        **dict.fromkeys(("SMTP_HOST", "SMTP_USER", "SMTP_PASSWORD", "RELAY_HOST"), "x"),
        "PUSH_URL": "https://push.shop.example/",
        "PUSH_SECRET": "whsec_" + "A" * 44,
    }
    live = ("--env", "live")
    assert findings(shop, *live, environ=secrets)["suppressions"][0][0] is False
    refused = orchestrator(shop, "send", "new_in", "--yes", *live, environ=secrets)
    assert (refused.code, "import suppressions --none" in refused.err) == (1, True)
    assert ledger.store.rows("SELECT COUNT(*) FROM run") == [(0,)]
    ledger.close()
    none = orchestrator(shop, "import", "suppressions", "--none", "--json", *live)
    assert none.told == {"suppressions": "none"}
    assert "suppressions" not in findings(shop, *live, environ=secrets)
    assert orchestrator(shop, "import", "profiles", "--none").code == 2


def test_where_nobody_gave_a_word_nobody_is_reached(shop, ledger):
    ledger.store.change("DELETE FROM consent")
    for environment, well in (("dev", True), ("live", False)):
        [told] = findings(shop, "--env", environment)["consent"]
        assert (told[0], f"orchestrator --env {environment} import consent FILE" in told[1]) == (well, True)


def test_pauses_waiting_runs_and_stuck_shards_are_named(shop, ledger):
    now = WallClock().now()
    orchestrator(shop, "send", "new_in", "--yes")
    with ledger.store.transaction():
        pace.pause(ledger.store, "provider:mail", None, "401: bad key", now)
        ledger.store.change("UPDATE shard SET due_at = ?", (now - 25 * MINUTE,))
        ledger.store.change("UPDATE run SET state = 'working'")
    found = findings(shop)
    assert "orchestrator resume provider:mail" in found["pause provider:mail"][0][1]
    well, text = found["queue"][0]
    assert (well, "25 min" in text, "orchestrator serve" in text) == (False, True, True)
    ledger.store.change("UPDATE run SET state = 'waiting', reason = 'the data is late'")
    assert "orchestrator approve 1" in findings(shop)["run 1 of new_in waits for a person"][0][1]


def test_a_daemon_that_runs_is_named_and_a_dead_one_is_not(shop, ledger):
    ledger.begin_boot("supervisor", WallClock().now())
    assert findings(shop)["daemon"][0][1].startswith("process ")
    other = Ledger.open("sqlite:data/ledger.db", shop)
    ledger.close()
    assert figures.alive(other.store, "supervisor") == []
    other.close()
    assert findings(shop)["daemon"][0][1].startswith("none runs")


def test_a_store_that_cannot_be_reached_is_a_finding_like_others(shop):
    (shop / "data" / "ledger.db").write_bytes(b"not a database" * 200)
    (shop / "data" / "audience.duckdb").unlink()
    found = findings(shop)
    assert (found["ledger"][0][0], found["audience"][0][0], found["files"][0][0]) == (False, False, True)


def test_a_short_disk_is_told_with_what_is_left(shop, monkeypatch):
    free = shutil.disk_usage(shop).free
    monkeypatch.setattr(checkup, "LITTLE", free + (1 << 40))
    [finding] = checkup._disk("ledger", shop / "data" / "ledger.db")
    assert (finding.well, "make room" in finding.text) == (False, True)
    monkeypatch.setattr(checkup, "LITTLE", 0)
    assert list(checkup._disk("ledger", shop / "data" / "ledger.db")) == []


class Nobody:
    """A mail server's handler that is never handed a mail."""


@pytest.mark.parametrize(("password", "well"), [("right", True), ("wrong", False)])
def test_online_every_provider_is_knocked_at(shop, password, well):
    port = a_free_port()
    settings = shop / "config" / "orchestrator.yaml"
    text = settings.read_text()
    start, end = text.index("    host: ${env:SMTP_HOST}"), text.index("    rate: 80")
    own = f"    host: 127.0.0.1\n    port: {port}\n    security: none\n    user: shop\n    password: ${{env:SMTP_PASSWORD}}\n"
    settings.write_text(text[:start] + own + text[end:])
    gone = a_free_port()
    settings.write_text(
        settings.read_text().replace(
            "host: ${env:RELAY_HOST}", f"host: 127.0.0.1\n    port: {gone}\n    security: none"
        )
    )

    def knows(*given):
        return AuthResult(success=given[-1].password == b"right", handled=False)

    with mail_server(Nobody(), port, auth_require_tls=False, authenticator=knows):
        found = findings(shop, "--online", environ={"SMTP_PASSWORD": password})
    assert found["provider mail online"][0][0] is well
    assert ("535" in found["provider mail online"][0][1]) is not well
    reached, why = found["provider relay online"][0]
    assert (reached, "cannot connect" in why) == (False, True)
    assert "provider gateway online" not in found


SERVICES = {
    "postmark": ('token: "${env:KEY}"', "/server", "x-postmark-server-token", "let-me-in"),
    "sendgrid": ('api_key: "${env:KEY}"', "/v3/scopes", "authorization", "Bearer let-me-in"),
    "ses": (
        'region: eu-west-1, access_key: "${env:KEY}", secret_key: "${env:KEY}"',
        "/v2/email/account",
        "authorization",
        "AWS4-HMAC-SHA256 Credential=let-me-in/",
    ),
    "twilio": (
        f'account_sid: {"AC" + "0" * 32}, auth_token: "${{env:KEY}}", from: "+15005550006"',
        f"/2010-04-01/Accounts/{'AC' + '0' * 32}/Messages.json?PageSize=1",
        "authorization",
        "Basic " + b64encode(f"{'AC' + '0' * 32}:let-me-in".encode()).decode(),
    ),
}
REFUSALS = {
    "postmark": (b'{"ErrorCode":10,"Message":"Bad or missing API token"}', {}),
    "sendgrid": (b'{"errors":[{"field":null,"message":"Bad or missing API token"}]}', {}),
    "ses": (b'{"message":"Bad or missing API token"}', {"x-amzn-errortype": "UnrecognizedClientException"}),
    "twilio": (b'{"code":20003,"message":"Bad or missing API token"}', {}),
}


@pytest.mark.parametrize("well", [True, False])
@pytest.mark.parametrize("adapter", sorted(SERVICES))
def test_a_service_is_asked_whether_it_takes_the_key_and_nothing_is_sent(shop, adapter, well):
    own, path, header, value = SERVICES[adapter]
    body, headers = REFUSALS[adapter]
    with a_post_office(lambda _: Reply(200, b"{}") if well else Reply(401, body, headers)) as office:
        settings = shop / "config" / "orchestrator.yaml"
        entry = f'providers:\n  service: {{adapter: {adapter}, {own}, endpoint: "{office.url}"}}\n'
        settings.write_text(settings.read_text().replace("providers:\n", entry, 1))
        [(reached, why)] = findings(shop, "--online", environ={"KEY": "let-me-in"})["provider service online"]
    [parcel] = office.parcels
    assert (parcel.method, parcel.path, parcel.body) == ("GET", path, b"")
    assert parcel.headers[header].startswith(value)
    assert reached is well
    assert well or "Bad or missing API token" in why
    assert "let-me-in" not in why
