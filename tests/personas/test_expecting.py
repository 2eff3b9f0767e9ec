"""What personas expect is met or is not, and every difference says what was expected, what came and why."""

import pytest

from orchestrator.core.nouns import Channel
from orchestrator.core.reasons import Reason
from tests.personas.builders import FILES, failures, lived, loaded, the_project

KNOWN = """\
profile:
  firstName: Ada
  email: ada@mail.example
  devices: [phone]
  time_zone: Europe/Vienna
  score: 5
  tags: [shoes]
  consent: {offers: [push, email]}
"""
BUYER = """\
events:
  - {event: purchase, at: [2026-02-20 10:00, 2026-02-22 10:00], amount: 12.5, sku: s1}
"""


def expecting(*lines, who=KNOWN + BUYER):
    return who + "expect:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


SPRING, LETTER = "campaign: spring, at: 2026-03-02 12:00", "campaign: letter, at: 2026-03-02 12:00"


@pytest.mark.parametrize(
    "line",
    [
        SPRING,
        f"{SPRING}, segment: buyers",
        f"{SPRING}, channel: push, contains: [Ada, shoes], not_contains: [hats, Bo]",
        f"{SPRING}, subject: Ada",
        f"{SPRING}, locale: en",
        f"{SPRING}, channel: email, nothing: other_channel",
        f"{LETTER}, channel: email, contains: [Spent 25, A letter to you]",
        f"{LETTER}, channel: push, contains: Have a look",
        "campaign: spring, at: 2026-03-02 21:30, nothing: quiet_hours",
        "campaign: spring, at: 2026-03-02 12:00 America/New_York",
        "campaign: spring, at: 2026-03-02 22:00 America/New_York, nothing: quiet_hours",  # her clock, not theirs: 4 o'clock
        "campaign: spring, at: 2026-03-02T12:00+01:00, segment: buyers",
        "campaign: spring, at: 2026-04-20 12:00, segment: known",
        f"{SPRING}, variant: bright",
    ],
)
def test_an_expectation_is_met(line):
    assert failures(expecting(line)) == []


def test_each_difference_says_what_was_expected_and_what_came():
    text = expecting(
        f"{SPRING}, segment: known",
        f"{SPRING}, channel: email",
        f"{SPRING}, nothing: capped",
        f"{SPRING}, subject: Bo",
        f"{SPRING}, locale: de",
        f"{SPRING}, contains: shoes+coats, not_contains: Ada",
        f"{LETTER}, nothing: no_consent",
        "campaign: letter, at: 2026-03-03 12:00",
        "campaign: spring, at: 2026-03-09 22:00",
    )
    assert failures(text) == [
        (12, "segment", "segment known", "segment buyers"),
        (13, "message", "a message on email", "a message on push, nothing on email: other_channel"),
        (14, "nothing", "nothing: capped", "a message on push"),
        (15, "subject", "subject: Bo", "subject: Ada"),
        (16, "locale", "push in de", "push in en"),
        (17, "contains", "text: shoes+coats", "push: Ada · shoes ? ? ?"),
        (17, "not_contains", "no text: Ada", "it is in the title of the push"),
        (18, "nothing", "nothing: no_consent", "a message on email"),
        (19, "message", "a message", "nothing: not_in_audience (untold)"),
        (20, "message", "a message", "nothing: quiet_hours, held until 2026-03-10 09:00 Europe/Vienna"),
    ]


def test_the_push_of_a_morning_counts_in_the_afternoon_and_expectations_may_stand_in_any_order():
    text = expecting(
        "campaign: spring, at: 2026-03-02 15:00, nothing: repeat",
        "campaign: letter, at: 2026-03-06 12:00, channel: email",
        "campaign: letter, at: 2026-03-06 12:00, channel: push",
        "campaign: letter, at: 2026-03-02 13:00, nothing: not_in_audience",
        SPRING,
    )
    assert failures(text) == []


