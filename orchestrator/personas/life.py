"""One persona's life: what each run of a campaign says to them at its moment, which counts for every later one."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.core.assignment import assign, ramp_at
from orchestrator.core.campaigns import Campaign
from orchestrator.core.eligibility import RowVerdict, judge
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.facts import PersonFacts, RunFacts, Touch
from orchestrator.core.frozen import changed
from orchestrator.core.mirrors import CONSENT, GRANTED, Deed, message_event
from orchestrator.core.nouns import (
    CODES,
    Address,
    Channel,
    Content,
    DeliveryKey,
    Expire,
    Hold,
    Person,
    Send,
    Skip,
    delivery_id,
)
from orchestrator.core.personas import Outside, Persona, Sent
from orchestrator.core.reasons import Reason
from orchestrator.core.segments import Finding, Happened, Kind, Moment, OraclePerson, explain, member
from orchestrator.core.segments.values import read
from orchestrator.core.times import Instant
from orchestrator.core.variables import attributes_read, behaviours, behaviours_read, placed
from orchestrator.core.verdicts import upshot
from orchestrator.core.zones import find_zone, wall_at, zone_of
from orchestrator.personas.alarm import rendered
from orchestrator.personas.stage import Stage
from orchestrator.rendering import Compiled, Refusal, RenderRequest

SAMPLE = "SAMPLE-CODE"
"""What tests show instead of a code of a pool of coupons."""

_Why = tuple[Reason | Outside, str]


@dataclass(frozen=True, slots=True)
class Message:
    """What a persona is told on one channel, in which language."""

    channel: Channel
    locale: str
    content: Content


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run says to a persona: the messages, or why there is none (`until` when it is asked again); on each channel why not.

    `trouble` says why nobody can tell.
    """

    variant: str = ""
    segment: str = ""
    messages: tuple[Message, ...] = ()
    why: _Why | None = None
    until: Instant | None = None
    by_channel: Mapping[Channel, _Why] = field(default_factory=dict)
    trouble: str = ""


