"""How a connection to a mail server begins: greeting, encryption, log-in. Nothing said here is ever logged."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Mapping
from typing import cast

from orchestrator.providers import MailReply
from orchestrator.providers.smtp import MailServer, Security
from orchestrator.wire.smtp_protocol import Connection
from orchestrator.wire.smtp_replies import Unwelcome, text_of


async def hello(connection: Connection, server: MailServer, tls: ssl.SSLContext | None) -> None:
    """Make an open socket ready for letters; Unwelcome carries the server's refusal, NotSent says that it broke."""
    _expect(220, *await connection.hear(), "connect")
    await _ehlo(connection, server)
    if server.security is Security.STARTTLS:
        await _encrypt(connection, server, tls or ssl.create_default_context())
        await _ehlo(connection, server)
    if server.user:
        await _log_in(connection, server)
    connection.open()


def _expect(wanted: int, code: int, lines: list[bytes], stage: str) -> None:
    if code != wanted:
        raise Unwelcome(MailReply(code, text_of(lines), stage))


async def _ehlo(connection: Connection, server: MailServer) -> None:
    """Say who we are and learn what the server can."""
    code, lines = await connection.ask(f"EHLO {server.helo or _literal(connection)}")
    _expect(250, code, lines, "connect")
    connection.features = _features(lines[1:])


def _features(lines: list[bytes]) -> Mapping[str, str]:
    """`SIZE 35882577` → {"SIZE": "35882577"}; the old way of writing `AUTH=LOGIN` counts as `AUTH LOGIN`."""
    features: dict[str, str] = {}
    for line in lines:
        word, _, rest = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ").strip().partition(" ")
        features[word] = f"{features[word]} {rest}" if word in features else rest
    return features


def _literal(connection: Connection) -> str:
    """Our own address in brackets: what RFC 5321 4.1.4 wants of a client without a public name."""
    address = connection.transport.get_extra_info("sockname")[0] if connection.transport else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


async def _encrypt(connection: Connection, server: MailServer, tls: ssl.SSLContext) -> None:
    """Upgrade to TLS, or not at all: a server that does not offer it gets neither the password nor a letter."""
    if "STARTTLS" not in connection.features:
        text = f"5.7.10 {server.host} offers no STARTTLS; write security: tls, or none if it is within your own network"
        raise Unwelcome(MailReply(523, text, "tls"))
    _expect(220, *await connection.ask("STARTTLS"), "tls")
    connection.must_be_silent()  # what came in the clear must not be taken for what came encrypted
    transport = cast("asyncio.Transport", connection.transport)
    connection.transport = await asyncio.get_running_loop().start_tls(
        transport, connection, tls, server_hostname=server.host
    )


async def _log_in(connection: Connection, server: MailServer) -> None:
    mechanisms = connection.features.get("AUTH", "").split()
    if "PLAIN" in mechanisms:
        reply = await connection.ask(f"AUTH PLAIN {_b64(chr(0) + server.user + chr(0) + server.password)}")
    elif "LOGIN" in mechanisms:
        reply = await connection.ask("AUTH LOGIN")
        for secret in (server.user, server.password):
            _expect(334, *reply, "auth")
            reply = await connection.ask(_b64(secret))
    else:
        text = (
            f"5.7.4 {server.host} offers neither AUTH PLAIN nor AUTH LOGIN ({' '.join(mechanisms) or 'no AUTH at all'})"
        )
        raise Unwelcome(MailReply(504, text, "auth"))
    _expect(235, *reply, "auth")


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
