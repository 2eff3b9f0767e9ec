"""In-app messages, which only our own inbox carries."""

import pytest

from orchestrator.core.nouns import Channel
from orchestrator.core.outcomes import Accepted
from orchestrator.providers import CannotBuildError, LocalReply
from orchestrator.providers.in_app import InApp
from tests.providers.conformance import NOW, Conformance, Suite, kept_under_their_ids
from tests.providers.test_webhook import a_message


class TestInApp(Conformance):
    suite = Suite(
        adapter=InApp,
        credentials={},
        make=lambda count: [a_message(number, Channel.IN_APP) for number in range(count)],
        accepts=lambda request: LocalReply(kept_under_their_ids(request)),
        table=[(LocalReply(["m-1"]), Accepted("m-1"))],
    )


def test_no_other_content_gets_into_the_inbox():
    with pytest.raises(CannotBuildError, match="push"):
        InApp().build([a_message(channel=Channel.PUSH)], {}, NOW)
