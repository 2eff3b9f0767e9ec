"""The wire that leads nowhere: messages of the memory provider stay in this process, where whoever asked can look at them."""

from orchestrator.core.nouns import Message
from orchestrator.providers import LocalReply, LocalRequest, Request


class Kept:
    """The engine of the memory provider. The same message twice is kept once, as a provider with keys would."""

    places = 1

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        """By id, in the order of their arrival."""

    async def exchange(self, request: Request, deadline: float) -> LocalReply:  # noqa: ARG002 - it takes no time
        """Keep the messages."""
        if not isinstance(request, LocalRequest):
            raise TypeError("only messages are kept, no requests to the outside")
        for message in request.messages:
            self.messages.setdefault(message.id, message)
        return LocalReply(tuple(message.id for message in request.messages))

    async def close(self) -> None:
        """Nothing is open."""