def test_what_was_sent_before_counts_towards_caps_and_repeat_and_segments_find_it():
    had = "sent:\n  - {campaign: letter, at: [2026-02-25 12:00, 2026-02-26 12:00], channel: email}\n"
    had += "  - {campaign: spring, at: 2026-02-27 11:00, channel: push, opened: 2026-02-27 12:00}\n"
    who = KNOWN.replace("  devices: [phone]\n", "") + BUYER + had
    text = expecting(
        "campaign: letter, at: 2026-02-26 13:00, nothing: not_in_audience",
        "campaign: letter, at: 2026-03-03 12:00, nothing: capped, channel: email",
        "campaign: spring, at: 2026-03-04 10:59, nothing: repeat",
        "campaign: spring, at: 2026-03-04 11:01, nothing: capped",
        "campaign: spring, at: 2026-03-04 12:30, channel: email",
        who=who,
    )
    assert failures(text) == []


def test_a_text_must_be_in_every_variant_and_the_one_that_lacks_it_is_named():
    who = KNOWN.replace("  devices: [phone]\n", "") + BUYER
    [told] = lived(expecting(f"{SPRING}, contains: Ada", who=who)).told
    assert [(it.variant, it.expected) for it in told.failures] == [("bright", "text: Ada")]
    assert failures(expecting(f"{SPRING}, variant: plain, contains: Ada", who=who)) == []
    assert failures(expecting(f"{SPRING}, variant: bright, contains: 5 points", who=who)) == []


def test_chance_keeps_nobody_out_unless_the_expectation_is_about_it():
    """Of 60 people the ramp and both holdouts keep out most; all of them pass where a message is expected."""
    kept = {Reason.RAMP: 0, Reason.HOLDOUT: 0, Reason.PROJECT_HOLDOUT: 0}
    for number in range(60):
        who = KNOWN.replace("profile:\n", f"profile:\n  user_id: u{number}\n") + BUYER
        assert failures(expecting(SPRING, who=who)) == []
        for reason in kept:
            kept[reason] += failures(expecting(f"{SPRING}, nothing: {reason}", who=who)) == []
    assert 18 <= kept[Reason.RAMP] <= 36
    assert 2 <= kept[Reason.HOLDOUT] <= 20
    assert 4 <= kept[Reason.PROJECT_HOLDOUT] <= 24


def test_a_segment_that_was_not_reached_is_explained_condition_by_condition():
    [told] = lived(expecting(f"{SPRING}, segment: buyers", who=KNOWN)).told
    [failure] = told.failures
    [(name, found)] = failure.because
    assert (name, found.holds, [part.holds for part in found.parts]) == ("buyers", False, [False, True])
    assert failure.got == "segment known"


def test_where_an_earlier_segment_takes_the_person_it_is_named():
    [told] = lived(expecting(f"{SPRING}, segment: known")).told
    [failure] = told.failures
    assert failure.note.startswith("known says yes too, but buyers stands before it")
    assert failure.because[0][0] == "buyers"


def test_one_of_us_is_excluded_and_the_segment_that_says_so_explains_it():
    who = KNOWN.replace("ada@mail", "P21@MAIL") + BUYER
    assert failures(expecting(f"{SPRING}, nothing: excluded", who=who)) == []
    [told] = lived(expecting(SPRING, who=who)).told
    assert told.failures[0].got == "nothing: excluded (staff)"
    assert told.failures[0].because[0][0] == "staff"


def test_addresses_that_are_stopped_and_words_that_were_never_said():
    stopped = KNOWN + "  suppressed: [push]\n"
    lines = f"{LETTER}, channel: push, nothing: suppressed", f"{SPRING}, channel: email"
    assert failures(expecting(*lines, who=stopped + BUYER)) == []
    silent = KNOWN.replace("  consent: {offers: [push, email]}\n", "")
    assert failures(expecting(f"{SPRING}, nothing: no_consent", LETTER, who=silent)) == []
    refused = KNOWN.replace("{offers: [push, email]}", "{news: {push: false, email: false}}")
    assert failures(expecting(f"{LETTER}, nothing: no_consent", who=refused)) == []
    nobody = KNOWN.replace("  email: ada@mail.example\n  devices: [phone]\n", "")
    assert failures(expecting(f"{LETTER}, nothing: no_address", who=nobody)) == []


