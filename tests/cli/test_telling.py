"""What was sent and said by hand is in the next question, without a daemon."""

import json

from tests.cli.conftest import orchestrator

REACHED = "about: They got it\nall:\n  - {message: sent, campaign: new_in}\n"


def reachable(shop):
    return orchestrator(shop, "segment", "show", "visitors", "--json").told["reachable"]


def test_a_segment_about_messages_knows_of_a_send_by_hand(shop):
    (shop / "config" / "segments" / "reached.yaml").write_text(REACHED)
    sent = orchestrator(shop, "send", "new_in", "--yes", "--json")
    assert sent.told["rows"]["accepted"] > 0
    counted = orchestrator(shop, "segment", "count", "reached", "--json").told
    assert counted["people"] == sent.told["people"]["reached"]


def test_a_segment_knows_of_words_from_the_start_and_of_those_imported_later(shop, tmp_path):
    before = reachable(shop)
    file = tmp_path / "words.jsonl"
    words = [
        {
            "user_id": f"u{number:03}",
            "channel": "email",
            "topic": "offers",
            "granted": False,
            "at": "2999-01-01T00:00:00Z",
        }
        for number in range(200)
    ]
    file.write_text("\n".join(json.dumps(word) for word in words))
    assert orchestrator(shop, "import", "consent", str(file)).code == 0
    assert reachable(shop) != before
