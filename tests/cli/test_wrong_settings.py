"""A provider that could send nothing is found before a run is in the ledger; and a send that works off another run says so."""

import pytest

from orchestrator import app
from orchestrator.config import MachineSecrets, load, read_tree
from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.ledger import Ledger, NewRun, Planned, planning, runs
from orchestrator.wire.clock import WallClock
from tests.cli.conftest import bring, orchestrator
from tests.ledger.builders import a_person

SECRETS = {
    **dict.fromkeys(("SMTP_HOST", "SMTP_USER", "SMTP_PASSWORD", "RELAY_HOST"), "x"),
    "PUSH_URL": "https://push.shop.example/",
    "PUSH_SECRET": "not-what-it-should-be",
}
LIVE = ("--env", "live")


def in_the_ledger(shop, name="data/live/ledger.db"):
    ledger = Ledger.open(f"sqlite:{name}", shop)
    try:
        return runs.listed(ledger.store)
    finally:
        ledger.close()


@pytest.mark.parametrize(("verb", "code"), [(("send", "new_in", "--yes"), 1), (("serve", "--port", "0"), 1)])
def test_no_run_is_written_where_a_provider_cannot_work_with_its_settings(shop, verb, code):
    bring(shop, "live")
    said = orchestrator(shop, *verb, *LIVE, environ=SECRETS)
    assert said.code == code
    assert "config/orchestrator.yaml:34:" in said.err
    assert "providers.gateway.secret: it must be whsec_ followed by 24 to 64 random bytes" in said.err
    assert SECRETS["PUSH_SECRET"] not in said.err
    assert in_the_ledger(shop) == []


@pytest.mark.parametrize(
    ("wrong", "what", "said"),
    [
        ({}, "provider gateway", "secret (${env:PUSH_SECRET}): it must be whsec_ followed by"),
        ({"PUSH_URL": "push.shop.example"}, "provider gateway", "url (${env:PUSH_URL}): it must start with https://"),
    ],
)
@pytest.mark.parametrize("online", [(), ("--online",)])
def test_the_doctor_names_the_provider_and_the_setting_it_cannot_work_with(shop, wrong, what, said, online):
    found = orchestrator(shop, "doctor", "--json", *LIVE, *online, environ={**SECRETS, **wrong}).told
    [one] = [one for one in found if one["what"] == what]
    assert (one["well"], one["text"].startswith(said)) == (False, True), one
    assert f"{what} online" not in {one["what"] for one in found}


def test_a_mail_server_that_would_get_the_password_in_the_clear_is_named_by_the_doctor(shop):
    path = shop / "config" / "orchestrator.yaml"
    path.write_text(
        path.read_text().replace("    host: ${env:SMTP_HOST}\n", "    host: ${env:SMTP_HOST}\n    security: none\n")
    )
    found = orchestrator(shop, "doctor", "--json", *LIVE, environ=SECRETS).told
    [one] = [one for one in found if one["what"] == "provider mail"]
    assert (one["well"], "would cross the network in the clear" in one["text"]) == (False, True)


def left_behind(shop, users):
    """A run of new_in that is planned and that nobody works."""
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        now = WallClock().now()
        boot = ledger.begin_boot("test", now)
        version = runs.keep_bundle(ledger.store, read_tree(shop), now)
        run, _ = runs.fire(ledger.store, NewRun("new_in", f"by hand {now}", version, now, OnAmbiguous.HOLD), now)
        planning.begin_planning(ledger.store, run.id, boot)
        members = [Planned(a_person(user), ((Channel.EMAIL, 0),)) for user in users]
        planning.add_shard(ledger.store, run.id, 0, now, members)
        planning.finish_planning(ledger.store, run.id, boot, len(members), now)
        ledger.end_boot(now)
        return run.id
    finally:
        ledger.close()


def test_a_send_that_works_off_another_run_says_so_with_that_runs_numbers(shop):
    number = left_behind(shop, ("ada", "bo"))
    told = orchestrator(shop, "send", "new_in", "--yes", "--json").told
    [other] = told["also_worked"]
    assert (other["run"], other["campaign"], other["state"]) == (number, "new_in", "done")
    assert other["people"]["people"] == 2
    number = left_behind(shop, ("cy",))
    said = orchestrator(shop, "send", "new_in", "--yes").out
    assert "messages of other runs were due too, and were worked along with it:" in said
    assert f"   run {number} of new_in is done   1 people: " in said
    assert orchestrator(shop, "send", "new_in", "--yes", "--json").told["also_worked"] == []


def test_a_provider_that_no_route_names_keeps_nobody_from_sending(shop):
    path = shop / "config" / "orchestrator.yaml"
    spare = "  spare:\n    adapter: webhook\n    url: ${env:NOBODY_SET_IT}\n    secret: ${env:NOBODY_SET_IT}\nroute:\n"
    path.write_text(path.read_text().replace("route:\n", spare, 1))
    secrets = MachineSecrets(shop)
    opened = app.Opened(shop, load(read_tree(shop), "live").sound(), read_tree(shop), secrets)
    with pytest.MonkeyPatch.context() as machine:
        for name, value in {**SECRETS, "SMTP_HOST": "localhost", "PUSH_SECRET": "whsec_" + "A" * 44}.items():
            machine.setenv(name, value)
        assert set(app.dispatch(opened, WallClock(), lambda: 0.5).lanes) == {"mail", "relay", "gateway", "in_app"}
