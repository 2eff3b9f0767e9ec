"""Greeting, encryption and log-in, against our scripted server and against aiosmtpd."""

import asyncio
import base64
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestrator.core.outcomes import Pause, PauseScope
from orchestrator.providers import MailReply
from orchestrator.providers.smtp import MailServer, Security, Smtp
from orchestrator.wire import NotSent
from orchestrator.wire.smtp import SmtpEngine
from tests.wire.mail_server import Script, Talk, mail_server
from tests.wire.test_smtp import a_mail, send

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1: the server's context, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
    now = datetime.now(UTC)  # a certificate is valid by the real clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


async def talk_to(script: Script, security: Security, *, tls=None, user: str = "", mails: int = 1):
    async with mail_server(script) as (port, heard):
        engine = SmtpEngine(MailServer("127.0.0.1", port, security, user, PASSWORD), connections=1, tls=tls)
        try:
            return await send(engine, *(a_mail(f"p{n}@x.example") for n in range(mails))), heard
        finally:
            await engine.close()


async def test_starttls_encrypts_before_the_password_and_the_letters(certificate):
    server, client = certificate
    script = Script((b"PIPELINING", b"STARTTLS", b"AUTH PLAIN LOGIN"), tls=server)
    replies, heard = await talk_to(script, Security.STARTTLS, tls=client, user="shop", mails=3)
    assert [reply.code for reply in replies] == [250] * 3
    assert heard.encrypted == 1
    assert [command.split(" ")[0] for command in heard.commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert base64.b64decode(heard.commands[3].split(" ")[2]) == f"\0shop\0{PASSWORD}".encode()


async def test_a_certificate_nobody_vouches_for_gets_nothing(certificate):
    script = Script((b"PIPELINING", b"STARTTLS", b"AUTH PLAIN"), tls=certificate[0])
    (reply,), heard = await talk_to(script, Security.STARTTLS, user="shop")
    assert reply.stage == "tls"
    assert "certificate" in reply.text
    assert heard.commands == ["EHLO [127.0.0.1]", "STARTTLS"]
    assert isinstance(Smtp().read(a_mail(), reply)[0], Pause)


async def test_a_server_without_starttls_gets_neither_password_nor_letter():
    (reply,), heard = await talk_to(Script((b"PIPELINING", b"AUTH PLAIN")), Security.STARTTLS, user="shop")
    assert (reply.stage, "STARTTLS" in reply.text) == ("tls", True)
    assert heard.commands == ["EHLO [127.0.0.1]"]


async def test_what_was_slipped_in_before_the_encryption_is_not_believed(certificate):
    server, client = certificate
    script = Script((b"STARTTLS",), {"STARTTLS": b"220 go\r\n250-evil\r\n250 AUTH PLAIN"}, tls=server)
    (result,), heard = await talk_to(script, Security.STARTTLS, tls=client, user="shop")
    assert isinstance(result, NotSent)
    assert not any(command.startswith("AUTH") for command in heard.commands)


@pytest.mark.parametrize("features", [(b"AUTH LOGIN",), (b"AUTH=LOGIN",)], ids=["AUTH LOGIN", "the old AUTH="])
async def test_log_in_by_login(features):
    (reply,), heard = await talk_to(Script(features), Security.NONE, user="shop")
    assert reply.code == 250
    assert [base64.b64decode(line).decode() for line in heard.commands[2:4]] == ["shop", PASSWORD]


async def test_a_wrong_password_is_an_answer_that_stops_the_credential(caplog):
    script = Script((b"PIPELINING", b"AUTH PLAIN"), {"AUTH": b"535 5.7.8 authentication failed"})
    replies, heard = await talk_to(script, Security.NONE, user="shop", mails=5)
    assert replies == [MailReply(535, "5.7.8 authentication failed", "auth")] * 5
    (outcome,) = Smtp().read(a_mail(), replies[0])
    assert (outcome.scope, outcome.after) == (PauseScope.CREDENTIAL, None)
    assert heard.connections == 1
    secret = base64.b64encode(f"\0shop\0{PASSWORD}".encode()).decode()
    assert PASSWORD not in caplog.text
    assert secret not in caplog.text
    assert PASSWORD not in repr(MailServer("h", 25, Security.NONE, "shop", PASSWORD))


async def test_a_wrong_password_is_tried_once_by_each_connection_and_no_more():
    async with mail_server(Script((b"AUTH PLAIN",), {"AUTH": b"535 5.7.8 authentication failed"})) as (port, heard):
        engine = SmtpEngine(MailServer("127.0.0.1", port, Security.NONE, "shop", PASSWORD), connections=4)
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(60)))
        await engine.close()
    assert {(reply.code, reply.stage) for reply in replies} == {(535, "auth")}
    assert heard.connections == 4


async def test_a_server_with_no_log_in_we_know_is_told_to_the_reader():
    (reply,), _ = await talk_to(Script((b"AUTH CRAM-MD5",)), Security.NONE, user="shop")
    assert (reply.stage, "CRAM-MD5" in reply.text) == ("auth", True)


@pytest.mark.parametrize("answer", [b"554 5.3.2 not today", b"421 4.3.2 too busy"])
async def test_an_unfriendly_greeting_is_the_answer_for_all_who_wait(answer):
    replies, _ = await talk_to(Script(answers={"GREETING": answer}), Security.NONE, mails=3)
    assert {(reply.code, reply.stage) for reply in replies} == {(int(answer[:3]), "connect")}


async def test_a_server_that_lets_in_two_connections_gets_everything_by_two():
    seen: list[Talk] = []

    def greeting(talk: Talk) -> bytes:
        seen.append(talk)
        return b"220 hello" if len(seen) <= 2 else b"421 4.7.0 too many connections"

    async with mail_server(Script(answers={"GREETING": greeting})) as (port, heard):
        engine = SmtpEngine(MailServer("127.0.0.1", port, Security.NONE), connections=8)
        replies = await send(engine, *(a_mail(f"p{n}@x.example") for n in range(50)))
        await engine.close()
    assert {reply.code for reply in replies} == {250}
    assert len(heard.messages) == 50


# aiosmtpd: a server that is not ours


class Keeps:
    """An aiosmtpd handler that keeps what it gets; nobody@ does not exist."""

    def __init__(self):
        self.got = []

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802 - aiosmtpd's name and signature
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name and signature
        self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


def _knows_shop(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"shop", PASSWORD.encode()))


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS, Security.NONE])
async def test_aiosmtpd_gets_every_letter_as_it_was(security, certificate):
    server, client = certificate
    keeps = Keeps()
    doors = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            keeps,
            tls_context=server if security is Security.STARTTLS else None,
            require_starttls=security is Security.STARTTLS,
            authenticator=None if security is Security.NONE else _knows_shop,
            auth_require_tls=security is Security.STARTTLS,
        ),
        "127.0.0.1",
        0,
        ssl=server if security is Security.TLS else None,
    )
    port = doors.sockets[0].getsockname()[1]
    user = "" if security is Security.NONE else "shop"
    engine = SmtpEngine(MailServer("127.0.0.1", port, security, user, PASSWORD), connections=3, tls=client)
    mails = [a_mail(f"p{n}@x.example", b"Subject: %d\r\n\r\n.dot\r\n\xc3\xb6\r\n" % n) for n in range(30)]
    replies = await send(engine, *mails, a_mail("nobody@x.example"))
    await engine.close()
    doors.close()
    assert [reply.code for reply in replies] == [250] * 30 + [550]
    assert sorted(keeps.got) == sorted((mail.sender, [mail.recipient], mail.data) for mail in mails)
