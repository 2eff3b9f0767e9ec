"""A test message: somebody's words to one address of one's own, marked, without consent, counted nowhere."""

import os
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import typer
import uvloop

from orchestrator import app, bundles
from orchestrator.audience.lists import read_list
from orchestrator.cli.choosing import chosen_locale, chosen_variant, one_of
from orchestrator.cli.desk import USAGE, WRONG, Desk, fail, no_such
from orchestrator.cli.screen import near, say
from orchestrator.config import Deliver
from orchestrator.core.assignment import assign
from orchestrator.core.campaigns import Campaign
from orchestrator.core.devices import carriers
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import (
    Address,
    Channel,
    Content,
    DeliveryKey,
    EmailContent,
    InAppContent,
    Message,
    Person,
    PushContent,
    TextContent,
    delivery_id,
)
from orchestrator.core.outcomes import Accepted, Ambiguous, Outcome
from orchestrator.core.times import Instant, iso
from orchestrator.dispatch import Dispatch
from orchestrator.ledger import Purpose
from orchestrator.pipeline import Letter, Prepared, Unwritten, coupons_of
from orchestrator.wire.clock import WallClock

MARK = "[test] "
ME = "ORCHESTRATOR_ME"
"""The environment variable that says which addresses `--test me` means: one's own, so no file in git is for it."""
_PLAIN = re.compile(r"[^@\s]+@[^@\s]+|\+[0-9][0-9 ]{4,20}")
"""What says by its look which channel it is for; a slip of the pen would pass for a push token."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was asked: a campaign to an address (or `me`, `seeds`), with a user's data."""

    campaign: str
    to: str
    user: str
    variant: str | None = None
    locale: str | None = None
    channel: str | None = None


def try_out(desk: Desk, trial: Trial) -> None:
    """Render with the user's data, send to the address, and tell what became of it; exit code 1 if it was not taken."""
    opened = desk.open(sending=True)
    if trial.campaign not in opened.project.campaigns:
        no_such("campaign", trial.campaign, opened.project.campaigns)
    if trial.variant is not None:
        chosen_variant(opened.project.campaigns[trial.campaign], trial.variant)
    if trial.locale is not None:
        chosen_locale(opened.project.settings.locales, trial.locale)
    goals = _goals(opened, trial)
    now = WallClock().now()
    ledger = opened.ledger()
    try:
        seal = ledger.seal(Purpose.UNSUBSCRIBE, now)
        tracks = bundles.tracks_of(opened.project, trial.campaign, ledger, now)
    finally:
        ledger.close()
    prepared = bundles.prepared(opened.project, opened.files, trial.campaign, seal, tracks=tracks)
    person = _person(opened, prepared, trial, now)
    messages = [_message(prepared, person, channel, address, now) for channel, address in goals]
    told = uvloop.run(_deliver(opened, prepared.campaign, messages))
    sink = str(opened.root / app.SINK) if opened.project.environment.deliver is Deliver.SINK else ""
    answer = {
        "campaign": trial.campaign,
        "user": person.user,
        "segment": person.segment,
        "variant": person.variant,
        "locale": person.locale,
        "sink": sink,
        "messages": told,
    }
    desk.show(answer, lambda: _print(answer))
    if not all(one["outcome"] == "accepted" for one in told):
        raise typer.Exit(WRONG)


def _goals(opened: app.Opened, trial: Trial) -> list[tuple[Channel, str]]:
    """Where it goes: each address with the channel it is for."""
    channels = opened.project.campaigns[trial.campaign].channels
    goals = []
    for address in _addresses(opened, trial.to, trial.channel):
        channel = trial.channel or channel_of(address)
        if channel not in list(Channel):
            no_such("channel", channel, channels)
        if Channel(channel) not in channels:
            fail(
                f"{address} is for {channel}, and {trial.campaign} has no {channel}; it has {', '.join(channels)}"
                " (--channel says which the address is for)",
                USAGE,
            )
        _refuse_strangers(opened, address)
        if Channel(channel) is Channel.IN_APP:
            fail("in_app messages wait in our own inbox and go to no address; orchestrator preview shows them", USAGE)
        goals.append((Channel(channel), address))
    return goals


def _refuse_strangers(opened: app.Opened, address: str) -> None:
    """End, where the environment reaches only seeds and the address is none."""
    environment, name = opened.project.environment, opened.project.settings.seeds
    if environment.deliver is not Deliver.SEEDS or app.seeds(opened).name_address(address):
        return
    fail(
        f"{address} does not stand in {name}, and {environment.name} reaches nobody else (deliver: seeds); name it there,"
        " under a column email (or phone), or send the test from an environment that reaches everyone",
        USAGE,
    )


