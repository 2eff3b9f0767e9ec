"""A real mail server on this machine, and a port that nobody has."""

import socket
from contextlib import contextmanager

from aiosmtpd.controller import Controller


class Mailbox:
    """What a mail server was sent; `answer` is what it says to each."""

    def __init__(self, answer="250 2.0.0 taken"):
        self.answer = answer
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name aiosmtpd calls
        self.mails.append(envelope)
        return self.answer


def a_free_port():
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def mail_server(box, port=0, **more):
    """A server that hands its mails to `box`, on this port or a free one; yields the port."""
    controller = Controller(box, hostname="127.0.0.1", port=port or a_free_port(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
