"""What was expected of a campaign held against what it does: for each expectation every difference, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from orchestrator.core.nouns import Channel
from orchestrator.core.personas import Expectation, Outside, Persona
from orchestrator.core.reasons import Reason
from orchestrator.core.segments import Finding
from orchestrator.personas.life import Life, Message, Outcome
from orchestrator.personas.stage import Stage
from orchestrator.personas.wording import found_in, nearest, squeezed, title_of, words_of

_EXCERPT = 200
"""Letters of a message that are shown where no part of it is like what was expected."""
_NO_PROSE = frozenset({"html", "from", "link", "image"})


@dataclass(frozen=True, slots=True)
class Failure:
    """One difference: about `what`, what was expected and what came. `near` is the text that comes nearest, and where it stands.

    `variant` is the one it was found in, empty where every variant has it. `because` explains segments by their names, and
    `note` says what no condition does.
    """

    what: str
    expected: str
    got: str
    variant: str = ""
    near: tuple[str, str] = ("", "")
    because: tuple[tuple[str, Finding], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An expectation, what came, and the differences; none if it is as expected."""

    expectation: Expectation
    outcome: Outcome
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Tested:
    """A persona and what came of each expectation, in the order of their lines."""

    persona: Persona
    told: tuple[Told, ...]

    @property
    def well(self) -> bool:
        """Whether everything is as expected."""
        return not any(one.failures for one in self.told)


def tested(stage: Stage, persona: Persona) -> Tested:
    """Live through a persona's expectations in the order of their moments; those of one campaign and moment are one run."""
    life = Life(stage, persona)
    told: list[Told] = []
    first = {expectation.campaign: place for place, expectation in reversed([*enumerate(persona.expect)])}
    by_moment = sorted(persona.expect, key=lambda it: (it.at, first[it.campaign]))
    for (at, campaign), together in groupby(by_moment, key=lambda it: (it.at, it.campaign)):
        expectations = list(together)
        told += [_told(life, expectation) for expectation in expectations]
        by_draw = all(expectation.by_draw for expectation in expectations)
        life.remember(campaign, at, life.run(campaign, at, life.drawn(campaign), by_draw=by_draw))
    return Tested(persona, tuple(sorted(told, key=lambda it: (it.expectation.line, it.expectation.column))))


def _told(life: Life, expectation: Expectation) -> Told:
    """An expectation in its variant, or in each there is: the first in which something differs, else the first."""
    found = []
    for variant in _variants(life, expectation):
        outcome = life.run(expectation.campaign, expectation.at, variant, by_draw=expectation.by_draw)
        found.append(Told(expectation, outcome, tuple(_differences(life, expectation, outcome))))
    first = next((one for one in found if one.failures), found[0])
    if all(one.failures == first.failures for one in found):
        return first
    return replace(first, failures=tuple(replace(it, variant=first.outcome.variant) for it in first.failures))


def _variants(life: Life, expectation: Expectation) -> Sequence[str]:
    if expectation.variant:
        return (expectation.variant,)
    if expectation.by_draw:
        return (life.drawn(expectation.campaign),)
    return life.variants(expectation.campaign)


def _differences(life: Life, expectation: Expectation, outcome: Outcome) -> Iterator[Failure]:
    if outcome.trouble:
        yield Failure("trouble", _expected(expectation), f"it cannot be tested: {outcome.trouble}")
        return
    if expectation.segment and outcome.segment != expectation.segment:
        yield _other_segment(life, expectation, outcome)
        return
    if expectation.nothing is not None:
        if _why_nothing(expectation, outcome) != expectation.nothing:
            yield _explained(life, expectation, outcome, "nothing")
        return
    wanted = expectation.channel
    messages = [it for it in outcome.messages if wanted is None or it.channel == wanted]
    if not messages:
        yield _explained(life, expectation, outcome, "message")
    for message in messages:
        yield from _other_words(expectation, message)


def _other_segment(life: Life, expectation: Expectation, outcome: Outcome) -> Failure:
    """The persona is elsewhere: why they are not in the segment that was expected, or in which one before it."""
    wanted, at = expectation.segment, expectation.at
    got = f"segment {outcome.segment}" if outcome.segment else _in_words(outcome, None)
    because, note = life.explained(wanted, at=at), ""
    if outcome.segment and any(found.holds for _, found in because):
        note = (
            f"{wanted} says yes too, but {outcome.segment} stands before it in the audience, and the first match wins"
        )
        because = life.explained(outcome.segment, at=at)
    return Failure("segment", f"segment {wanted}", got, because=because, note=note)


def _why_nothing(expectation: Expectation, outcome: Outcome) -> Reason | Outside | None:
    """Why there is no message, on the channel that is asked about or at all; None if there is one."""
    channel = expectation.channel
    if channel is None:
        return outcome.why[0] if outcome.why is not None else None
    if channel in outcome.by_channel:
        return outcome.by_channel[channel][0]
    return outcome.why[0] if outcome.why is not None and not outcome.by_channel else None


def _explained(life: Life, expectation: Expectation, outcome: Outcome, what: str) -> Failure:
    """What was expected and what came, with the segments that keep the persona in or out where these decide."""
    why, segments = outcome.why, list[str]()
    if why is not None and why[0] is Outside.EXCLUDED:
        segments = [why[1]]
    elif why is not None and why[0] is Outside.NOT_IN_AUDIENCE:
        segments = why[1].split(", ")
    elif isinstance(expectation.nothing, Outside):
        segments = [outcome.segment]
    because = life.explained(*segments, at=expectation.at)
    got = _in_words(outcome, expectation.channel)
    if outcome.until is not None:
        got += f", held until {life.clock(outcome.until)}"
    return Failure(what, _expected(expectation), got, because=because)


def _other_words(expectation: Expectation, message: Message) -> Iterator[Failure]:
    on, words = str(message.channel), words_of(message.content)
    if expectation.locale and message.locale != expectation.locale:
        yield Failure("locale", f"{on} in {expectation.locale}", f"{on} in {message.locale}")
    title = title_of(message.content)
    if expectation.subject and title != squeezed(expectation.subject):
        yield Failure("subject", f"subject: {squeezed(expectation.subject)}", f"subject: {title}")
    for text in expectation.contains:
        if not found_in(text, words):
            yield Failure("contains", f"text: {squeezed(text)}", _excerpt(message), near=nearest(text, words))
    for text in expectation.not_contains:
        if place := found_in(text, words):
            yield Failure("not_contains", f"no text: {squeezed(text)}", f"it is in the {place} of the {on}")


def _excerpt(message: Message) -> str:
    """The beginning of a message's words."""
    words = " · ".join(text for name, text in words_of(message.content) if name not in _NO_PROSE)
    return f"{message.channel}: {words[:_EXCERPT]}" + ("…" if len(words) > _EXCERPT else "")


def _expected(expectation: Expectation) -> str:
    on = f" on {expectation.channel}" if expectation.channel is not None else ""
    if expectation.nothing is not None:
        return f"nothing{on}: {expectation.nothing}"
    return f"a message{on}"


def _in_words(outcome: Outcome, channel: Channel | None) -> str:
    """What came, in a line."""
    missing = outcome.by_channel.get(channel) if channel is not None else None
    if outcome.messages:
        sent = "a message on " + " and ".join(str(message.channel) for message in outcome.messages)
        return f"{sent}, nothing on {channel}: {_why(missing)}" if missing is not None else sent
    why = missing or outcome.why
    return f"nothing: {_why(why)}" if why is not None else "nothing"


def _why(why: tuple[str, str]) -> str:
    return f"{why[0]} ({why[1]})" if why[1] else str(why[0])
