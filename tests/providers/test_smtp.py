"""What a mail server's words mean, taken from the words real servers use."""

import pytest

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, TextContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import Instant
from orchestrator.providers import CannotBuildError, MailReply, MailRequest, Transport
from orchestrator.providers.smtp import AFTER_DOT, MailServer, Security, Smtp, mail_server

CAMPAIGN, CREDENTIAL = PauseScope.CAMPAIGN, PauseScope.CREDENTIAL
CONTENT = EmailContent("Shop <hello@news.shop.example>", "Hello", "<p>Hello</p>", "Hello")
MESSAGE = Message(DeliveryKey(1, "u1", Channel.EMAIL), "ab" * 16, Address("anna@x.example"), CONTENT)
REQUEST = Smtp().build([MESSAGE], {}, Instant(0))


def outcome(code: int, text: str, stage: str = "data"):
    (only,) = Smtp().read(REQUEST, MailReply(code, text, stage))
    return only


def short(result) -> tuple:
    """An outcome without its words."""
    if isinstance(result, Pause):
        return (Pause, result.scope, result.after)
    if isinstance(result, Retry):
        return (Retry, result.after)
    return (type(result),)


@pytest.mark.parametrize(
    ("text", "provider_id"),
    [
        ("2.0.0 Ok: queued as 4XkQz12Lw3z9sW", "4XkQz12Lw3z9sW"),
        ("OK id=1rXyzA-0003Qm-2b", "1rXyzA-0003Qm-2b"),
        ("2.6.0 <x@y.example> [InternalId=4711, Hostname=h.example] Queued mail for delivery", "4711"),
        ("2.0.0 41K9abCD012345 Message accepted for delivery", "41K9abCD012345"),
        (
            "Ok 0102018f2b7c1d2e-1a2b3c4d-0000-4444-8888-abcdefabcdef-000000",
            "0102018f2b7c1d2e-1a2b3c4d-0000-4444-8888-abcdefabcdef-000000",
        ),
        ("2.0.0 OK  1700000000 d2e1a72fcca58-6cb1a.42 - gsmtp", "d2e1a72fcca58-6cb1a.42"),
        ("OK", f"{'ab' * 16}@news.shop.example"),
        ("2.0.0 OK queued", f"{'ab' * 16}@news.shop.example"),
        ("", f"{'ab' * 16}@news.shop.example"),
    ],
)
def test_a_250_is_acceptance_under_the_servers_name_or_ours(text, provider_id):
    assert outcome(250, text) == Accepted(provider_id)


