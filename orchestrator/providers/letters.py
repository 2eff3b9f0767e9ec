"""An e-mail as services take it that want fields and not bytes: the same checks and the same headers as over SMTP."""

from collections.abc import Mapping

from orchestrator.core.frozen import value
from orchestrator.core.nouns import EmailContent, Message
from orchestrator.providers import CannotBuildError, HttpRequest, mime
from orchestrator.providers.addresses import Mailbox, address, mailbox

ID = "orchestrator_id"
"""Under this name every service keeps the delivery's id with the message, so that its reports can be told apart."""


@value(frozen=True, slots=True)
class Letter:
    """One e-mail to one person. `headers` are the message's own, Message-ID the first of them; values are one line of ASCII."""

    recipient: str
    sender: Mailbox
    reply_to: Mailbox | None
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]


@value(frozen=True, slots=True)
class Posted(HttpRequest):
    """A request that remembers whose messages are in it, in their order: services repeat addresses in their words.

    It shows no more than any request: its method.
    """

    addresses: tuple[str, ...]


def letter(adapter: str, message: Message) -> Letter:
    """The fields of this message; CannotBuildError names the one that cannot be."""
    content = message.content
    if not isinstance(content, EmailContent):
        raise CannotBuildError(f"{adapter} carries e-mail only, this is {message.key.channel}")
    sender = _box("from", content.sender)
    mime.refuse_controls("subject", content.subject)
    if not content.text and not content.html:
        raise CannotBuildError(f"{adapter}: this e-mail has neither a text nor HTML; write one in the template")
    named = mime.own_name(message, sender.address.rpartition("@")[2])
    return Letter(
        address(message.address.value),
        sender,
        _box("reply_to", content.reply_to) if content.reply_to else None,
        content.subject,
        content.text,
        content.html,
        {"Message-ID": named, **mime.own_headers(content)},
    )


def _box(where: str, written: str) -> Mailbox:
    found = mailbox(written)
    mime.check_name(where, found)
    return found
