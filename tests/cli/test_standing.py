"""What an earlier run of a campaign still has under way is said before anybody sends it once more."""

import pytest

from orchestrator.core.times import DAY, Instant
from orchestrator.ledger import Ledger
from orchestrator.wire.clock import WallClock
from tests.cli.conftest import orchestrator
from tests.rendering.test_child import ENDLESS


def change(shop, *statements):
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        with ledger.store.transaction():
            for sql, parameters in statements:
                ledger.store.change(sql, parameters)
        return ledger.store.rows("SELECT COUNT(DISTINCT user_id) FROM delivery WHERE state = 'held'")[0][0]
    finally:
        ledger.close()


@pytest.fixture
def held(shop):
    """A run that waits for the morning; how many people it holds."""
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    tomorrow = Instant(WallClock().now() + DAY)
    return change(
        shop,
        ("UPDATE delivery SET state = 'held', reason = 'quiet_hours', not_before = ? WHERE state = 'accepted'", (tomorrow,)),
        ("DELETE FROM touch", ()),
        ("UPDATE run SET state = 'working', reason = ''", ()),
    )  # fmt: skip


def test_a_send_says_who_waits_in_an_earlier_run_before_it_asks(shop, held):
    said = orchestrator(shop, "send", "new_in", typed="no\n")
    assert said.code == 1
    before, _, _ = said.out.partition("Type the number")
    assert f"run 1 is working and still holds {held:,} of these people, the last of them until 20" in before
    assert "`repeat` lets each of them get it once" in before
    assert "nothing was sent" in said.err
    assert f"still holds {held:,} of these people" in orchestrator(shop, "plan", "new_in").out


def test_a_paused_run_is_told_with_its_reason(shop, held):
    change(shop, ("UPDATE run SET state = 'paused', reason = 'paused by hand'", ()))
    assert f"run 1 is paused (paused by hand) and still holds {held:,}" in orchestrator(shop, "plan", "new_in").out


def test_a_run_that_is_over_is_not_mentioned(shop):
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    change(
        shop, ("UPDATE delivery SET state = 'accepted' WHERE state = 'held'", ()), ("UPDATE run SET state = 'done'", ())
    )
    said = orchestrator(shop, "plan", "new_in").out
    assert "run 1" not in said
    assert "repeat`" not in said


def test_an_endless_template_halts_its_run_and_nobody_is_lost_once_it_is_mended(shop):
    push = shop / "templates" / "new_in" / "_default" / "push.yaml"
    well = push.read_text()
    # `check` tries it out with nobody in particular and with somebody of this address: both are well, and all others are not.
    other = "userAttribute.firstName and userAttribute.email | default('none') != 'ada@shop.example'"
    trap = f"{{% if {other} %}}{ENDLESS}{{% endif %}}"
    push.write_text(well.replace('title: "', f'title: "{trap}', 1))
    said = orchestrator(shop, "send", "new_in", "--yes")
    assert said.code == 1, said.out + said.err
    reason = "5 messages in a row could not be written: took over 2 s (templates/new_in/_default/push.yaml:1)"
    assert f"it stands still: {reason}" in said.out
    assert f"run 1 is paused ({reason}" in orchestrator(shop, "plan", "new_in").out
    assert reason in orchestrator(shop, "report", "new_in").out
    [finding] = [one for one in orchestrator(shop, "doctor", "--json").told if "run 1" in one["what"]]
    assert finding["what"] == "run 1 of new_in is paused"
    assert reason in finding["text"]
    lost = orchestrator(shop, "report", "new_in", "--json").told[0]["counts"]
    assert sum(one["rows"] for one in lost if one["reason"] == "template_too_slow") == 5
    push.write_text(well)
    assert orchestrator(shop, "cancel", "1").code == 0
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    again = orchestrator(shop, "report", "new_in", "--json").told[0]["counts"]
    assert sum(one["rows"] for one in again if one["channel"] == "push" and one["state"] in ("accepted", "held")) > 5
    assert not [one for one in again if one["state"] == "render_failed"]
    rows = orchestrator(shop, "deliveries", "new_in", "--state", "accepted", "--limit", "900", "--json").told
    users = [row["user"] for row in rows]
    assert len(users) == len(set(users)), "nobody got it from both runs"