@pytest.mark.parametrize(
    ("code", "text", "stage", "meaning"),
    [
        # Later, for this message
        (
            450,
            "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery",
            "rcpt",
            (Retry, None),
        ),
        (450, "4.2.0 greylisted, please try again in 300 seconds", "rcpt", (Retry, 300.0)),
        (451, "4.7.1 Greylisting in action, please come back in 5 minutes", "rcpt", (Retry, 300.0)),
        (451, "4.3.0 temporary lookup failure", "rcpt", (Retry, None)),
        (452, "4.2.2 mailbox over quota", "rcpt", (Retry, None)),
        (452, "4.3.1 insufficient system storage", "mail", (Retry, None)),
        (454, "4.7.0 TLS not available due to local problem", "data", (Retry, None)),
        (451, "", "data", (Retry, None)),
        # Later and slower, for all
        (421, "4.7.0 Try again later, closing connection.", "mail", (Pause, CREDENTIAL, 60.0)),
        (421, "4.7.28 unusual rate of unsolicited mail", "data", (Pause, CREDENTIAL, 60.0)),
        (454, "Throttling failure: Maximum sending rate exceeded.", "data", (Pause, CREDENTIAL, 60.0)),
        (454, "Throttling failure: Daily message quota exceeded.", "data", (Pause, CREDENTIAL, 600.0)),
        (451, "4.7.1 Too many messages, wait 2 min", "mail", (Pause, CREDENTIAL, 120.0)),
        (550, "5.4.5 Daily user sending limit exceeded", "data", (Pause, CREDENTIAL, 3600.0)),
        (
            550,
            "5.1.90 Your message can't be sent because you've reached your daily limit; sending quota exceeded",
            "data",
            (Pause, CREDENTIAL, 3600.0),
        ),
        # Who we are
        (530, "5.7.0 Authentication required", "mail", (Pause, CREDENTIAL, None)),
        (534, "5.7.9 Application-specific password required", "auth", (Pause, CREDENTIAL, None)),
        (535, "5.7.8 Username and Password not accepted", "auth", (Pause, CREDENTIAL, None)),
        (454, "4.7.0 Temporary authentication failure", "auth", (Pause, CREDENTIAL, 60.0)),
        (554, "5.7.0 the certificate is not trusted", "tls", (Pause, CREDENTIAL, 900.0)),
        (554, "5.3.2 no service here", "connect", (Pause, CREDENTIAL, 900.0)),
        (421, "4.3.2 too busy", "connect", (Pause, CREDENTIAL, 60.0)),
        # The address is dead
        (550, "5.1.1 The email account that you tried to reach does not exist", "rcpt", (AddressGone,)),
        (550, "5.1.1 <anna@x.example>: Recipient address rejected: User unknown", "data", (AddressGone,)),
        (550, "5.1.2 bad destination system", "rcpt", (AddressGone,)),
        (553, "5.1.3 bad address syntax", "rcpt", (AddressGone,)),
        (551, "5.1.6 the user has moved", "rcpt", (AddressGone,)),
        (556, "5.1.10 the domain accepts no mail", "rcpt", (AddressGone,)),
        (550, "5.2.1 The email account that you tried to reach is disabled", "rcpt", (AddressGone,)),
        (550, "5.1.0 Address rejected", "rcpt", (AddressGone,)),
        (550, "No such user here", "rcpt", (AddressGone,)),
        (550, "Requested action not taken: mailbox not found", "rcpt", (AddressGone,)),
        # Never, for this message
        (550, "5.7.1 Our system has detected that this message is likely unsolicited mail", "data", (Permanent,)),
        (550, "blocked by policy", "rcpt", (Permanent,)),
        (552, "5.3.4 message size exceeds fixed limit", "mail", (Permanent,)),
        (552, "5.2.2 mailbox full, quota exceeded", "rcpt", (Permanent,)),
        (554, "5.6.0 malformed message", "data", (Permanent,)),
        (554, "refused", "data", (Permanent,)),
        (550, "5.1.0 rejected", "data", (Permanent,)),
        (554, "5.6.3 cannot become 7 bits", "client", (Permanent,)),
        # The sender
        (550, "5.1.8 sender's domain does not exist", "data", (Pause, CAMPAIGN, None)),
        (550, "5.7.1 you may not send as this sender", "mail", (Pause, CAMPAIGN, None)),
        (
            550,
            "5.7.515 Access denied, sending domain does not meet the required authentication level",
            "data",
            (Pause, CAMPAIGN, None),
        ),
        (550, "5.7.60 SMTP; Client does not have permissions to send as this sender", "data", (Pause, CAMPAIGN, None)),
        (
            550,
            "5.7.26 This mail has been blocked because the sender is unauthenticated",
            "data",
            (Pause, CAMPAIGN, None),
        ),
        (
            554,
            "Message rejected: Email address is not verified. The following identities failed the check",
            "data",
            (Pause, CAMPAIGN, None),
        ),
        *(
            (421, f"4.7.{n} does not meet the requirements for bulk senders", "data", (Pause, CAMPAIGN, None))
            for n in (23, 27, 29, 30, 31, 32)
        ),
        *(
            (550, f"5.7.{n} does not meet the requirements for bulk senders", "data", (Pause, CAMPAIGN, None))
            for n in (23, 27, 29, 30, 31, 32)
        ),
        (451, "4.1.8 sender's domain does not resolve just now", "mail", (Retry, None)),
        # Nonsense
        (354, "go ahead", "data", (Ambiguous,)),
        (250, "Ok", "rcpt", (Ambiguous,)),
    ],
)
def test_a_reply_means(code, text, stage, meaning):
    assert short(outcome(code, text, stage)) == meaning


