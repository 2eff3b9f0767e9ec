"""E-mail over SMTP keeps the promises of every adapter."""

from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message
from orchestrator.core.outcomes import Accepted, AddressGone, Pause, PauseScope, Permanent, Retry
from orchestrator.providers import MailReply
from orchestrator.providers.smtp import Smtp
from tests.providers.conformance import NOW, Conformance, Suite

CONTENT = EmailContent("Shop <hello@news.shop.example>", "Hello", "<p>Hello</p>", "Hello")


def mails(count):
    return [
        Message(DeliveryKey(1, f"u{n}", Channel.EMAIL), f"{n:032x}", Address(f"u{n}@x.example"), CONTENT, judged_at=NOW)
        for n in range(count)
    ]


class TestSmtp(Conformance):
    suite = Suite(
        adapter=Smtp,
        credentials={"host": "mail.shop.example", "user": "shop", "password": "pa55word"},
        make=mails,
        accepts=lambda _: MailReply(250, "2.0.0 Ok: queued as 4XkQz12Lw3z9sW", "data"),
        table=[
            (MailReply(250, "2.0.0 Ok: queued as 4XkQz12Lw3z9sW", "data"), Accepted("4XkQz12Lw3z9sW")),
            (MailReply(451, "4.3.0 try later", "data"), Retry("")),
            (MailReply(550, "5.1.1 no such user", "rcpt"), AddressGone("")),
            (MailReply(552, "5.3.4 too big", "data"), Permanent("")),
            (MailReply(535, "5.7.8 wrong password", "auth"), Pause(PauseScope.CREDENTIAL, "")),
            (MailReply(550, "5.7.26 unauthenticated", "data"), Pause(PauseScope.CAMPAIGN, "")),
        ],
    )
