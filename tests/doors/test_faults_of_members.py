"""One person's data, or one answer of a provider, goes wrong: it concerns that person only, and the row says where and why."""

import csv
import json

import pytest

from orchestrator.core.nouns import State
from orchestrator.core.reasons import Reason
from tests.doors.serving import a_shop
from tests.doors.test_first_hour import orchestrator

GOOD = {"firstName": "Ada", "points": 3}
PEOPLE = {
    "a_good": GOOD,
    "b_nameless": {"points": 3},
    "c_no_points": {"firstName": "Cy", "points": 0},
    "d_many_words": {"firstName": "D" * 5000, "points": 3},
    "e_garbage": GOOD,
    "g_gone": GOOD,
    "h_wrong_type": {"firstName": "Hal", "points": "a lot"},
    "i_good": GOOD,
}
ADDRESSES = {"e_garbage": "e+accept-then-garbage", "g_gone": "g+gone"}
TEMPLATE = """\
---
from: offers
subject: "Dear {{ userAttribute.firstName }}, you are number {{ 12 // userAttribute.points }}"
---
<p>{{ userAttribute.firstName }}</p>
<p>{{ sender.postal }} · <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, people=0, policy="hold", way="mail") as made:
        (tmp_path / "templates" / "proof" / "_default" / "email.html").write_text(TEMPLATE)
        yield made.again()


def bring(shop):
    """Import the people and their consent as a person does; what the import said of the profiles."""
    profiles = shop.root / "people.jsonl"
    profiles.write_text(
        "".join(
            json.dumps({"user_id": user, "email": f"{ADDRESSES.get(user, user)}@sink.example", **attributes}) + "\n"
            for user, attributes in PEOPLE.items()
        )
    )
    consent = shop.root / "consent.jsonl"
    consent.write_text(
        "".join(
            json.dumps({"user_id": user, "channel": "email", "topic": "offers", "granted": True}) + "\n"
            for user in PEOPLE
        )
    )
    [came] = orchestrator(shop.root, "import", "profiles", str(profiles))
    orchestrator(shop.root, "import", "consent", str(consent))
    orchestrator(shop.root, "import", "suppressions", "--none")
    return came


def rows(shop, run):
    """user → (state, reason, detail)."""
    found = shop.ledger.store.rows("SELECT user_id, state, reason, detail FROM delivery WHERE run = ?", (run,))
    return {user: rest for user, *rest in found}


def test_each_trouble_costs_one_person_and_is_explained(shop):
    came = bring(shop)
    assert came["rejected"] == 1
    with (shop.root / came["rejects"]).open() as file:
        [reject] = csv.DictReader(file)
    assert (reject["line"], reject["column"], reject["value"]) == ("7", "points", "a lot")
    assert "number" in reject["reason"]
    run, daemon = shop.fire(), shop.serve()
    shop.done(daemon, run)
    assert daemon.stop() == 0
    found = rows(shop, run)
    well = [State.ACCEPTED, "", ""]
    assert found["a_good"] == found["i_good"] == found["d_many_words"] == well
    where = "templates/proof/_default/email.html:3"
    assert found["b_nameless"] == [State.SKIPPED, Reason.MISSING_DATA, f"userAttribute.firstName ({where})"]
    state, reason, detail = found["c_no_points"]
    assert (state, reason) == (State.RENDER_FAILED, Reason.TEMPLATE_ERROR)
    assert where in detail
    assert "zero" in detail, detail
    state, reason, detail = found["e_garbage"]
    assert (state, reason) == (State.UNKNOWN, Reason.NO_ANSWER)
    assert detail
    state, reason, detail = found["g_gone"]
    assert (state, reason) == (State.FAILED, Reason.ADDRESS_GONE)
    assert "550 5.1.1" in detail, detail
    assert "h_wrong_type" not in found


def test_the_member_is_reached_once_the_data_is_right(shop):
    bring(shop)
    run, daemon = shop.fire(), shop.serve()
    shop.done(daemon, run)
    (shop.root / "people.jsonl").write_text(
        "".join(
            json.dumps({"user_id": user, "email": f"{user}@sink.example", "firstName": "Bea", "points": 4}) + "\n"
            for user in ("b_nameless", "c_no_points", "h_wrong_type")
        )
    )
    assert orchestrator(shop.root, "import", "profiles", str(shop.root / "people.jsonl"))[0]["rejected"] == 0
    again = shop.fire("again")
    shop.done(daemon, again)
    assert daemon.stop() == 0
    found = rows(shop, again)
    assert {found[user][0] for user in ("b_nameless", "c_no_points", "h_wrong_type")} == {State.ACCEPTED}
