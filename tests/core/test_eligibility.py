"""The judge: ten questions in their order, first answer wins, all rows of a person together."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.assignment import assign
from orchestrator.core.campaigns import Campaign, Cap, Consent, Experiment, Kind, Mode, Policy, QuietHours
from orchestrator.core.eligibility import judge, quiet_until
from orchestrator.core.facts import PersonFacts, RowFacts, RunFacts, Touch
from orchestrator.core.nouns import Address, Asked, Channel, Expire, Hold, Person, Send, Skip, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant, instant, moment

NOW = instant(datetime(2026, 3, 2, 12, tzinfo=ZoneInfo("UTC")))
PUSH, MAIL = Channel.PUSH, Channel.EMAIL
ADA = Person(
    "ada",
    "vips",
    "Europe/Vienna",
    addresses={MAIL: (Address("ada@shop.example"),), PUSH: (Address("old", NOW - DAY), Address("new", NOW))},
)
YES = PersonFacts(consent={PUSH: True, MAIL: True})
RUN = RunFacts(7, NOW, NOW)


def a_campaign(
    mode=Mode.FIRST_OF, channels=(PUSH, MAIL), kind=Kind.MARKETING, experiment=None, devices="latest", **policy
):
    rules = Policy(**{"time_zone": "UTC", "topic": "offers", "expires": DAY, **policy})
    return Campaign("winback", channels, rules, mode=mode, kind=kind, experiment=experiment, devices=devices)


def judged(campaign=None, facts=YES, person=ADA, run=RUN, now=NOW):
    return {(v.channel, v.slot): v.verdict for v in judge(campaign or a_campaign(), run, person, facts, now)}


def a_row(channel, state, reason="", **over):
    return RowFacts(channel, 0, 0, state, reason, **over)


def test_first_of_sends_on_the_first_channel_and_skips_the_others():
    assert judged() == {(PUSH, 0): Send(Address("new", NOW)), (MAIL, 0): Skip(Reason.OTHER_CHANNEL)}


def test_all_of_sends_on_each():
    assert set(map(type, judged(a_campaign(Mode.ALL_OF)).values())) == {Send}


def test_first_of_passes_a_channel_without_consent():
    found = judged(facts=PersonFacts(consent={PUSH: False, MAIL: True}))
    assert found == {(PUSH, 0): Skip(Reason.NO_CONSENT, "offers"), (MAIL, 0): Send(ADA.addresses[MAIL][0])}


def test_opt_in_needs_a_yes_and_opt_out_only_no_no():
    assert judged(facts=PersonFacts())[PUSH, 0] == Skip(Reason.NO_CONSENT, "offers")
    assert isinstance(judged(a_campaign(consent=Consent.OPT_OUT), PersonFacts())[PUSH, 0], Send)
    assert (
        judged(a_campaign(consent=Consent.OPT_OUT), PersonFacts(consent={PUSH: False}))[PUSH, 0].reason
        is Reason.NO_CONSENT
    )


def test_transactional_needs_no_consent():
    assert isinstance(judged(a_campaign(kind=Kind.TRANSACTIONAL), PersonFacts())[PUSH, 0], Send)


def test_a_suppressed_device_gives_way_to_the_next_and_none_left_is_suppressed():
    assert judged(facts=replace(YES, suppressed=frozenset({"new"})))[PUSH, 0] == Send(Address("old", NOW - DAY))
    both = replace(YES, suppressed=frozenset({"new", "old"}))
    assert judged(facts=both) == {(PUSH, 0): Skip(Reason.SUPPRESSED), (MAIL, 0): Send(ADA.addresses[MAIL][0])}


def test_no_address_is_said_where_there_is_none():
    assert judged(person=replace(ADA, addresses={}))[PUSH, 0] == Skip(Reason.NO_ADDRESS)


def test_all_devices_get_a_row_each_the_latest_first():
    found = judged(a_campaign(Mode.ALL_OF, devices="all"))
    assert [found[PUSH, slot].address.value for slot in (0, 1)] == ["new", "old"]


def test_first_of_moves_on_when_the_address_is_gone_and_not_on_other_failures():
    gone = replace(YES, rows=(a_row(PUSH, State.FAILED, Reason.ADDRESS_GONE), a_row(MAIL, State.PLANNED)))
    assert judged(facts=gone) == {(MAIL, 0): Send(ADA.addresses[MAIL][0])}
    refused = replace(YES, rows=(a_row(PUSH, State.FAILED, Reason.REFUSED), a_row(MAIL, State.PLANNED)))
    assert judged(facts=refused) == {(MAIL, 0): Skip(Reason.OTHER_CHANNEL)}


@pytest.mark.parametrize("state", [State.INTENT, State.ACCEPTED, State.UNKNOWN, State.RETRY_WAIT])
def test_a_message_that_left_or_may_have_keeps_the_other_channels_out(state):
    rows = (a_row(PUSH, state, not_before=Instant(NOW + HOUR)), a_row(MAIL, State.PLANNED))
    assert judged(facts=replace(YES, rows=rows)) == {(MAIL, 0): Skip(Reason.OTHER_CHANNEL)}


def test_the_order_of_the_questions():
    """Somebody to whom every answer applies gets them one by one, as the reasons before fall away."""
    campaign = a_campaign(
        channels=(MAIL,), project_holdout=100.0, quiet_hours=QuietHours(0, 1439), caps=(Cap(1, DAY),), expires=2 * DAY
    )
    nobody = replace(ADA, holdout=True, addresses={})
    touched = PersonFacts(
        touches=(Touch(NOW - HOUR, MAIL, "other"),), suppressed=frozenset({"ada@shop.example"}), asked=Asked.LEFT
    )
    run = replace(RUN, cancelled=True, opens_at=Instant(NOW + HOUR))
    late = Instant(NOW + 3 * DAY)

    def first(person=nobody, facts=touched, rules=campaign, of=run, now=NOW):
        return judged(rules, facts, person, of, now)[MAIL, 0]

    assert first(now=late) == Skip(Reason.CANCELLED)
    run = replace(run, cancelled=False)
    assert first(of=run, now=late) == Expire(Reason.LATE)
    assert first(of=run) == Skip(Reason.PROJECT_HOLDOUT)
    rules = replace(campaign, policy=replace(campaign.policy, project_holdout=0.0))
    assert first(of=run, rules=rules) == Skip(Reason.LEFT)
    assert first(of=run, rules=rules, facts=replace(touched, asked=Asked.CONVERTED)) == Skip(Reason.CONVERTED)
    facts = replace(touched, asked=Asked.STILL_IN)
    assert first(of=run, rules=rules, facts=facts) == Skip(Reason.NO_CONSENT, "offers")
    facts = replace(facts, consent={MAIL: True})
    assert first(of=run, rules=rules, facts=facts) == Skip(Reason.NO_ADDRESS)
    person = replace(ADA, holdout=True)
    assert first(person, facts, rules, run) == Skip(Reason.SUPPRESSED)
    facts = replace(facts, suppressed=frozenset())
    assert first(person, facts, rules, run) == Hold(Instant(NOW + HOUR), Reason.WAVE)
    run = replace(run, opens_at=NOW)
    assert first(person, facts, rules, run).reason is Reason.QUIET_HOURS
    rules = replace(rules, policy=replace(rules.policy, quiet_hours=None))
    assert first(person, facts, rules, run).reason is Reason.CAPPED
    facts = replace(facts, touches=())
    assert first(person, facts, rules, run) == Skip(Reason.HOLDOUT)
    assert first(ADA, facts, rules, run) == Send(ADA.addresses[MAIL][0])


def test_the_holdout_and_every_variant_are_exposed_only_at_the_last_question():
    def exposed(person, **policy):
        return [v.exposed for v in judge(a_campaign(channels=(MAIL,), **policy), RUN, person, YES, NOW)]

    assert exposed(ADA) == [True]
    assert exposed(replace(ADA, holdout=True)) == [True]
    assert exposed(replace(ADA, holdout=True), quiet_hours=QuietHours(0, 1439)) == [False]


def test_a_cap_counts_every_campaign_within_its_window_but_not_this_message_itself():
    cap = (Cap(1, DAY, MAIL),)
    campaign = a_campaign(channels=(MAIL,), caps=cap)
    other = replace(YES, touches=(Touch(NOW - HOUR, MAIL, "newsletter", 1),))
    assert judged(campaign, other)[MAIL, 0].reason is Reason.CAPPED
    assert isinstance(judged(campaign, replace(YES, touches=(Touch(NOW - DAY, MAIL, "newsletter", 1),)))[MAIL, 0], Send)
    assert isinstance(
        judged(campaign, replace(YES, touches=(Touch(NOW - HOUR, PUSH, "newsletter", 1),)))[MAIL, 0], Send
    )
    assert isinstance(
        judged(campaign, replace(YES, touches=(Touch(NOW - HOUR, MAIL, "winback", RUN.run),)))[MAIL, 0], Send
    )
    assert isinstance(judged(a_campaign(channels=(MAIL,), caps=cap, caps_exempt=True), other)[MAIL, 0], Send)


def test_two_channels_of_one_judgement_count_each_other():
    found = judged(a_campaign(Mode.ALL_OF, caps=(Cap(1, DAY),)))
    assert isinstance(found[PUSH, 0], Send)
    assert found[MAIL, 0].reason is Reason.CAPPED


def test_a_holding_cap_waits_until_the_window_has_room():
    campaign = a_campaign(channels=(MAIL,), caps=(Cap(2, DAY),), capped="hold", expires=3 * DAY)
    touches = tuple(Touch(Instant(NOW - hours * HOUR), MAIL, "other", hours) for hours in (3, 2, 1))
    assert judged(campaign, replace(YES, touches=touches))[MAIL, 0] == Hold(
        Instant(NOW - 2 * HOUR + DAY), Reason.CAPPED
    )


def test_quiet_hours_hold_and_in_app_is_exempt():
    quiet = QuietHours(12 * 60, 14 * 60)
    found = judged(
        a_campaign(Mode.ALL_OF, (MAIL, Channel.IN_APP), quiet_hours=quiet),
        replace(YES, consent={MAIL: True, Channel.IN_APP: True}),
    )
    assert found[MAIL, 0] == Hold(Instant(NOW + HOUR), Reason.QUIET_HOURS)  # 13:00 in Vienna
    assert found[Channel.IN_APP, 0] == Send(Address("ada"))


def test_quiet_hours_that_outlast_the_message_expire_it():
    campaign = a_campaign(channels=(MAIL,), quiet_hours=QuietHours(12 * 60, 14 * 60), expires=30 * MINUTE)
    assert judged(campaign)[MAIL, 0] == Expire(Reason.QUIET_HOURS)


def test_an_unknown_zone_is_the_projects():
    quiet = QuietHours(12 * 60, 13 * 60)
    person = replace(ADA, zone="Mars/Base")
    assert judged(a_campaign(channels=(MAIL,), quiet_hours=quiet), person=person)[MAIL, 0] == Hold(
        Instant(NOW + HOUR), Reason.QUIET_HOURS
    )


ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("posix", "right")))


@given(
    st.sampled_from(ZONES),
    st.integers(
        instant(datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))), instant(datetime(2037, 1, 1, tzinfo=ZoneInfo("UTC")))
    ),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_nobody_is_ever_woken(zone, at, start, end):
    """Against the clock on the wall, minute by minute: quiet now means held, to a moment that is not quiet."""
    quiet = QuietHours(start, end)

    def is_quiet(when):
        wall = moment(Instant(when)).astimezone(ZoneInfo(zone))
        minute = timedelta(hours=wall.hour, minutes=wall.minute) // timedelta(minutes=1)
        return start <= minute < end if start <= end else not end <= minute < start

    until = quiet_until(quiet, zone, "UTC", Instant(at))
    assert (until is None) == (not is_quiet(at))
    if until is not None:
        assert at < until <= at + 26 * HOUR
        assert not is_quiet(until)
        assert all(is_quiet(between) for between in range(at, until, 30 * MINUTE))


def test_variants_and_holdout_are_drawn_evenly_and_apart():
    campaign = a_campaign(experiment=Experiment({"reminder": 50, "discount": 50}, holdout=10.0))
    drawn = [assign(campaign, f"u{n}") for n in range(20_000)]
    held = [variant for variant, holdout in drawn if holdout]
    assert abs(len(held) - 2000) < 150
    assert abs(held.count("discount") / len(held) - 0.5) < 0.05
    assert drawn == [assign(campaign, f"u{n}") for n in range(20_000)]


def test_a_campaign_reaches_somebody_again_only_as_its_repeat_says():
    from orchestrator.core.campaigns import Repeat

    had = replace(YES, touches=(Touch(NOW - 2 * DAY, MAIL, "winback", 3), Touch(NOW - HOUR, MAIL, "other", 4)))
    campaign = a_campaign(channels=(MAIL,))
    for after, verdict in ((0, Send), (DAY, Send), (3 * DAY, Skip), (None, Skip)):
        found = judged(replace(campaign, repeat=Repeat(after)), had)[MAIL, 0]
        assert isinstance(found, verdict), after
    own = replace(YES, touches=(Touch(NOW - HOUR, MAIL, "winback", RUN.run),))
    assert isinstance(judged(replace(campaign, repeat=Repeat(None)), own)[MAIL, 0], Send)


def test_a_ramp_grows_by_its_steps_and_stays_at_the_last():
    from orchestrator.core.assignment import ramp_at
    from orchestrator.core.times import NEVER

    campaign = a_campaign(experiment=Experiment({"a": 50, "b": 50}, ramp=((5.0, 3 * DAY), (25.0, 7 * DAY))))
    assert ramp_at(campaign, NOW, NOW) == (5.0, NOW + 3 * DAY)
    assert ramp_at(campaign, NOW, Instant(NOW + 3 * DAY)) == (25.0, NEVER)
    assert ramp_at(campaign, NOW, Instant(NOW + 99 * DAY)) == (25.0, NEVER)
    assert ramp_at(a_campaign(), NOW, NOW) == (100.0, NEVER)