class Life:
    """A persona at the beginning; every message they get is remembered."""

    def __init__(self, stage: Stage, persona: Persona) -> None:
        self._stage = stage
        self._persona = persona
        self._lists = stage.lists_of(persona)
        self._sent = list(persona.sent)
        self._events = [*persona.events, *_words(persona)]
        for number, sent in enumerate(persona.sent):
            self._events += self._deeds(sent, number)
        self._outcomes: dict[tuple[str, Instant, str, bool], Outcome] = {}
        self._casts: dict[tuple[str, Instant], tuple[str, _Why | None]] = {}
        """What was found out already, until the next message changes it."""

    def person(self) -> OraclePerson:
        """The persona as segments see them; what is later than a moment is not looked at by any condition."""
        persona = self._persona
        there = frozenset(str(channel) for channel in persona.addresses)
        return OraclePerson(persona.user, persona.attributes, tuple(self._events), self._lists, there)

    def moment(self, at: Instant) -> Moment:
        """What segments are asked at."""
        return Moment(at, self._stage.project.settings.time_zone, self._stage.project.segments)

    def clock(self, at: Instant) -> str:
        """A moment on the persona's clock, as personas write it."""
        own, project = self._persona.attributes.get("zone", ""), self._stage.project.settings.time_zone
        zone = own if find_zone(own) is not None else project
        return f"{wall_at(zone_of(zone, project), at):%Y-%m-%d %H:%M} {zone}"

    def explained(self, *segments: str, at: Instant) -> tuple[tuple[str, Finding], ...]:
        """Why the persona is in each of these or not, condition by condition; nothing of those that ask for everybody else."""
        found = []
        for name in segments:
            with suppress(OrchestratorError):
                known = self._stage.project.segments[name]
                found.append((name, explain(known, self.person(), self.moment(at))))
        return tuple(found)

    def variants(self, campaign: str) -> tuple[str, ...]:
        """The variants there are, one without a name where there is no experiment."""
        experiment = self._stage.project.campaigns[campaign].experiment
        return tuple(experiment.variants) if experiment is not None and experiment.variants else ("",)

    def drawn(self, campaign: str) -> str:
        """The variant the draw gives the persona."""
        return assign(self._stage.project.campaigns[campaign], self._persona.user)[0]

    def run(self, name: str, at: Instant, variant: str, *, by_draw: bool = False) -> Outcome:
        """What a campaign that runs at this moment says in a variant; `by_draw`: chance may keep them out, too."""
        place = name, at, variant, by_draw
        if place not in self._outcomes:
            self._outcomes[place] = self._run(name, at, variant, by_draw=by_draw)
        return self._outcomes[place]

    def _run(self, name: str, at: Instant, variant: str, *, by_draw: bool) -> Outcome:
        campaign = self._stage.campaign(name, by_draw=by_draw)
        try:
            if (name, at) not in self._casts:
                self._casts[name, at] = self._cast(campaign, at)
            segment, outside = self._casts[name, at]
        except OrchestratorError as problem:
            return Outcome(variant, trouble=str(problem))
        if outside is not None:
            return Outcome(variant, segment, why=outside)
        compiled = self._stage.compiled(name)
        person = self._member(campaign, compiled, segment, at)
        holdout = by_draw and assign(campaign, person.user)[1]
        person = replace(person, variant=variant, holdout=holdout)
        verdicts = judge(
            campaign, self._run_facts(campaign, at, by_draw=by_draw), person, self._facts(campaign, at), at
        )
        return self._written(compiled, person, verdicts, at)

    def remember(self, name: str, at: Instant, outcome: Outcome) -> None:
        """Let the messages of a run count for everything later."""
        for message in outcome.messages:
            sent = Sent(name, at, message.channel, outcome.segment, outcome.variant)
            self._events += self._deeds(sent, len(self._sent))
            self._sent.append(sent)
        if outcome.messages:
            self._outcomes.clear()
            self._casts.clear()

    def _cast(self, campaign: Campaign, at: Instant) -> tuple[str, _Why | None]:
        """The first segment of the audience the persona matches, or why they are in none."""
        person, moment, segments = self.person(), self.moment(at), self._stage.project.segments
        found = next((name for name in campaign.audience if member(segments[name], person, moment)), "")
        if not found:
            return "", (Outside.NOT_IN_AUDIENCE, ", ".join(campaign.audience))
        for name in campaign.exclude:
            if member(segments[name], person, moment):
                return found, (Outside.EXCLUDED, name)
        return found, None

    def _member(self, campaign: Campaign, compiled: Compiled, segment: str, at: Instant) -> Person:
        """The persona as a member of the audience, with what the templates touch."""
        persona, catalogue = self._persona, self._stage.project.catalogue
        declared, touched = catalogue.known.attributes, compiled.touched()
        own = {
            name: value
            for name in attributes_read(touched, declared)
            if (
                value := _for_templates(declared[name].kind if name in declared else None, persona.attributes.get(name))
            )
            is not None
        }
        found: dict[str, Any] = {"userAttribute": own} if own else {}
        read_from_events = behaviours_read(touched, declared)
        found |= placed(behaviours(read_from_events, self._stage.told, self._events, at))
        if persona.linked:
            found["linkedData"] = dict(persona.linked)
        if pools := compiled.coupons():
            found[CODES] = {pool: {"code": SAMPLE, "expires": self._expires(pool, at)} for pool in pools}
        addresses = {
            channel: persona.addresses[channel] for channel in campaign.channels if channel in persona.addresses
        }
        zone, locale = persona.attributes.get("zone", ""), persona.attributes.get("locale", "")
        return Person(persona.user, segment, zone, locale, addresses=addresses, attributes=found)

    def _expires(self, pool: str, at: Instant) -> int | None:
        known = self._stage.project.settings.coupons.get(pool)
        return None if known is None or known.valid is None else at + known.valid

    def _run_facts(self, campaign: Campaign, at: Instant, *, by_draw: bool) -> RunFacts:
        """A run of this very moment; the campaign began with its first message we know of."""
        if not by_draw:
            return RunFacts(0, at, at)
        began = min((sent.at for sent in self._sent if sent.campaign == campaign.name), default=at)
        ramp, grows_at = ramp_at(campaign, min(began, at), at)
        return RunFacts(0, at, at, ramp=ramp, ramp_grows_at=grows_at)

    def _facts(self, campaign: Campaign, at: Instant) -> PersonFacts:
        persona = self._persona
        stopped = frozenset(
            address.value for channel in persona.suppressed for address in persona.addresses.get(channel, ())
        )
        touches = tuple(
            Touch(sent.at, sent.channel, sent.campaign, number)
            for number, sent in enumerate(self._sent, 1)
            if sent.at <= at
        )
        return PersonFacts((), persona.consent.get(campaign.policy.topic, {}), stopped, touches)

    def _written(self, compiled: Compiled, person: Person, verdicts: tuple[RowVerdict, ...], at: Instant) -> Outcome:
        """The messages of the rows that leave, or why there are none; what cannot be written is nothing on its channel."""
        messages: dict[Channel, Message] = {}
        told = []
        for row in verdicts:
            if not isinstance(row.verdict, Send):
                told.append(row)
                continue
            said = rendered(compiled, self._request(compiled, person, row, row.verdict.address, at))
            if isinstance(said, Refusal):
                told.append(changed(row, verdict=Skip(said.reason, said.detail)))
            else:
                told.append(row)
                messages[row.channel] = Message(row.channel, self._locale(compiled, person, row.channel), said)
        came = upshot(told)
        whys = {
            row.channel: _why(row.verdict)
            for row in told
            if row.channel not in messages and not isinstance(row.verdict, Send)
        }
        outcome = Outcome(person.variant, person.segment, tuple(messages.values()), by_channel=whys)
        if came.held is not None:
            return replace(outcome, why=_why(came.held), until=came.held.until)
        return replace(outcome, why=came.nothing)

    def _request(
        self, compiled: Compiled, person: Person, row: RowVerdict, address: Address, at: Instant
    ) -> RenderRequest:
        url = self._stage.project.settings.public_url
        extras = {"unsubscribe_url": f"{url}/u/test"} if url and row.channel is Channel.EMAIL else {}
        name = delivery_id(compiled.campaign, "test", DeliveryKey(0, person.user, row.channel))
        return RenderRequest(person, row.channel, at, name, address, extras)

    def _locale(self, compiled: Compiled, person: Person, channel: Channel) -> str:
        """The language a message was written in."""
        cell = compiled.shelf.find(person.segment, channel, person.variant, person.locale)
        locales = self._stage.project.settings.locales
        return (cell.locale if cell is not None else "") or (locales[0] if locales else "")

    def _deeds(self, sent: Sent, number: int) -> Iterator[Happened]:
        """A message as segments see it: that it was sent, and what became of it."""
        topic = self._stage.project.campaigns[sent.campaign].policy.topic
        texts = {
            "campaign": sent.campaign,
            "variant": sent.variant,
            "channel": str(sent.channel),
            "segment": sent.segment,
            "topic": topic,
        }
        said = {**{key: text for key, text in texts.items() if text}, "step": 0}
        for deed, at in {Deed.SENT: sent.at, **sent.deeds}.items():
            yield Happened(at, f"our:{number:06}:{deed}", message_event(deed), said)


def _words(persona: Persona) -> Iterator[Happened]:
    """The persona's words on topics, said before anything else."""
    for topic, words in persona.consent.items():
        for channel, granted in words.items():
            said = {"channel": str(channel), "topic": topic, GRANTED: granted}
            yield Happened(Instant(0), f"our:{topic}:{channel}", CONSENT, said)


def _for_templates(kind: Kind | None, stored: Any) -> Any:
    """An attribute as templates have it: moments are microseconds there."""
    return read(kind, stored) if kind is Kind.TIME and stored is not None else stored


def _why(verdict: Hold | Skip | Expire) -> _Why:
    return verdict.reason, verdict.detail if isinstance(verdict, Skip) else ""
