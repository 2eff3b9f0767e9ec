"""What a worker counts of its own work agrees with the ledger's rows."""

from dataclasses import replace

from orchestrator.core.outcomes import Permanent
from orchestrator.pipeline.tally import MESSAGES, SECONDS, TURNS, UNWRITTEN, Tally, key
from tests.pipeline.test_work import PUSH, Post, Stage, Texts, a_campaign, people


async def test_answers_turns_and_refused_renderings_are_counted(ledger):
    post = Post("push", {"u00001": Permanent("no")})
    stage = Stage(ledger, a_campaign(), people(150), Texts(bad={"u00002"}), push=post)
    tally = Tally()
    stage.parts = replace(stage.parts, watch=tally)
    await stage.drain()
    rows = ledger.store.rows(
        "SELECT channel, provider, state, COUNT(*) FROM delivery WHERE provider <> '' GROUP BY channel, provider, state"
    )
    told = {name: number for name, number in tally.counts.items() if name.startswith(MESSAGES)}
    assert told == {key(MESSAGES, "winback", channel, post, state): n for channel, post, state, n in rows}
    assert told[key(MESSAGES, "winback", PUSH, "push", "accepted")] == 148
    assert tally.counts[key(UNWRITTEN, "winback", PUSH, "missing_data")] == 1
    assert tally.counts[key(TURNS, "winback")] > 0
    assert sum(n for name, n in tally.counts.items() if name.startswith(f"{SECONDS}\tpush")) > 0
