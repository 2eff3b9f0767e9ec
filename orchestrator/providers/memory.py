"""The provider that delivers nothing: it accepts every message and keeps it, for dry runs, previews and trying things out."""

from collections.abc import Sequence

from orchestrator.core.nouns import Channel, Message
from orchestrator.core.outcomes import Accepted, Outcome
from orchestrator.core.times import Instant
from orchestrator.providers import Credentials, Declaration, LocalReply, LocalRequest, Request, Response, Transport


class Memory:
    """The adapter."""

    declaration = Declaration(
        name="memory",
        channels=frozenset(Channel),
        transport=Transport.MEMORY,
        batch=100,
        answers_twice=False,
        timeout=1.0,
    )

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> LocalRequest:  # noqa: ARG002 - nothing hangs on either
        """The messages as they are."""
        if len(messages) > self.declaration.batch:
            raise ValueError(f"memory takes {self.declaration.batch} messages at once, not {len(messages)}")
        return LocalRequest(tuple(messages))

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """Every message was kept, under its own id."""
        if not isinstance(request, LocalRequest) or not isinstance(response, LocalReply):
            raise TypeError("memory reads its own replies only")
        return [Accepted(name) for name in response.ids]