def test_data_that_is_missing_is_a_reason_with_its_place():
    who = KNOWN.replace("  score: 5\n", "").replace("  devices: [phone]\n", "") + BUYER
    text = expecting(f"{SPRING}, variant: bright, nothing: missing_data", f"{SPRING}, variant: bright", who=who)
    [(_, _, _, got)] = failures(text)
    assert got.startswith("nothing: missing_data (userAttribute.score (templates/spring/_default/email@bright.html:")


def test_codes_and_linked_data_come_without_a_pool_and_without_asking_anybody():
    name, text = (
        "templates/letter/_default/push.yaml",
        "title: A letter\nbody: \"{{ coupon('spring') }} {{ linkedData.shelf.title }}\"\n",
    )
    project = loaded(**{name: text})
    assert project.mistakes == ()
    line = f"{LETTER}, channel: push, contains: SAMPLE-CODE Shoes, locale: en"
    told = "linkedData: {shelf: {title: Shoes}}\n"
    assert failures(expecting(line, who=KNOWN + told), project=project) == []
    missing = f"{LETTER}, channel: push, nothing: missing_data"
    assert failures(expecting(missing), project=project) == []


def test_a_language_is_that_of_the_file_the_words_come_from():
    german = KNOWN.replace("profile:\n", "profile:\n  locale: de-AT\n")
    lines = f"{LETTER}, locale: de, subject: Ein Brief", f"{SPRING}, channel: push, locale: de, subject: Frühling"
    assert failures(expecting(*lines[:1], who=german.replace("  devices: [phone]\n", ""))) == []
    assert failures(expecting(*lines[1:], who=german)) == []


def test_a_place_among_everybody_is_said_to_be_beyond_one_person():
    [(_, what, _, got)] = failures(expecting("campaign: best, at: 2026-03-02 12:00"))
    assert what == "trouble"
    assert "one person alone has none" in got


def test_what_cannot_be_explained_of_one_person_is_left_out_and_the_rest_is_told():
    name = "config/campaigns/spring.yaml"
    project = loaded(**{name: FILES[name].replace("[buyers, known]", "[buyers, richest]")})
    assert failures(expecting(f"{SPRING}, segment: richest"), project=project) == [
        (12, "segment", "segment richest", "segment buyers")
    ]


def test_the_nearest_text_of_a_message_is_shown():
    [told] = lived(expecting(f"{LETTER}, channel: email, contains: Spend 25.")).told
    assert told.failures[0].near == ("text", "Spent 25.")
    [told] = lived(expecting(f"{LETTER}, channel: email, contains: quite another thing")).told
    assert told.failures[0].near == ("", "")
    assert told.failures[0].got.startswith("email: A letter to you · Joined long ago.")


def test_a_template_that_never_ends_costs_two_seconds_and_has_its_reason(monkeypatch):
    monkeypatch.setattr("orchestrator.personas.alarm.SECONDS", 0.05)
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    project = loaded(**{"templates/letter/_default/push.yaml": f'title: A letter\nbody: "{endless}"\n'})
    line = f"{LETTER}, channel: push, nothing: template_too_slow"
    assert failures(expecting(line), project=project) == []


def test_whoever_is_reached_only_by_seeds_elsewhere_is_tested_like_everybody():
    settings = FILES["config/orchestrator.yaml"] + "environments: {dev: {deliver: seeds}}\nseeds: lists/staff.csv\n"
    project = loaded(**{"config/orchestrator.yaml": settings})
    assert project.sound().campaigns["spring"].policy.seeds is not None
    assert failures(expecting(SPRING), project=project) == []


def test_the_messages_of_a_run_are_told_with_their_channel_and_variant():
    [told] = lived(expecting(LETTER)).told
    assert [it.channel for it in told.outcome.messages] == [Channel.EMAIL, Channel.PUSH]
    assert told.outcome.segment == "untold"
    assert the_project().sound().campaigns["letter"].experiment is None
