"""A shop's templates and shoppers for the tests of rendering."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.core.nouns import CODES, Address, Channel, Content, EmailContent, Person, PushContent
from orchestrator.core.times import instant
from orchestrator.rendering import Compiled, Refusal, RenderRequest, Setting

NOW = instant(datetime.fromisoformat("2026-03-02T09:00:00Z"))
SETTING = Setting(
    time_zone="Europe/Vienna",
    locale="en",
    senders={
        "offers": {
            "from": "Shop <hello@news.shop.example>",
            "reply_to": "help@shop.example",
            "postal": "Shop GmbH, Ring 1, 1010 Wien",
        }
    },
    sender="offers",
)

SHOP = {
    "templates/_base/shop.mjml": """<mjml>
  <mj-head><mj-preview>{{ preheader }}</mj-preview></mj-head>
  <mj-body background-color="#f4f4f4">
    {{ body }}
    <mj-section><mj-column><mj-text font-size="12px" color="#666">
      {{ sender.postal }} · <a href="{{ unsubscribe_url }}">Unsubscribe</a>
    </mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
""",
    "templates/winback/lapsed_vips/email.mjml": """---
from: offers
layout: shop
subject: "{{ userAttribute.firstName | default('Hi') }}, your {{ latest.add_to_cart.product }} is here"
preheader: "You put it aside {{ lastOccurrenceOf['add_to_cart'] | time_ago }}."
copy:
  title: Still thinking it over?
  line: "Yours for {{ latest.add_to_cart.price | currency('EUR') }}, with free returns."
  button: Back to my cart
---
<mj-section background-color="#ffffff">
  <mj-column>
    <mj-text font-size="24px">{{ copy.title }}</mj-text>
    <mj-image src="{{ latest.add_to_cart.image }}" alt="{{ latest.add_to_cart.product }}"
              href="{{ latest.add_to_cart.link }}" />
    <mj-text>{{ copy.line }}</mj-text>
    <mj-button href="{{ latest.add_to_cart.link }}">{{ copy.button }}</mj-button>
  </mj-column>
</mj-section>
""",
    "templates/winback/lapsed_vips/email@discount.mjml": """---
subject: "A thank-you: 10% off your {{ latest.add_to_cart.product }}"
copy:
  line: "Code {{ coupon('winback10') }} takes 10% off until {{ coupon_expires('winback10') | date('d MMMM') }}."
---
""",
    "templates/winback/_default/push.yaml": """title: "New in since your last visit, {{ userAttribute.firstName | default('friend') }}"
body: "Your last order was {{ lastOccurrenceOf['purchase'] | time_ago }}. Have a look around."
link: shop://new
image: https://img.shop.example/winback.jpg
collapse: winback                        # replaces an older one on the lock screen
ttl: 12 hours
""",
    "templates/winback/_default/push@discount.yaml": """title: "10% off, {{ userAttribute.firstName | default('friend') }}: welcome back"
link: "shop://new?code={{ coupon('winback10') }}"
""",
    "templates/welcome_back/_default/in_app.yaml": """kind: modal
title: "Welcome back, {{ userAttribute.firstName | default('friend') }}"
body: Your cart is where you left it.
buttons:
  - {label: Open my cart, link: shop://cart}
  - {label: Not now, dismiss: true}
show: {at_most: 2 times, for: 7 days}
""",
}

ADA = {
    "userAttribute": {"firstName": "Ada"},
    "latest": {
        "add_to_cart": {
            "product": "Wool coat",
            "price": 129,
            "image": "https://x.test/c.jpg",
            "link": "https://x.test/c?a=1&b=2",
        }
    },
    "lastOccurrenceOf": {"add_to_cart": "2026-02-14T18:00:00Z", "purchase": "2026-01-10T12:00:00Z"},
}
EXTRAS = {"unsubscribe_url": "https://go.shop.example/u/abc"}
CODED = {CODES: {"winback10": {"code": "C0DE", "expires": "2026-03-16T12:00:00Z"}}}


def bundle(files: Mapping[str, str]) -> dict[str, bytes]:
    """Files as a bundle holds them."""
    return {path: text.encode() for path, text in files.items()}


def compiled(files: Mapping[str, str], campaign: str = "winback", setting: Setting = SETTING) -> Compiled:
    """A campaign compiled from files, which must be free of mistakes."""
    made = Compiled(campaign, bundle(files), setting)
    assert made.mistakes == ()
    return made


def mistakes(files: Mapping[str, str], campaign: str = "winback") -> list[str]:
    """What is wrong with these files, as people see it."""
    return [str(mistake) for mistake in Compiled(campaign, bundle(files), SETTING).mistakes]


def request(
    attributes: Mapping[str, Any] | None = None,
    channel: Channel = Channel.PUSH,
    *,
    user: str = "u1",
    segment: str = "lapsed",
    variant: str = "",
    locale: str = "",
    zone: str = "",
    extras: Mapping[str, Any] | None = None,
    codes: Mapping[str, Any] = CODED,
) -> RenderRequest:
    """One message to render."""
    person = Person(user, segment, zone, locale, variant, attributes={**codes, **(attributes or {})})
    return RenderRequest(person, channel, NOW, "0123", Address("ada@shop.test"), EXTRAS if extras is None else extras)


def said(expression: str, attributes: Mapping[str, Any] | None = None, **given: Any) -> str:
    """What a push title with this in it says to somebody."""
    answer = answered(expression, attributes, **given)
    assert isinstance(answer, PushContent), answer
    return answer.title


def answered(expression: str, attributes: Mapping[str, Any] | None = None, **given: Any) -> Content | Refusal:
    """What becomes of a push whose title this is."""
    quoted = expression.replace("'", "''")
    made = compiled({"templates/winback/_default/push.yaml": f"title: '{quoted}'\nbody: b\n"})
    return made.render(request(attributes, **given))


def mailed(body: str, attributes: Mapping[str, Any] | None = None, ending: str = "html", **given: Any) -> EmailContent:
    """An e-mail with this body to somebody."""
    made = compiled({f"templates/winback/_default/email.{ending}": f"---\nsubject: s\n---\n{body}\n"})
    answer = made.render(request(attributes, Channel.EMAIL, **given))
    assert isinstance(answer, EmailContent), answer
    return answer
