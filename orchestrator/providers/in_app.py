"""In-app messages: they go into our own inbox, which the customer's app reads; no outside service has a part in it."""

from collections.abc import Sequence

from orchestrator.core.nouns import Channel, InAppContent, Message
from orchestrator.core.outcomes import Accepted, Outcome
from orchestrator.core.times import Instant
from orchestrator.providers import (
    CannotBuildError,
    Credentials,
    Declaration,
    LocalReply,
    LocalRequest,
    Request,
    Response,
    Transport,
)


class InApp:
    """The adapter. The ledger stores message and acceptance in one transaction, so each arrives exactly once."""

    declaration = Declaration(
        name="in_app",
        channels=frozenset({Channel.IN_APP}),
        transport=Transport.INBOX,
        batch=500,
        answers_twice=False,
        timeout=5.0,
    )

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> LocalRequest:  # noqa: ARG002 - nothing hangs on either
        """The messages to store; CannotBuildError for one that is not an in-app message."""
        for message in messages:
            if not isinstance(message.content, InAppContent):
                raise CannotBuildError(f"in_app carries in-app messages only, this is {message.key.channel}")
        if len(messages) > self.declaration.batch:
            raise ValueError(f"in_app takes {self.declaration.batch} messages at once, not {len(messages)}")
        return LocalRequest(tuple(messages))

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """Every message is stored, under its own id."""
        if not isinstance(request, LocalRequest) or not isinstance(response, LocalReply):
            raise TypeError("in_app reads its own replies only")
        return [Accepted(name) for name in response.ids]
