"""E-mails for the tests of providers, and what each kind of service must be told of them."""

from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message
from tests.providers.conformance import NOW

LINK = "https://go.shop.example/u/sealed"
PAIR = {"List-Unsubscribe": f"<{LINK}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
CONTENT = EmailContent(
    'Größe, "Shop" <hello@news.shop.example>',
    "Ihr Korb wartet — 20 %",
    "<p>Größe 42 ✓</p>",
    "Größe 42 ✓",
    "Hilfe <help@shop.example>",
    PAIR,
)
"""Every letter of it is there to go wrong somewhere: umlauts, quotation marks, a comma in a name, a dash."""


def a_mail(number=0, content=CONTENT, address="", **over):
    to = Address(address or f"u{number}@mail.example")
    key = DeliveryKey(1, f"u{number}", Channel.EMAIL)
    return Message(key, f"{number:032x}", to, content, judged_at=NOW, **over)


def mails(count):
    return [a_mail(number) for number in range(count)]
