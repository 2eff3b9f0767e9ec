"""Finding somebody by what people call them: their id, their e-mail address, their phone number."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from orchestrator.audience.reader import Reader
from orchestrator.audience.tongue import column, text
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.times import Instant

_SIGNS = " ()./-"
"""What people put between the digits of a phone number."""
_MOST = 20


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody as the audience knows them by itself; `by` is what found them: `user`, `email` or `phone`."""

    user: str
    by: str = "user"
    email: str = ""
    phone: str = ""
    zone: str = ""
    locale: str = ""
    devices: tuple[Address, ...] = ()

    def addresses(self, channel: Channel) -> tuple[str, ...]:
        """Where they can be reached on a channel."""
        if channel is Channel.PUSH:
            return tuple(device.value for device in self.devices)
        own = {Channel.EMAIL: self.email, Channel.SMS: self.phone}.get(channel, "")
        return (own,) if own else ()


def known_as(audience: Reader, word: str) -> tuple[Profile, ...]:
    """Everybody with this id, e-mail address (without case) or phone number (without signs between digits), the id first.

    An address may be several people's; 20 of them at most, in order of their ids.
    """
    tongue = audience.columns.tongue
    own = {name: column("profile", name) for name in ("user", "email", "phone")}
    asks = [
        exp.EQ(this=own["user"].copy(), expression=text(word)),
        exp.EQ(this=exp.Lower(this=own["email"].copy()), expression=exp.Lower(this=text(word))),
    ]
    digits = bare(word)
    if digits.removeprefix("+").isdigit():
        asks.append(exp.EQ(this=_bare(own["phone"].copy()), expression=text(digits)))
    devices = exp.cast(column("profile", "devices"), "TEXT", dialect=audience.columns.dialect)
    wanted = [*own.values(), column("profile", "zone"), column("profile", "locale"), devices]
    named = [exp.alias_(one, f"v{place}", quoted=True) for place, one in enumerate(wanted)]
    query = exp.select(*named).from_("profile").where(exp.or_(*asks))
    order = exp.Ordered(this=tongue.by_code_point(own["user"].copy()))
    rows = audience.ask(query.order_by(order).limit(_MOST))
    found = [_profile(row, word) for row in rows]
    return tuple(sorted(found, key=lambda one: one.by != "user"))


def bare(number: str) -> str:
    """A phone number without the signs between its digits."""
    return "".join(sign for sign in number if sign not in _SIGNS)


def _bare(value: exp.Expr) -> exp.Expr:
    for sign in _SIGNS:
        value = exp.Replace(this=value, expression=text(sign), replacement=text(""))
    return value


def _profile(row: Iterable[str | None], word: str) -> Profile:
    user, email, phone, zone, locale, devices = (value or "" for value in row)
    by = "user" if user == word else "email" if email.lower() == word.lower() else "phone"
    tokens = tuple(_device(one) for one in json.loads(devices or "[]"))
    return Profile(user, by, email, phone, zone, locale, tokens)


def _device(one: dict[str, object]) -> Address:
    seen = one.get("seen_at")
    return Address(str(one["token"]), Instant(seen if isinstance(seen, int) else 0), str(one.get("platform") or ""))
