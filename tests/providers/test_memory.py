"""The provider that keeps what it is given."""

from orchestrator.core.outcomes import Accepted
from orchestrator.providers import LocalReply
from orchestrator.providers.memory import Memory
from orchestrator.wire.memory import Kept
from tests.providers.conformance import NOW, Conformance, Suite, kept_under_their_ids
from tests.providers.test_webhook import a_message


class TestMemory(Conformance):
    suite = Suite(
        adapter=Memory,
        credentials={},
        make=lambda count: [a_message(number) for number in range(count)],
        accepts=lambda request: LocalReply(kept_under_their_ids(request)),
        table=[(LocalReply(["m-1"]), Accepted("m-1"))],
    )


async def test_what_was_sent_can_be_looked_at_and_a_repeat_is_kept_once():
    kept, messages = Kept(), [a_message(number) for number in range(3)]
    request = Memory().build(messages, {}, NOW)
    for _ in range(2):
        reply = await kept.exchange(request, 0.0)
        assert Memory().read(request, reply) == [Accepted(message.id) for message in messages]
    assert list(kept.messages.values()) == messages
