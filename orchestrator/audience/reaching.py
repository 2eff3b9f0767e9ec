"""Where one person can be reached: their addresses as the audience has them, on every channel that needs one."""

import json

from sqlglot import exp

from orchestrator.audience.reader import Reader
from orchestrator.audience.tongue import column, text
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.times import Instant


def addresses_of(audience: Reader, user: str) -> list[tuple[Channel, Address]] | None:
    """The addresses of a user, e-mail first, then the phone, then devices; None if nobody has this id."""
    devices = exp.cast(column("profile", "devices"), "TEXT", dialect=audience.columns.dialect)
    wanted = (column("profile", "email"), column("profile", "phone"), devices)
    named = [exp.alias_(one, f"v{place}", quoted=True) for place, one in enumerate(wanted)]
    mine = exp.EQ(this=column("profile", "user"), expression=text(user))
    found = audience.ask(exp.select(*named).from_("profile").where(mine))
    if not found:
        return None
    email, phone, told = found[0]
    written = [(Channel.EMAIL, email), (Channel.SMS, phone)]
    addresses = [(channel, Address(value)) for channel, value in written if value]
    for device in json.loads(told) if told else ():
        seen_at = Instant(device.get("seen_at") or 0)
        addresses.append(
            (Channel.PUSH, Address(device["token"], seen_at, device.get("platform") or "", device.get("app") or ""))
        )
    return addresses
