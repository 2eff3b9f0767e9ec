"""Finding somebody by what people call them: their id, their e-mail address, their phone number."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from orchestrator.audience.reader import Reader
from orchestrator.audience.tongue import column, text
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.phones import SIGNS, dialled
from orchestrator.core.times import Instant

_ABROAD = ("+", "00")
"""What people put before the digits of a country."""
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

    def everywhere(self) -> list[tuple[Channel, Address]]:
        """All their addresses: e-mail first, then the phone, then devices."""
        found = [(Channel.EMAIL, Address(self.email)), (Channel.SMS, Address(self.phone))]
        found += [(Channel.PUSH, device) for device in self.devices]
        return [(channel, address) for channel, address in found if address.value]


def known_as(audience: Reader, word: str) -> tuple[Profile, ...]:
    """Everybody with this id, e-mail address (without case) or phone number (however it is written), the id first.

    An address may be several people's; 20 of them at most, in order of their ids.
    """
    asks = [_is(word), exp.EQ(this=exp.Lower(this=column("profile", "email")), expression=exp.Lower(this=text(word)))]
    if digits := _digits(word):
        written = [text(f"{begins}{digits}") for begins in ("", *_ABROAD)]
        asks.append(exp.In(this=_bare(column("profile", "phone")), expressions=written))
    found = _profiles(audience, exp.or_(*asks), word)
    return tuple(sorted(found, key=lambda one: one.by != "user"))


def of_user(audience: Reader, user: str) -> Profile | None:
    """The person of this id."""
    return next(iter(_profiles(audience, _is(user), user)), None)


def _digits(number: str) -> str:
    """The digits of a phone number from its country's on, without + or 00; empty if it is none."""
    digits = dialled(number).removeprefix("+")
    return digits if digits.isascii() and digits.isdigit() else ""


def _is(user: str) -> exp.Expr:
    return exp.EQ(this=column("profile", "user"), expression=text(user))


def _profiles(audience: Reader, asked: exp.Expr, word: str) -> list[Profile]:
    """Everybody for whom this holds, in order of their ids."""
    devices = exp.cast(column("profile", "devices"), "TEXT", dialect=audience.columns.dialect)
    wanted = [*(column("profile", name) for name in ("user", "email", "phone", "zone", "locale")), devices]
    named = [exp.alias_(one, f"v{place}", quoted=True) for place, one in enumerate(wanted)]
    order = exp.Ordered(this=audience.columns.tongue.by_code_point(column("profile", "user")))
    query = exp.select(*named).from_("profile").where(asked).order_by(order).limit(_MOST)
    return [_profile(row, word) for row in audience.ask(query)]


def _bare(value: exp.Expr) -> exp.Expr:
    for sign in SIGNS:
        value = exp.Replace(this=value, expression=text(sign), replacement=text(""))
    return value


def _profile(row: Iterable[str | None], word: str) -> Profile:
    user, email, phone, zone, locale, devices = (value or "" for value in row)
    by = "user" if user == word else "email" if email.lower() == word.lower() else "phone"
    tokens = tuple(_device(one) for one in json.loads(devices or "[]"))
    return Profile(user, by, email, phone, zone, locale, tokens)


def _device(one: dict[str, object]) -> Address:
    seen = one.get("seen_at")
    return Address(
        str(one["token"]),
        Instant(seen if isinstance(seen, int) else 0),
        str(one.get("platform") or ""),
        str(one.get("app") or ""),
    )
