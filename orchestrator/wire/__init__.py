"""Everything that leaves this machine leaves through here: sockets, retries and the guard against inner addresses."""

from orchestrator.core.errors import OrchestratorError


class WireError(OrchestratorError):
    """An exchange with an outside service did not end with its answer."""


class NotSent(WireError):  # noqa: N818 - an outcome of the wire, read in `except NotSent`
    """The service cannot have accepted it: nothing, or not all of it, has left. Safe to send again, by any provider."""


class Lost(WireError):  # noqa: N818 - an outcome of the wire, read in `except Lost`
    """It left and no answer came: the service may have accepted it."""


class TooLong(Lost):
    """An answer came and was torn off, for it was longer than anybody reads; `status` is what it began with."""

    def __init__(self, status: int, most: int) -> None:
        super().__init__(f"the answer ({status}) is longer than {most} bytes")
        self.status = status
