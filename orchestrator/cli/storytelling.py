"""A person's story with a campaign as people read it, on one screen."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.conditions import decided_by
from orchestrator.cli.screen import GREEN, RED
from orchestrator.cli.sheet import Sheet
from orchestrator.cli.showing import said_state
from orchestrator.cli.times import wall, when
from orchestrator.cli.upcoming import upcoming
from orchestrator.core.keys import say_key
from orchestrator.core.nouns import Expire, Hold, Send, State
from orchestrator.core.phrases import say_duration, say_percent
from orchestrator.core.reasons import Reason
from orchestrator.core.segments import Finding, say
from orchestrator.core.segments.tree import All, Member, Not
from orchestrator.core.times import SECOND, Instant
from orchestrator.pipeline.story import OUTSIDE, Aim, Judgement, Row, Story, Would, state_of

if TYPE_CHECKING:
    from orchestrator.core.draws import Drawn
    from orchestrator.core.segments.measuring import Happened
    from orchestrator.ledger import Run
    from orchestrator.ledger.deliveries import Delivery
    from orchestrator.ledger.evidence import Evidence

NAMES = ("firstName", "first_name", "name")
"""Attributes that many people keep a name in."""
SEEN = frozenset({State.INTENT, State.ACCEPTED, State.DELIVERED, State.COMPLAINED, State.BOUNCED, State.UNKNOWN})
"""States of rows of which there may be something to see."""
_GOT = (State.ACCEPTED, State.DELIVERED, State.COMPLAINED)


def print_story(
    environment: str, story: Story, others: Sequence[int], now: Instant, newest: "Run | None" = None
) -> None:
    """Show it. `newest` is a later run that gave them nothing because they had the campaign already."""
    sheet = Sheet()
    sheet.title(_head(environment, story))
    sheet.title(headline(story))
    if story.came.what != "reached" and story.came.reason in list(Reason):
        sheet.line("", Reason(story.came.reason).meaning)
    if newest is not None:
        name, user = story.campaign.name, story.who.user
        sheet.command(
            f"run {newest.id} of {when(newest.due_at, story.campaign.policy.time_zone)} is the newest and gave them nothing more (repeat):",
            f"orchestrator why {name} {user} --run {newest.id}",
        )
        others = [one for one in others if one != newest.id]
    sheet.blank()
    zone = story.campaign.policy.time_zone
    _audience(sheet, story)
    for drawn in story.draws:
        sheet.line(drawn.what.replace("_", " "), _drawn(drawn, story))
    for row in story.rows:
        _row(sheet, row, zone)
    for one in story.would:
        _would(sheet, one, zone)
    if story.aim is not None:
        _aim(sheet, story, story.aim, now)
    sheet.blank()
    _footer(sheet, story, others, now)
    sheet.print()


def _head(environment: str, story: Story) -> str:
    user = story.who.user
    attributes = story.known.attributes if story.known is not None else {}
    name = next((str(attributes[one]) for one in NAMES if attributes.get(one)), "")
    who = f"{name} ({user})" if name else user
    zone = story.campaign.policy.time_zone
    if story.run is None:
        return f"{who} · {story.campaign.name} · {environment} · as planned for {when(story.at, zone)}"
    run = story.run
    why = f" ({run.reason})" if run.reason else ""
    return f"{who} · {story.campaign.name} · {environment} · run {run.id} of {when(run.due_at, zone)}, {run.state}{why}"


def headline(story: Story) -> str:
    """What became, or would become, of the person, in one line."""
    came, planned = story.came, story.run is None
    why = came.reason.replace("_", " ") + (f" ({came.detail})" if came.detail else "")
    match came.what:
        case "reached":
            return f"would get it now: {_ways(story)}" if planned else f"got it: {_ways(story)}"
        case "waiting":
            return f"{'would wait' if planned else 'waits'}{_until(story)}" + (f": {why}" if why else "")
        case "in_doubt":
            return f"may have got it, nobody can tell: {why}"
        case "failed":
            # What came back has no reason of ours, only the provider's words.
            return f"got nothing, for it {f'failed: {why}' if came.reason else f'came back: {came.detail}'}"
        case "holdout":
            return f"{'would get' if planned else 'got'} nothing, on purpose: the campaign's holdout"
    nothing = "would get nothing" if planned else "got nothing"
    return f"{nothing}: not in the audience{_kept_out(story)}" if came.what == OUTSIDE else f"{nothing}: {why}"


def _ways(story: Story) -> str:
    ways = [str(row.delivery.key.channel) for row in story.rows if row.delivery.state in _GOT]
    ways += [str(one.row.channel) for one in story.would if isinstance(one.row.verdict, Send)]
    return ", ".join(dict.fromkeys(ways))


def _until(story: Story) -> str:
    ends = [row.delivery.not_before for row in story.rows if row.delivery.state in (State.HELD, State.RETRY_WAIT)]
    ends += [one.row.verdict.until for one in story.would if isinstance(one.row.verdict, Hold)]
    known = [end for end in ends if end is not None]
    return f" until {wall(min(known), story.campaign.policy.time_zone)}" if known else ""


def _kept_out(story: Story) -> str:
    inside = [one.name for one in story.exclude if one.found.holds]
    if inside and any(one.found.holds for one in story.audience):
        return f", kept out by exclude: {', '.join(inside)}"
    return ""


def _audience(sheet: Sheet, story: Story) -> None:
    """Which segment somebody is in, condition by condition, or why they are in none."""
    labels = iter(("audience",))

    def say_it(text: str) -> None:
        sheet.line(next(labels, ""), text)

    first = f"in {story.segment}"
    if len(story.campaign.audience) > 1:
        first += f", the first that fits of {', '.join(story.campaign.audience)}"
    if story.known is None:
        say_it(first if story.segment else "no row in this run: they were not in its audience")
        say_it("conditions cannot be shown: the audience does not know them any more, or cannot be read")
        return
    for one in story.audience:
        chosen = one.name == story.segment
        say_it(first if chosen else f"{'in' if one.found.holds else 'not in'} {one.name}")
        _conditions(sheet, story, one, whole=chosen or not story.segment)
        if chosen:
            break
    for one in story.exclude:
        say_it(f"{'in' if one.found.holds else 'not in'} {one.name}, which is excluded")
        if one.found.holds:
            _conditions(sheet, story, one, whole=True)
    fits = next((one.name for one in story.audience if one.found.holds), "")
    fits = "" if any(one.found.holds for one in story.exclude) else fits
    if story.run is not None and fits != story.segment:
        now = f"in {fits}" if fits else "in none of these"
        say_it(f"by what is known of them now they would be {now}: it has changed since the run was planned")


def _conditions(sheet: Sheet, story: Story, one: Judgement, *, whole: bool) -> None:
    """The conditions at the top of a segment, all of them or those that keep the person out; beneath each what decided it."""
    root, zone = one.found, story.campaign.policy.time_zone
    for part in root.parts if isinstance(root.node, All) else (root,):
        if whole or not part.holds:
            for deep, found in _deciding(part, 1):
                value = decided_by(found, zone)
                mark, style = ("yes ", GREEN) if found.holds else ("no  ", RED)
                said = say(found.node, zone)
                sheet.line("", said + (f"   ({value})" if value else ""), mark=mark, style=style, deep=deep)


def _deciding(found: Finding, deep: int) -> Iterator[tuple[int, Finding]]:
    """A condition and, where it does not hold, what inside of it is to blame."""
    yield deep, found
    if found.holds:
        return
    yield from _blamed(found, deep + 1, wanted=True)


def _blamed(found: Finding, deep: int, *, wanted: bool) -> Iterator[tuple[int, Finding]]:
    if isinstance(found.node, Not | Member) and len(found.parts) == 1:
        yield from _blamed(found.parts[0], deep, wanted=wanted is not isinstance(found.node, Not))
        return
    for part in found.parts:
        if part.holds is not wanted:
            yield deep, part
            yield from _blamed(part, deep + 1, wanted=wanted)


def _drawn(one: "Drawn", story: Story) -> str:
    if one.percent is None:
        return f"{story.variant or one.got}   drawn {one.place:.3f}, the same in every run"
    share = say_percent(one.percent)
    if one.what == "ramp":
        return f"{one.got}   drawn {one.place:.3f}, open to the first {share}"
    return f"{one.got}   drawn {one.place:.3f}, the first {share} get nothing on purpose"


def _row(sheet: Sheet, row: Row, zone: str) -> None:
    """One channel of a run as its row has it, then all that happened on it, in order of time."""
    one = row.delivery
    slot = f" {one.key.slot + 1}" if one.key.slot else ""
    sheet.line(f"{one.key.channel}{slot}", _state(one, zone))
    told = [(a.at, f"attempt {a.attempt}: {a.provider} {a.outcome}", a.detail) for a in row.answers]
    told += [(deed.at, f"{deed.deed}{' by a machine' if deed.machine else ''}", deed.link) for deed in row.deeds]
    for at, what, detail in sorted(told):
        sheet.line("", f"{wall(at, zone)}   {what}" + (f": {detail}" if detail else ""))
    _because(sheet, row.because, zone)


def _state(one: "Delivery", zone: str) -> str:
    words = said_state(one)
    if one.intent_at is not None and one.state in SEEN:
        took = (one.settled_at - one.intent_at) / SECOND if one.settled_at is not None else None
        words += f" by {one.provider} · sent {wall(one.intent_at, zone)} to {one.address}"
        words += f", answered after {took:.1f} s" if took is not None and took >= 0.1 else ""
    elif one.not_before is not None and one.state in (State.HELD, State.RETRY_WAIT):
        words += f" · looked at again {wall(one.not_before, zone)}"
    elif one.settled_at is not None:
        words += f" · {wall(one.settled_at, zone)}"
    return words + (" · it may have been sent twice" if one.maybe_duplicate else "")


def _would(sheet: Sheet, one: Would, zone: str) -> None:
    verdict = one.row.verdict
    slot = f" {one.row.slot + 1}" if one.row.slot else ""
    if isinstance(verdict, Send):
        said = f"would be sent to {verdict.address.value}"
    elif isinstance(verdict, Hold):
        said = f"would be held until {wall(verdict.until, zone)}: {verdict.reason.replace('_', ' ')}"
    else:
        detail = getattr(verdict, "detail", "")
        ends = "would expire" if isinstance(verdict, Expire) else f"would be {state_of(one.row)}"
        said = f"{ends}: {verdict.reason.replace('_', ' ')}" + (f" ({detail})" if detail else "")
    sheet.line(f"{one.row.channel}{slot}", said)
    _because(sheet, one.because, zone)


def _because(sheet: Sheet, found: "Sequence[Evidence]", zone: str) -> None:
    for one in found:
        more = [wall(one.at, zone)] if one.at is not None else []
        more += [one.source] if one.source else []
        sheet.line("", one.text + (f" · {' · '.join(more)}" if more else ""))


def _aim(sheet: Sheet, story: Story, aim: Aim, now: Instant) -> None:
    zone = story.campaign.policy.time_zone
    said = f"{aim.goal.event} within {say_duration(aim.goal.within)}"
    if story.run is None:
        said += " of the message"
    elif aim.since is None or aim.until is None:
        said += ": nothing was sent, so nothing counts"
    elif aim.reached:
        said += f": reached {', '.join(_reached(aim, one, zone) for one in aim.reached)}"
    elif story.known is None:
        said += f" of {wall(aim.since, zone)}: what they did cannot be read"
    elif now < aim.until:
        said += f": not yet; it counts until {wall(aim.until, zone)}"
    else:
        said += f": not reached by {wall(aim.until, zone)}"
    sheet.line("goal", said)


def _reached(aim: Aim, one: "Happened", zone: str) -> str:
    value = one.properties.get(aim.goal.value) if aim.goal.value else None
    return wall(one.time, zone) + (f" ({aim.goal.value} {value})" if value is not None else "")


def _footer(sheet: Sheet, story: Story, others: Sequence[int], now: Instant) -> None:
    """What the conditions were judged by, and what to look at next."""
    name, user = story.campaign.name, story.who.user
    if story.known is not None and story.run is not None:
        sheet.text(
            f"conditions: events before {wall(story.at, story.campaign.policy.time_zone)}, attributes and lists as they are now"
        )
    for row in story.rows:
        if row.delivery.state in SEEN:
            sheet.command("what they saw:", f"orchestrator show {say_key(row.delivery.key)}")
    if story.run is None:
        sheet.text(f"next: {upcoming(story.campaign, now).text}")
        if story.segment:
            sheet.command("what they would see:", f"orchestrator preview {name} --as {user}")
    if others:
        runs = ", ".join(str(one) for one in others[:5]) + (", …" if len(others) > 5 else "")
        more = "also in" if story.rows else "already in"
        sheet.command(f"{more} run {runs}:", f"orchestrator why {name} {user} --run {others[0]}")
