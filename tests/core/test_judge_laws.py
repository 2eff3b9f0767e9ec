"""Laws the judge keeps for everybody: against plain re-tellings of caps and channels, over rows in any state."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.core.assignment import planned_rows
from orchestrator.core.campaigns import Campaign, Cap, Consent, Mode, Policy, QuietHours
from orchestrator.core.eligibility import deadline, judge, must_ask_again
from orchestrator.core.facts import PersonFacts, RowFacts, RunFacts, Touch
from orchestrator.core.lists import NOBODY
from orchestrator.core.nouns import Address, Channel, Hold, Person, Send, Skip, State
from orchestrator.core.phrases import say_cap
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant

NOW = Instant(1_772_452_800 * 1_000_000)  # 2026-03-02T12:00:00Z
RUN = RunFacts(7, NOW, NOW)
CHANNELS = (Channel.PUSH, Channel.EMAIL, Channel.IN_APP)
WAITING = {State.PLANNED, State.HELD, State.RETRY_WAIT}
LEFT_THE_HOUSE = {
    State.INTENT, State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.UNKNOWN,
}  # fmt: skip

caps = st.lists(
    st.builds(Cap, st.integers(1, 3), st.sampled_from([HOUR, DAY, 7 * DAY]), st.sampled_from([None, *CHANNELS])),
    max_size=3,
).map(tuple)
touches = st.lists(
    st.builds(
        Touch,
        st.integers(0, 200).map(lambda hours: Instant(NOW - hours * HOUR // 2)),
        st.sampled_from(CHANNELS),
        st.sampled_from(["winback", "newsletter"]),
        st.integers(1, 9),
    ),
    max_size=8,
).map(tuple)
rows = st.lists(
    st.builds(
        RowFacts,
        st.sampled_from(CHANNELS),
        st.integers(0, 1),
        st.integers(0, 1),
        st.sampled_from(State),
        st.sampled_from(["", *Reason]),
        not_before=st.sampled_from([None, NOW, Instant(NOW + HOUR)]),
    ),
    max_size=6,
    unique_by=lambda row: (row.channel, row.step, row.slot),
).map(tuple)
people = st.builds(
    lambda push, email, zone, holdout: Person(
        "ada", "vips", zone, holdout=holdout, addresses={Channel.PUSH: push, Channel.EMAIL: email}
    ),
    st.lists(st.sampled_from([Address("old", Instant(1)), Address("new", Instant(2))]), unique=True).map(tuple),
    st.sampled_from([(), (Address("ada@shop.example"),)]),
    st.sampled_from(["", "Asia/Tokyo", "America/New_York"]),
    st.booleans(),
)
campaigns = st.builds(
    lambda channels, mode, devices, quiet, expires, **policy: Campaign(
        "winback",
        tuple(channels),
        Policy("UTC", topic="offers", quiet_hours=quiet, expires=expires, **policy),
        mode=mode,
        devices=devices,
    ),
    st.permutations(CHANNELS),
    st.sampled_from(Mode),
    st.sampled_from(["latest", "all"]),
    st.sampled_from([None, QuietHours(21 * 60, 9 * 60)]),
    st.sampled_from([None, MINUTE, DAY, 20 * DAY]),
    consent=st.sampled_from(Consent),
    caps=caps,
    capped=st.sampled_from(["skip", "hold"]),
)
facts = st.builds(
    PersonFacts,
    rows,
    st.dictionaries(st.sampled_from(CHANNELS), st.booleans()),
    st.sets(st.sampled_from(["old", "new", "ada@shop.example"])).map(frozenset),
    touches,
)


@given(caps, touches, st.sampled_from(["skip", "hold"]))
def test_caps_agree_with_a_plain_count_of_messages(limits, sent, capped):
    """One message of one channel: count, for each cap, the different messages of other runs within its window."""
    campaign = Campaign(
        "winback", (Channel.EMAIL,), Policy("UTC", consent=Consent.NONE, caps=limits, capped=capped, expires=None)
    )
    person = Person("ada", "vips", addresses={Channel.EMAIL: (Address("ada@shop.example"),)})

    def room(cap, when):
        window = {
            (touch.run, touch.channel)
            for touch in sent
            if when - cap.within < touch.at <= when and (touch.run, touch.channel) != (RUN.run, Channel.EMAIL)
        }
        return len([channel for _, channel in window if cap.channel in (None, channel)]) < cap.limit

    mine = [cap for cap in limits if cap.channel in (None, Channel.EMAIL)]
    full = [cap for cap in mine if not room(cap, NOW)]
    (found,) = judge(campaign, RUN, person, PersonFacts(touches=sent), NOW)
    if not full:
        assert isinstance(found.verdict, Send)
    elif capped == "skip":
        assert found.verdict == Skip(Reason.CAPPED, say_cap(full[0]))
    else:
        until = found.verdict.until
        assert found.verdict == Hold(until, Reason.CAPPED)
        assert all(room(cap, until) for cap in mine)
        assert not all(room(cap, until - 1) for cap in mine)


@given(campaigns, people, facts)
def test_first_of_lets_one_channel_speak_and_nobody_after_one_that_spoke(campaign, person, known):
    speaking = defaultdict(set)
    for row in known.rows:
        if row.state in LEFT_THE_HOUSE:
            speaking[row.step].add(row.channel)
    assume(all(len(channels) == 1 for channels in speaking.values()))
    for found in judge(campaign, RUN, person, known, NOW):
        if campaign.mode is Mode.FIRST_OF and isinstance(found.verdict, Send):
            assert speaking[found.step] <= {found.channel}
            speaking[found.step].add(found.channel)


@given(campaigns, people, facts)
def test_every_row_that_waits_and_is_due_gets_exactly_one_verdict_and_no_other_row_does(campaign, person, known):
    found = [(row.channel, row.step, row.slot) for row in judge(campaign, RUN, person, known, NOW)]
    due = [
        row
        for row in known.rows or planned_rows(campaign, person)
        if row.state in WAITING and not (row.state is State.RETRY_WAIT and (row.not_before or 0) > NOW)
    ]
    assert sorted(found) == sorted((row.channel, row.step, row.slot) for row in due)


@given(campaigns, people, facts, st.randoms(use_true_random=False))
def test_the_order_in_which_the_ledger_reads_rows_and_touches_means_nothing(campaign, person, known, dice):
    shuffled = PersonFacts(
        tuple(dice.sample(known.rows, len(known.rows))),
        known.consent,
        known.suppressed,
        tuple(dice.sample(known.touches, len(known.touches))),
    )
    if campaign.devices == "latest":  # with several rows of a channel, whichever comes first is asked first
        assert {(r.channel, r.step, r.slot): r.verdict for r in judge(campaign, RUN, person, known, NOW)} == {
            (r.channel, r.step, r.slot): r.verdict for r in judge(campaign, RUN, person, shuffled, NOW)
        }


@given(campaigns, people, facts)
def test_nothing_goes_to_a_dead_address_or_without_a_word_and_no_hold_outlasts_the_message(campaign, person, known):
    for row in judge(campaign, RUN, person, known, NOW):
        match row.verdict:
            case Send(address):
                assert address.value not in known.suppressed
                assert campaign.policy.consent is not Consent.OPT_IN or known.consent[row.channel]
                assert campaign.policy.consent is not Consent.OPT_OUT or known.consent.get(row.channel, True)
                assert row.exposed
                assert not person.holdout
            case Hold(until):
                assert NOW < until < deadline(campaign, RUN)
        assert row.exposed == (isinstance(row.verdict, Send) or row.verdict == Skip(Reason.HOLDOUT))


def test_three_phones_are_one_message_to_a_cap():
    campaign = Campaign(
        "winback",
        (Channel.PUSH,),
        Policy("UTC", consent=Consent.NONE, caps=(Cap(1, DAY, Channel.PUSH),)),
        devices="all",
    )
    phones = tuple(Address(name, Instant(n)) for n, name in enumerate(["old", "older", "new"]))
    person = Person("ada", "vips", addresses={Channel.PUSH: phones})
    found = judge(campaign, RUN, person, PersonFacts(), NOW)
    assert [row.verdict for row in found] == [Send(phones[2]), Send(phones[1]), Send(phones[0])]
    yesterday = tuple(Touch(Instant(NOW - HOUR), Channel.PUSH, "other", 3) for _ in phones)
    twice = Campaign(
        "winback", (Channel.PUSH,), Policy("UTC", consent=Consent.NONE, caps=(Cap(2, DAY),)), devices="all"
    )
    assert all(isinstance(row.verdict, Send) for row in judge(twice, RUN, person, PersonFacts(touches=yesterday), NOW))


def test_who_is_outside_the_ramp_waits_for_its_next_step_or_for_another_run():
    campaign = Campaign("winback", (Channel.IN_APP,), Policy("UTC", consent=Consent.NONE, expires=DAY))
    soon = RunFacts(7, NOW, NOW, ramp=0.0, ramp_grows_at=Instant(NOW + HOUR))
    person = Person("ada", "vips")
    assert judge(campaign, soon, person, PersonFacts(), NOW)[0].verdict == Hold(Instant(NOW + HOUR), Reason.RAMP)
    after_the_end = RunFacts(7, NOW, NOW, ramp=0.0, ramp_grows_at=Instant(NOW + 3 * DAY))
    assert judge(campaign, after_the_end, person, PersonFacts(), NOW)[0].verdict.reason is Reason.RAMP
    assert isinstance(judge(campaign, RunFacts(7, NOW, NOW), person, PersonFacts(), NOW)[0].verdict, Send)


def test_a_message_in_doubt_keeps_the_next_channel_silent_even_if_its_own_may_not_be_used_any_more():
    campaign = Campaign("winback", (Channel.PUSH, Channel.EMAIL), Policy("UTC", consent=Consent.NONE))
    person = Person("ada", "vips", addresses={Channel.EMAIL: (Address("ada@shop.example"),)})
    in_doubt = RowFacts(Channel.PUSH, 0, 0, State.RETRY_WAIT, Reason.NO_ANSWER)
    known = PersonFacts((RowFacts(Channel.EMAIL, 0, 0, State.PLANNED), in_doubt))
    assert judge(campaign, RUN, person, known, NOW)[1].verdict == Skip(Reason.OTHER_CHANNEL)


def test_the_audience_engine_is_asked_again_after_an_hour_and_before_the_second_message():
    assert not must_ask_again(NOW, 0, Instant(NOW + HOUR))
    assert must_ask_again(NOW, 0, Instant(NOW + HOUR + 1))
    assert must_ask_again(NOW, 1, NOW)


@given(campaigns, people, facts, st.booleans())
def test_where_only_seeds_are_reached_nobody_else_ever_is_and_a_seed_is_judged_as_before(campaign, person, known, seed):
    only = replace(campaign, policy=replace(campaign.policy, seeds=NOBODY))
    verdicts = [row.verdict for row in judge(only, RUN, replace(person, seed=seed), known, NOW)]
    if seed:
        assert verdicts == [row.verdict for row in judge(campaign, RUN, person, known, NOW)]
    else:
        assert set(verdicts) <= {Skip(Reason.NOT_A_SEED)}