def test_the_servers_words_are_kept_without_the_address():
    assert (
        outcome(550, "5.1.1 <Anna@x.example>: unknown, anna@x.example", "rcpt").detail
        == "550 5.1.1 <the address>: unknown, the address"
    )
    assert outcome(550, "5.7.1 spam").detail == "550 5.7.1 spam"


@pytest.mark.parametrize("code", range(200, 600))
@pytest.mark.parametrize("stage", ["connect", "tls", "auth", "mail", "rcpt", "data", "client"])
def test_only_a_2xx_after_the_dot_is_acceptance(code, stage):
    assert isinstance(outcome(code, "words", stage), Accepted) == (stage == "data" and code < 300)


# Building


def test_a_message_is_built_with_its_envelope():
    assert isinstance(REQUEST, MailRequest)
    assert (REQUEST.sender, REQUEST.recipient) == ("hello@news.shop.example", "anna@x.example")


def test_it_is_the_same_request_at_every_attempt():
    assert Smtp().build([MESSAGE], {}, Instant(10**18)) == REQUEST


def test_bounces_find_their_delivery():
    request = Smtp().build([MESSAGE], {"return_path": "bounces+{id}@shop.example"}, Instant(0))
    assert request.sender == f"bounces+{'ab' * 16}@shop.example"


def test_anything_but_an_email_is_refused():
    text = Message(DeliveryKey(1, "u1", Channel.SMS), "ab" * 16, Address("+431"), TextContent("hi"))
    with pytest.raises(CannotBuildError, match="sms"):
        Smtp().build([text], {}, Instant(0))


# Declaration and settings


def test_the_declaration_promises_no_key_and_waits_for_the_answer_after_the_dot():
    declaration = Smtp.declaration
    assert (declaration.transport, declaration.key_life, declaration.batch, declaration.window) == (
        Transport.SMTP,
        0,
        1,
        128,
    )
    # The wire gives a third of the time to reaching the dot, the rest to the answer.
    assert declaration.timeout * 2 / 3 >= AFTER_DOT == 600
    assert [setting.name for setting in declaration.settings if setting.secret] == ["password", "dkim_key"]


@pytest.mark.parametrize(
    ("given_settings", "server"),
    [
        ({"host": "mail.x.example"}, MailServer("mail.x.example", 587, Security.STARTTLS)),
        ({"host": "mail.x.example", "security": "tls"}, MailServer("mail.x.example", 465, Security.TLS)),
        ({"host": "mail.x.example", "security": "none"}, MailServer("mail.x.example", 25, Security.NONE)),
        ({"host": "mail.x.example", "port": "2525"}, MailServer("mail.x.example", 2525, Security.STARTTLS)),
        ({"host": "localhost"}, MailServer("localhost", 25, Security.NONE)),
        ({"host": "127.0.0.1", "port": "1025"}, MailServer("127.0.0.1", 1025, Security.NONE)),
        ({"host": "::1", "user": "u", "password": "p"}, MailServer("::1", 25, Security.NONE, "u", "p")),
        ({"host": "localhost", "security": "starttls"}, MailServer("localhost", 587, Security.STARTTLS)),
    ],
)
def test_encryption_is_the_default_everywhere_but_on_this_machine(given_settings, server):
    assert mail_server(given_settings) == server


@pytest.mark.parametrize(
    ("given_settings", "says"),
    [
        ({"host": "mail.x.example", "security": "ssl"}, "starttls, tls, none"),
        ({"host": "mail.x.example", "port": "smtp"}, "1 to 65535"),
        ({"host": "mail.x.example", "port": "0"}, "1 to 65535"),
        ({"host": "mail.x.example", "security": "none", "user": "u", "password": "p"}, "in the clear"),
    ],
)
def test_settings_that_cannot_be_say_what_to_write(given_settings, says):
    with pytest.raises(OrchestratorError, match=says):
        mail_server(given_settings)


def test_a_password_is_not_shown():
    assert "hunter2" not in repr(mail_server({"host": "localhost", "user": "u", "password": "hunter2"}))
