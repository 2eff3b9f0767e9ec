"""A template that ends its writer for one member after the other halts its run: the others stay planned, nobody is lost."""

import pytest

from orchestrator.core.nouns import Address, Channel, DeliveryKey, Person, PushContent, State
from orchestrator.core.reasons import Reason
from orchestrator.ledger import Purpose, RunState, deliveries, runs
from orchestrator.pipeline import BundleLetters, Letter, Prepared, Unwritten
from orchestrator.pipeline.letters import STRIKES
from orchestrator.rendering import Limits, RenderChild
from tests.ledger.builders import NOW
from tests.pipeline.test_work import Stage, a_campaign, people
from tests.rendering.builders import compiled
from tests.rendering.test_child import ENDLESS

FILE = "templates/winback/_default/push.yaml"
PUSHES = compiled({FILE: f'body: b\ntitle: "{{% if userAttribute.bomb %}}{ENDLESS}{{% endif %}}fine"\n'})
CAMPAIGN = a_campaign(channels=(Channel.PUSH,))


def letters(*bombs, run=1):
    """One letter for each: true for a person whose message never ends."""
    for number, bomb in enumerate(bombs):
        person = Person(f"u{number}", "vips", attributes={"userAttribute": {"bomb": bomb}})
        yield Letter(person, DeliveryKey(run, person.user, Channel.PUSH), "0123", Address("t"), NOW)


@pytest.fixture
def desk(ledger):
    with RenderChild(PUSHES, limits=Limits(seconds=0.4)) as child:
        yield BundleLetters(PUSHES, CAMPAIGN, ledger.seal(Purpose.UNSUBSCRIBE, NOW), "", child)


def test_after_so_many_in_a_row_nobody_else_is_written_to_and_the_reason_names_the_line(desk):
    answers = list(desk.render(letters(False, *[True] * (STRIKES + 20), False)))
    assert isinstance(answers[0], PushContent)
    assert [answer.reason for answer in answers[1:]] == [Reason.TEMPLATE_TOO_SLOW] * STRIKES
    assert desk.halted(1) == f"{STRIKES} messages in a row could not be written: took over 0.4 s ({FILE}:2)"
    assert desk.halted(1) == "", "it is told once"


def test_one_that_can_be_written_clears_the_count_and_one_more_halts_again(desk):
    few = [True] * (STRIKES - 1)
    answers = list(desk.render(letters(*few, False, True)))
    assert (len(answers), desk.halted(1)) == (STRIKES + 1, "")
    assert len(list(desk.render(letters(*few, True, True, run=2)))) == STRIKES - 1
    assert desk.halted(2)
    assert len(list(desk.render(letters(True, True, True, run=2)))) == 1, "resumed by hand, the first one tells"
    assert desk.halted(2)


class Halting:
    """Letters of which the third is one too many."""

    def __init__(self):
        self.halts, self.over = {}, False

    def render(self, asked, weight=None):
        for number, letter in enumerate(asked):
            if number == 2 and not self.over:
                self.halts[letter.key.run] = "5 messages in a row could not be written: took over 2 s (x.yaml:3)"
                yield Unwritten(State.RENDER_FAILED, Reason.TEMPLATE_TOO_SLOW, "took over 2 s (x.yaml:3)")
                return
            yield PushContent("t", "b")


async def test_a_halted_run_is_paused_and_goes_on_where_it_stood_once_resumed(ledger):
    members, halting = people(5), Halting()
    stage = Stage(ledger, CAMPAIGN, members)
    stage.parts = stage.parts.__class__(
        stage.parts.ledger,
        stage.parts.dispatch,
        lambda *_: Prepared(CAMPAIGN, halting, lambda run: halting.halts.pop(run, "")),
    )
    await stage.drain()
    run = runs.find(ledger.store, stage.run.id)
    assert (run.state, run.reason) == (
        RunState.PAUSED,
        "5 messages in a row could not be written: took over 2 s (x.yaml:3)",
    )
    assert states(ledger, run.id) == {"accepted": 2, "render_failed": 1, "planned": 2}
    halting.over = True
    assert runs.steer(ledger.store, run.id, RunState.WORKING, [RunState.PAUSED])
    await stage.drain()
    assert states(ledger, run.id) == {"accepted": 4, "render_failed": 1}
    assert runs.find(ledger.store, run.id).state is RunState.DONE
    assert sorted(stage.posts["push"].got) == ["u00000", "u00001", "u00003", "u00004"]


def states(ledger, run):
    found = {}
    for count in deliveries.counts(ledger.store, run):
        found[str(count.state)] = found.get(str(count.state), 0) + count.rows
    return found
