"""`suppress` stops an address or all of a person's, lifts it with a reason, and shows what happened to it."""

import json

import pytest

from orchestrator.providers.subscriptions import spelled
from tests.cli.conftest import orchestrator

RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


def test_an_address_is_stopped_looked_up_and_lifted(shop):
    free = orchestrator(shop, "suppress", "--show", "stop@x.test")
    assert (free.code, free.out) == (0, " email stop@x.test   may be written to\n")
    said = orchestrator(shop, "suppress", "stop@x.test", "--reason", "she asked by phone", "--by", "Bo")
    assert said.code == 0, said.err
    assert "email stop@x.test   is stopped since 20" in said.out
    assert "suppressed by Bo: she asked by phone" in said.out
    assert said.out.endswith(" 1 address stopped: nothing is sent there any more\n")
    again = orchestrator(shop, "suppress", "Stop@X.test")
    assert " nothing changed: it was stopped already" in again.out
    lifted = orchestrator(shop, "suppress", "--lift", "stop@x.test", "--reason", "she asked again", "--by", "Cy")
    assert lifted.out.endswith(" 1 address may be written to again\n")
    told = orchestrator(shop, "suppress", "--show", "stop@x.test", "--json").told
    [address] = told["addresses"]
    assert (address["suppressed"], address["reason"], told["changed"]) == (False, None, 0)
    history = [(one["what"], one["by"], one["reason"]) for one in address["history"]]
    assert history == [("suppressed", "Bo", "she asked by phone"), ("lifted", "Cy", "she asked again")]


def test_a_users_id_stands_for_all_their_addresses_and_the_next_plan_knows(shop):
    before = orchestrator(shop, "plan", "new_in", "--json").told
    rows = orchestrator(shop, "segment", "sample", "staff", "--json").told
    user = orchestrator(shop, "segment", "sample", "visitors", "--json").told["users"][0]
    assert rows is not None
    told = orchestrator(shop, "suppress", user, "--json").told
    assert told["changed"] == len(told["addresses"]) > 0
    assert {one["channel"] for one in told["addresses"]} <= {"email", "sms", "push"}
    assert all(one["suppressed"] for one in told["addresses"] if not one["seen_since"])
    after = orchestrator(shop, "plan", "new_in", "--json").told
    assert after["people"] == before["people"]
    assert after["reached"] <= before["reached"]
    lifted = orchestrator(shop, "suppress", "--lift", user, "--reason", "a mistake", "--json").told
    assert lifted["changed"] == told["changed"]
    assert orchestrator(shop, "plan", "new_in", "--json").told["reached"] == before["reached"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("suppress", "--lift", "a@x.test"), "--lift needs --reason"),
        (("suppress", "--lift", "a@x.test", "--reason", " "), "--lift needs --reason"),
        (("suppress", "--lift", "--show", "a@x.test"), "one of them"),
        (("suppress", "--show", "a@x.test", "--reason", "x"), "--show only looks"),
        (("suppress", "nobody"), "nobody is known by the id nobody"),
        (("suppress", "a@@x.test"), "no mailbox has"),
        (("suppress", "+43 660 1"), "+43 660 1: this is no phone number with its country"),
        (("suppress", "0660 1234567", "--channel", "sms"), "this is no phone number with its country"),
        (("suppress", "token", "--channel", "pusch"), "Did you mean push?"),
        (("suppress", "token", "--channel", "in_app"), "There are: push, email, sms"),
    ],
)
def test_a_mistaken_word_is_told_and_changes_nothing(shop, words, said):
    told = orchestrator(shop, *words)
    assert (told.code, said in told.err) == (2, True), told.err


def test_a_device_is_named_by_its_token(shop):
    told = orchestrator(shop, "suppress", "abc123", "--channel", "push", "--json").told
    assert [(one["channel"], one["address"], one["suppressed"]) for one in told["addresses"]] == [
        ("push", "abc123", True)
    ]


def test_an_address_can_be_stopped_before_anybody_was_imported(shop):
    (shop / "data" / "audience.duckdb").unlink()
    assert orchestrator(shop, "suppress", "a@x.test").code == 0
    assert orchestrator(shop, "suppress", "u001").code == 1


def test_a_browser_is_stopped_in_whatever_spelling_it_is_named(shop):
    keys = {"p256dh": f"{RECEIVER}=", "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    spelt = json.dumps({"keys": keys, "endpoint": "https://fcm.googleapis.com/fcm/send/x"}, indent=1)
    told = orchestrator(shop, "suppress", spelt, "--channel", "push", "--json").told
    plain = spelled(spelt)
    assert [one["address"] for one in told["addresses"]] == [plain]
    assert plain != spelt
    assert orchestrator(shop, "suppress", "--show", plain, "--channel", "push", "--json").told["addresses"][0][
        "suppressed"
    ]
    torn = orchestrator(shop, "suppress", "{torn", "--channel", "push")
    assert torn.code != 0
    assert "JSON.stringify" in torn.err