def _addresses(opened: app.Opened, to: str, channel: str | None) -> Sequence[str]:
    if to == "me":
        mine = [one.strip() for one in os.environ.get(ME, "").split(",") if one.strip()]
        return mine or fail(f"--test me: who are you? export {ME}=me@shop.example (several with commas)", USAGE)
    if to != "seeds":
        if channel is None and not _PLAIN.fullmatch(to):
            fail(
                f"--test {to}: neither an e-mail address, a phone number (+436641234567), `me` nor `seeds`;"
                " for a push token or a URL, say which with --channel push or --channel webhook",
                USAGE,
            )
        return [to]
    name = opened.project.settings.seeds
    if not name:
        fail("--test seeds: nobody says who they are; add `seeds: lists/seeds.csv` to config/orchestrator.yaml", USAGE)
    people = read_list(opened.root, name)
    if people.by == "user":
        fail(
            f"--test seeds: {name} names users; give it a column email (or phone), so that it needs no database", USAGE
        )
    return people.values or fail(f"--test seeds: {name} is empty", USAGE)


def channel_of(address: str) -> str:
    """The channel an address is for: by its look, a push token if it is nothing else."""
    if address.startswith(("http://", "https://")):
        return Channel.WEBHOOK
    if "@" in address:
        return Channel.EMAIL
    digits = address.replace(" ", "").removeprefix("+")
    return Channel.SMS if digits.isdigit() and len(digits) <= 15 else Channel.PUSH


def _person(opened: app.Opened, prepared: Prepared, trial: Trial, now: Instant) -> Person:
    person = one_of(opened, prepared, trial.user, now)
    drawn, _ = assign(prepared.campaign, person.user)
    person = replace(person, variant=trial.variant or drawn, locale=trial.locale or person.locale)
    return coupons_of(opened.project, prepared.letters).sample(person, now)


def _message(prepared: Prepared, person: Person, channel: Channel, address: str, now: Instant) -> Message | Unwritten:
    # Run 0 is no run: its unsubscribe link withdraws nobody's consent, and nobody hears of its clicks.
    key = DeliveryKey(0, person.user, channel)
    name = delivery_id(prepared.campaign.name, f"test {iso(now)} {address}", key)
    letter = Letter(person, key, name, Address(address), now)
    content = next(iter(prepared.letters.render([letter])))
    if isinstance(content, Unwritten):
        return content
    return Message(key, name, Address(address), marked(content), prepared.campaign.policy.topic, now, test=True)


def marked(content: Content) -> Content:
    """The same, for everybody to see that it is a test."""
    match content:
        case EmailContent(subject=subject):
            return replace(content, subject=MARK + subject)
        case PushContent(title=title):
            return replace(content, title=MARK + title)
        case TextContent(text=text):
            return replace(content, text=MARK + text)
        case InAppContent(payload=payload):
            return replace(content, payload={**payload, "title": MARK + str(payload.get("title", ""))})
        case _:
            return content


async def _deliver(
    opened: app.Opened, campaign: Campaign, messages: Sequence[Message | Unwritten]
) -> list[dict[str, Any]]:
    dispatch = app.dispatch(opened, WallClock(), random.random)
    try:
        return [await _deliver_one(dispatch, campaign, message) for message in messages]
    finally:
        await dispatch.close()


async def _deliver_one(dispatch: Dispatch, campaign: Campaign, message: Message | Unwritten) -> dict[str, Any]:
    """One message over the first provider of its route that takes it."""
    if isinstance(message, Unwritten):
        return {"channel": "", "to": "", "provider": "", "outcome": message.reason, "detail": message.detail}
    told: dict[str, Any] = {"channel": message.key.channel, "to": message.address.value}
    outcome: Outcome | None = None
    push = message.key.channel is Channel.PUSH
    # Where nobody says what kind of device it is, the providers themselves know which tokens are theirs.
    known = carriers(campaign.by_platform, message.address) if push else ()
    for name in known or campaign.routes[message.key.channel]:
        if name not in dispatch.lanes:
            continue
        outcome = (await dispatch.lanes[name].deliver([message]))[0]
        told["provider"] = name
        if isinstance(outcome, Accepted | Ambiguous):
            break
    if outcome is None:
        raise OrchestratorError(
            f"{message.key.channel}: no provider carries it; add `route:` to config/orchestrator.yaml"
        )
    detail = outcome.provider_id if isinstance(outcome, Accepted) else outcome.detail
    content = {name: value for name, value in asdict(message.content).items() if name in ("subject", "title", "text")}
    return {**told, "outcome": _word(outcome), "detail": detail, "content": content}


def _word(outcome: Outcome) -> str:
    name = type(outcome).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _print(answer: Mapping[str, Any]) -> None:
    more = [f"variant {answer['variant']}"] if answer["variant"] else []
    more += [answer["locale"]] if answer["locale"] else []
    say(f" {answer['campaign']} as {answer['user']} · {' · '.join([answer['segment'], *more])}")
    for one in answer["messages"]:
        if not one["provider"]:
            say(f" nothing was sent: {one['outcome'].replace('_', ' ')} {one['detail']}")
            continue
        words = one["content"].get("subject") or one["content"].get("title") or one["content"].get("text", "")
        say(f" {one['channel']} to {one['to']} over {one['provider']}: {one['outcome'].replace('_', ' ')}")
        say(f"   {words}" + ("" if one["outcome"] == "accepted" else f"\n   {one['detail']}"))
    if answer["sink"]:
        say(f" nothing left this machine: it is in {near(answer['sink'])}; --env live sends for real")
    say(" it is counted nowhere, and its unsubscribe link unsubscribes nobody")
