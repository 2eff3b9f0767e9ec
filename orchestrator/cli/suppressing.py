"""The verb of the suppression desk: look an address up, stop it, lift it with a reason; its history stays."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such
from orchestrator.cli.screen import say
from orchestrator.cli.signing import By, signed
from orchestrator.cli.times import when
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator import app as parts
    from orchestrator.ledger.suppressions import Standing, Where

NO_NUMBER = "this is no phone number with its country, like +43 660 1234567 (7 to 15 digits after the +)"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(suppress)


@honest
def suppress(
    context: typer.Context,
    whom: Annotated[
        str, typer.Argument(help="An e-mail address, a phone number, or a user's id for all their addresses.")
    ],
    lift: Annotated[bool, typer.Option("--lift", help="Let it be written to again; needs --reason.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Only look: is it stopped, why, and what happened before?")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why, in a few words; it stays in the history.")] = None,
    channel: Annotated[
        str | None,
        typer.Option(help="The address is for this channel: email, sms or push (then it is a device's token)."),
    ] = None,
    by: By = None,
) -> None:
    """Stop an address: from now on nothing is sent to it, whatever the campaign. --show looks it up, --lift takes it off.

    An address is kept as a keyed hash only, so nobody can read the list.
    """
    from orchestrator.ledger import suppressions  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    if lift and show:
        fail("--show only looks and --lift changes something: one of them", USAGE)
    if show and reason:
        fail("--reason goes with stopping or lifting; --show only looks", USAGE)
    if lift and not (reason or "").strip():
        fail("--lift needs --reason: why may it be written to again? The history keeps it", USAGE)
    opened = desk.open()
    where = _where(opened, whom, channel)
    ledger = opened.ledger()
    try:
        changed, now, who = 0, WallClock().now(), signed(by)
        if lift:
            changed = suppressions.lift(ledger.store, ledger.hashing, where, str(reason), who, now)
        elif not show:
            changed = suppressions.stop(ledger.store, ledger.hashing, where, reason or "by hand", who, now)
        found = suppressions.look(ledger.store, ledger.hashing, where)
    finally:
        ledger.close()

    def tell() -> None:
        for one in found:
            _tell(one, opened.project.settings.time_zone)
        if not show:
            say(_done(changed, len(where), lifted=lift))

    desk.show({"whom": whom, "changed": changed, "addresses": [_told(one) for one in found]}, tell)


def _where(opened: "parts.Opened", whom: str, channel: str | None) -> "Sequence[Where]":
    """The addresses that are meant; ends with a word if there are none."""
    from orchestrator.core.mirrors import ADDRESSED  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.nouns import Address, Channel  # noqa: PLC0415
    from orchestrator.core.phones import international  # noqa: PLC0415

    if channel is not None:
        if channel not in ADDRESSED:
            no_such("channel with addresses", channel, ADDRESSED)
        if channel == Channel.SMS and not international(whom):
            fail(f"{whom}: {NO_NUMBER}", USAGE)
        check = {Channel.EMAIL: _checked, Channel.PUSH: _token}.get(Channel(channel), str.strip)
        return [(Channel(channel), Address(check(whom)))]
    known = _of_user(opened, whom)
    if known == []:
        fail(f"{whom} is known, and has no address that could be stopped", USAGE)
    if known is not None:
        return known
    if "@" in whom:
        return [(Channel.EMAIL, Address(_checked(whom)))]
    if international(whom):
        return [(Channel.SMS, Address(whom.strip()))]
    if whom.strip().startswith("+"):
        fail(f"{whom}: {NO_NUMBER}", USAGE)
    return fail(
        f"nobody is known by the id {whom}, and it is neither an e-mail address nor a phone number with its +;"
        " a device's token goes with --channel push",
        USAGE,
    )


def _of_user(opened: "parts.Opened", user: str) -> "list[Where] | None":
    """The addresses of a user of this id; None if there is no such user, or nobody was imported yet."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.finding import of_user  # noqa: PLC0415
    from orchestrator.core.errors import StoreError  # noqa: PLC0415

    try:
        known = of_user(app.audience(opened), user)
    except StoreError:
        if "@" in user or user.startswith("+"):
            return None  # an address can be stopped although nobody can say whose it is
        raise
    return known.everywhere() if known is not None else None


def _checked(text: str) -> str:
    from orchestrator.providers import CannotBuildError  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.providers.addresses import address  # noqa: PLC0415

    try:
        address(text.strip())
    except CannotBuildError as problem:
        fail(f"{text}: {problem}", USAGE)
    return text.strip()  # as profiles have it: the hash is made of that


def _token(text: str) -> str:
    """A device's token as profiles have it; a browser's subscription in its one spelling."""
    from orchestrator.providers import CannotBuildError  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.providers.subscriptions import spelled  # noqa: PLC0415

    try:
        return spelled(text.strip())
    except CannotBuildError as problem:
        return fail(str(problem), USAGE)


def _tell(one: "Standing", zone: str) -> None:
    """An address, how it stands, and what happened before."""
    if one.stop is None:
        state = "may be written to"
    elif one.seen_since:
        state = f"was stopped ({one.stop.reason}), but was seen alive since: it is written to"
    else:
        state = f"is stopped since {when(one.stop.since, zone)}: {one.stop.reason}"
    say(f" {one.channel} {one.address.value}   {state}")
    for entry in one.history:
        say(f"   {when(entry.at, zone)}   {entry.what} by {entry.who}: {entry.detail}")


def _done(changed: int, many: int, *, lifted: bool) -> str:
    """What was changed, in a line."""
    addresses = "1 address" if changed == 1 else f"{changed:,} addresses"
    if changed == 0:
        every = "it was" if many == 1 else "all of them were"
        return f" nothing changed: {every} {'not stopped' if lifted else 'stopped already'}"
    return f" {addresses} {'may be written to again' if lifted else 'stopped: nothing is sent there any more'}"


def _told(one: "Standing") -> dict[str, Any]:
    stop = one.stop
    return {
        "channel": one.channel,
        "address": one.address.value,
        "suppressed": stop is not None and not one.seen_since,
        "seen_since": one.seen_since,
        "reason": stop.reason if stop else None,
        "since": stop.since if stop else None,
        "source": stop.source if stop else None,
        "history": [
            {"at": entry.at, "what": entry.what, "by": entry.who, "reason": entry.detail} for entry in one.history
        ],
    }
