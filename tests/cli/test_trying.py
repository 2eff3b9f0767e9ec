"""`send --test`: one message to one address, marked, without consent, counted nowhere."""

import json

import pytest

from orchestrator.cli.trying import channel_of
from orchestrator.ledger import Ledger
from tests.cli.conftest import bring, orchestrator
from tests.mail import Mailbox, mail_server


def somebody_without_consent(shop):
    for why in orchestrator(shop, "plan", "new_in", "--json").told["nothing"]:
        if why["reason"] == "no_consent":
            return why["examples"][0]
    raise AssertionError("everybody agreed")


def rows(shop, table):
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        return ledger.store.rows(f"SELECT COUNT(*) FROM {table}")[0][0]
    finally:
        ledger.close()


def test_it_goes_to_the_one_address_marked_and_is_counted_nowhere(shop):
    user = somebody_without_consent(shop)
    said = orchestrator(shop, "send", "new_in", "--test", "me@example.test", "--as", user, "--json")
    [message] = said.told["messages"]
    assert (said.code, said.told["user"], message["channel"], message["to"]) == (0, user, "email", "me@example.test")
    assert (message["provider"], message["outcome"]) == ("mail", "accepted")
    [line] = (shop / "data" / "sink" / "email.jsonl").read_text().splitlines()
    assert json.loads(line)["to"] == "me@example.test"
    assert json.loads(line)["content"]["subject"].startswith("[test] ")
    assert {table: rows(shop, table) for table in ("run", "delivery", "touch", "attempt")} == dict.fromkeys(
        ("run", "delivery", "touch", "attempt"), 0
    )
    assert orchestrator(shop, "report", "new_in", "--json").told == []


def test_variant_and_channel_can_be_chosen(shop):
    user = orchestrator(shop, "segment", "sample", "lapsed_vips", "-n", "1", "--json").told["users"][0]
    for variant, word in (("discount", "10% off"), ("reminder", "New in since")):
        words = ["send", "winback", "--test", "0123456789", "--as", user, "--variant", variant, "--channel", "push"]
        told = orchestrator(shop, *words, "--json").told
        assert told["variant"] == variant
        assert told["messages"][0]["content"]["title"].startswith(f"[test] {word}")


@pytest.mark.parametrize(
    ("address", "channel"),
    [
        ("ada@mail.example", "email"),
        ("+43 664 1234567", "sms"),
        ("https://hooks.shop.example/x", "webhook"),
        ("fGh7:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx", "push"),
    ],
)
def test_an_address_says_which_channel_it_is_for(address, channel):
    assert channel_of(address) == channel


def test_me_and_seeds_are_ones_own_addresses(shop):
    none = orchestrator(shop, "send", "new_in", "--test", "me", "--as", "u001")
    assert (none.code, "ORCHESTRATOR_ME" in none.err) == (2, True)
    mine = orchestrator(
        shop, "send", "new_in", "--test", "me", "--as", "u001", "--json",
        environ={"ORCHESTRATOR_ME": "me@example.test, my-token"},
    )  # fmt: skip
    assert [one["channel"] for one in mine.told["messages"]] == ["email", "push"]
    (shop / "lists" / "seeds.csv").write_text("email\nlegal@example.test\n")
    seeds = orchestrator(shop, "send", "new_in", "--test", "seeds", "--as", "u001", "--json")
    assert [one["to"] for one in seeds.told["messages"]] == ["legal@example.test"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--test", "a@example.test"], "--as"),
        (["--as", "u001"], "--test"),
        (["--test", "a@example.test", "--as", "nobody"], "nobody is not in the audience"),
        (["--test", "notanaddress", "--as", "u001"], "--channel push"),
        (["--test", "0123456789", "--as", "u001"], "--channel push"),
        (["--test", "a@example.test", "--as", "u001", "--locale", "xx"], "no locale xx"),
        (["--test", "+43 664 1234567", "--as", "u001"], "has no sms"),
        (["--test", "a@example.test", "--as", "u001", "--channel", "pigeon"], "no channel pigeon"),
        (["--test", "a@example.test", "--as", "u001", "--variant", "b"], "no variant b"),
    ],
)
def test_what_cannot_be_is_named(shop, words, said):
    answer = orchestrator(shop, "send", "new_in", *words)
    assert (answer.code, said in answer.err, "Traceback" in answer.err) == (2, True, False)


@pytest.mark.parametrize(
    ("answer", "outcome", "code"), [("250 2.0.0 taken", "accepted", 0), ("550 5.7.1 no", "permanent", 1)]
)
def test_live_it_really_goes_and_a_refusal_is_told(shop, answer, outcome, code):
    bring(shop, "live")
    box = Mailbox(answer)
    with mail_server(box) as port:
        settings = shop / "config" / "orchestrator.yaml"
        text = settings.read_text()
        plain = f"    host: 127.0.0.1\n    port: {port}\n    security: none\n"
        start, end = text.index("    host: ${env:SMTP_HOST}"), text.index("    rate: 80")
        settings.write_text(text[:start] + plain + text[end:])
        secrets = {"RELAY_HOST": "x", "PUSH_URL": "https://push.shop.example/", "PUSH_SECRET": "whsec_" + "A" * 44}
        words = ["send", "new_in", "--test", "me@example.test", "--as", "u001", "--env", "live", "--json"]
        (shop / "config" / "orchestrator.yaml").write_text(
            settings.read_text().replace("email: [mail, relay]", "email: [mail]")
        )
        said = orchestrator(shop, *words, environ=secrets)
    assert said.code == code, said.err
    assert said.told["messages"][0]["outcome"] == outcome
    assert [mail.rcpt_tos for mail in box.mails] == [["me@example.test"]]
