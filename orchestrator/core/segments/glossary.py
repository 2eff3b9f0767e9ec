"""The words of segments, each with a line of meaning and an example that reads: for editors and for the reference."""

from collections.abc import Mapping
from typing import NamedTuple


class Word(NamedTuple):
    """What a word means, and a condition that uses it, as YAML."""

    meaning: str
    example: str


CONDITIONS: Mapping[str, Word] = {
    "attribute": Word("What is known of a person: one comparison.", "{attribute: country, is: [AT, CH]}"),
    "event": Word(
        "What a person did: how often, how much, since when, and what followed.",
        "{event: purchase, at_least: 2, when: last 90 days}",
    ),
    "message": Word(
        "What happened to a message of ours: sent, delivered, opened, clicked, converted, bounced or complained. Everything that"
        " goes with `event` goes with it; who converted has rules of its own, below.",
        "{message: opened, campaign: winback, when: last 30 days}",
    ),
    "rfm": Word(
        "Scores from 1 to 5 (5 is best) among everybody who did the event: recency by latest time, frequency by count,"
        " monetary by the sum of a property.",
        "{rfm: purchase, sum: amount, recency: [4, 5], frequency: [3, 4, 5], monetary: 5}",
    ),
    "address": Word("There is an address for the channel: push, email or sms.", "{address: push}"),
    "reachable": Word(
        "There is an address, and the latest word on the channel (or topic) was no refusal.",
        "{reachable: email, topic: offers}",
    ),
    "subscribed": Word(
        "The latest word on a channel, or a topic of it, was yes.", "{subscribed: email, topic: offers}"
    ),
    "unsubscribed": Word("The latest word was no.", "{unsubscribed: email, topic: offers}"),
    "sample": Word(
        "So many people, drawn at random and always the same, of those for whom the condition under `of` holds.",
        "{sample: 1000, of: {segment: lapsed}}",
    ),
    "segment": Word("Members of another segment.", "{segment: lapsed}"),
    "list": Word(
        "People in a file of lists/, by id or by e-mail address; it is read anew for every question.",
        "{list: lists/contractors.csv}",
    ),
    "bucket": Word(
        "A stable, random part of everybody; buckets count from 0. `salt` names the draw.",
        "{bucket: 970 to 999 of 1000, salt: spring}",
    ),
    "all": Word("Every one of the conditions below holds.", "{all: [{segment: lapsed}, {attribute: country, is: AT}]}"),
    "any": Word(
        "At least one of the conditions below holds.", "{any: [{segment: lapsed}, {attribute: vip, is: true}]}"
    ),
    "not": Word(
        "The exact complement of one condition: people about whom it is false, those with a missing value too.",
        "{not: {attribute: country, is: DE}}",
    ),
}
"""What a condition may begin with."""

TESTS: Mapping[str, Word] = {
    "is": Word("The value is this, or one of these.", "{attribute: country, is: [AT, CH]}"),
    "is_not": Word("The value is known, and none of these.", "{attribute: country, is_not: DE}"),
    "contains": Word("The text has this in it.", "{attribute: city, contains: burg}"),
    "does_not_contain": Word("The text is known and has this nowhere.", "{attribute: city, does_not_contain: burg}"),
    "starts_with": Word("The text begins so.", '{attribute: phone, starts_with: "+43"}'),
    "ends_with": Word("The text ends so.", '{attribute: email, ends_with: "@shop.example"}'),
    "matches": Word(
        "The whole text fits a pattern: `*` is any run of characters, `?` is one.",
        '{attribute: email, matches: "*@*.example", ignore_case: true}',
    ),
    "does_not_match": Word("The text is known and does not fit.", '{attribute: email, does_not_match: "*@*.example"}'),
    "regex": Word(
        "A regular expression is found in the text; `^` and `$` stand for its ends.",
        "{attribute: plan, regex: '-[0-9]{4}$'}",
    ),
    "not_regex": Word("The text is known and has no such thing.", "{attribute: plan, not_regex: '^free'}"),
    "over": Word("More than this.", "{attribute: points, over: 100}"),
    "under": Word("Less than this.", "{attribute: points, under: 100}"),
    "at_least": Word("This or more. Versions want quotes.", '{attribute: app_version, at_least: "9.10"}'),
    "at_most": Word("This or less.", "{attribute: points, at_most: 100}"),
    "between": Word("From the first to the second, both included.", "{attribute: points, between: [100, 200]}"),
    "after": Word("Later than a point in time.", "{attribute: createdAt, after: 2026-01-01}"),
    "not_after": Word("At this point in time or before it.", "{attribute: createdAt, not_after: 2026-01-01}"),
    "before": Word("Earlier than a point in time.", "{attribute: createdAt, before: 30 days ago}"),
    "not_before": Word("At this point in time or after it.", "{attribute: createdAt, not_before: 30 days ago}"),
    "when": Word("Within a window of time, which may lie ahead.", "{attribute: renewsAt, when: next 7 days}"),
    "anniversary": Word("The day falls so in any year: a birthday.", "{attribute: birthday, anniversary: in 3 days}"),
    "contains_any": Word("The list has at least one of these.", "{attribute: interests, contains_any: [coats, shoes]}"),
    "contains_all": Word("The list has every one of these.", "{attribute: interests, contains_all: [coats, shoes]}"),
    "contains_none": Word("The list is known and has none of these.", "{attribute: interests, contains_none: [coats]}"),
    "is_set": Word("There is a value (`true`), or there is none (`false`).", "{attribute: birthday, is_set: true}"),
    "is_empty": Word("The text or list is there and has nothing in it.", "{attribute: nickname, is_empty: true}"),
    "top": Word(
        "Among the highest so many per cent of everybody who has a value; equal values stand together.",
        "{attribute: points, top: 10%}",
    ),
    "bottom": Word("Among the lowest.", "{attribute: points, bottom: 25%}"),
    "percentile": Word("Above the first and up to the second per cent.", "{attribute: points, percentile: [80, 90]}"),
    "ignore_case": Word(
        "Beside a comparison of texts: a and A are one; only the letters a to z.",
        "{attribute: city, is: wien, ignore_case: true}",
    ),
}
"""What an attribute, or an event's property under `where`, may be asked."""

EVENTS: Mapping[str, Word] = {
    "sum": Word("Adds up a number among the properties.", "{event: purchase, sum: amount, over: 200}"),
    "average": Word(
        "The mean of a number; nothing without such events.", "{event: purchase, average: amount, over: 50}"
    ),
    "min": Word("The smallest.", "{event: purchase, min: amount, at_least: 10}"),
    "max": Word("The largest.", "{event: purchase, max: amount, over: 500}"),
    "first": Word("When it was done first.", "{event: purchase, first: time, when: last 30 days}"),
    "last": Word("When it was done last.", "{event: purchase, last: time, before: 60 days ago}"),
    "distinct": Word(
        "On how many days of the calendar, in the project's zone.",
        "{event: app_open, distinct: days, at_least: 4, when: previous month}",
    ),
    "latest": Word(
        "The most recent such event is one with these properties.",
        "{event: purchase, latest: {currency: CHF}, when: last 90 days}",
    ),
    "earliest": Word("The first such event is one with these.", "{event: purchase, earliest: {amount: {over: 100}}}"),
    "top": Word(
        "Among the highest so many per cent of everybody with any such event, by the measure.",
        "{event: purchase, sum: amount, top: 10%, when: last 90 days}",
    ),
    "bottom": Word("Among the lowest.", "{event: purchase, bottom: 25%}"),
    "percentile": Word(
        "Above the first and up to the second per cent.", "{event: purchase, sum: amount, percentile: [80, 90]}"
    ),
    "over": Word("More often, or more, than this.", "{event: purchase, over: 3}"),
    "under": Word("Less often, or less, than this.", "{event: purchase, under: 3}"),
    "at_least": Word(
        "So often, or so much, or more; without a comparison, at least once.", "{event: purchase, at_least: 2}"
    ),
    "at_most": Word("So often, or so much, or less.", "{event: purchase, at_most: 2}"),
    "exactly": Word("Just so often; 0 asks for people who never did.", "{event: purchase, exactly: 1}"),
    "between": Word("From the first to the second, both included.", "{event: purchase, between: [2, 5]}"),
    "after": Word(
        "Beside first or last: later than a point in time.", "{event: purchase, first: time, after: 2026-01-01}"
    ),
    "not_after": Word("Beside first or last: then or earlier.", "{event: purchase, last: time, not_after: 2026-01-01}"),
    "before": Word("Beside first or last: earlier.", "{event: purchase, last: time, before: 60 days ago}"),
    "not_before": Word(
        "Beside first or last: then or later.", "{event: purchase, last: time, not_before: 60 days ago}"
    ),
    "when": Word("Only what was done in this window of time.", "{event: purchase, when: last 180 days}"),
    "where": Word(
        "Only with these properties: a value is `is`, a list is any of them, a mapping compares.",
        "{event: purchase, where: {currency: [EUR, CHF], amount: {over: 50}}}",
    ),
    "then": Word(
        "And afterwards another event; within a time, if that is said.",
        "{event: add_to_cart, then: {event: purchase, within: 2 days}}",
    ),
    "then_not": Word(
        "And no such event afterwards; it counts once its time is over.",
        "{event: add_to_cart, when: last 60 days, then_not: {event: purchase, within: 48 hours}}",
    ),
    "without": Word(
        "Under then: no such event in between; one, or a list.",
        "{event: add_to_cart, then: {event: purchase, within: 1 day, without: {event: app_open}}}",
    ),
    "campaign": Word(
        "Beside message: of this campaign, or one of these.", "{message: sent, campaign: [winback, welcome_back]}"
    ),
    "variant": Word("Beside message: of this variant.", "{message: clicked, campaign: winback, variant: discount}"),
    "channel": Word(
        "Beside message: on this channel.", "{message: opened, channel: email, at_least: 3, when: last 90 days}"
    ),
    "topic": Word("Beside message, and consent: on this topic.", "{message: sent, topic: offers, when: last 7 days}"),
    "step": Word(
        "Beside message: of this step of a campaign; they count from 0.",
        "{message: opened, campaign: winback, step: 0}",
    ),
    "recency": Word("Beside rfm: the scores by the time of the latest.", "{rfm: purchase, recency: [4, 5]}"),
    "frequency": Word("Beside rfm: the scores by how often.", "{rfm: purchase, frequency: 5, when: last 365 days}"),
    "monetary": Word("Beside rfm: the scores by the sum.", "{rfm: purchase, sum: amount, monetary: [4, 5]}"),
    "within": Word("Under then or then_not: how soon.", "{event: add_to_cart, then: {event: purchase, within: 1 day}}"),
}
"""What may stand beside `event`. Without a measure its number is compared."""

FILE: Mapping[str, str] = {
    "about": "Who is in it, in a line: the title everywhere.",
    "formerly": "Earlier names, so that a renamed segment is known as the same.",
}
"""Keys of the file itself, beside its one condition."""

WINDOWS: Mapping[str, str] = {
    "last 30 days": "30 times 24 hours back from the moment asked for, which is itself left out.",
    "previous month": "The whole calendar month before, in the project's zone; so day, week (from Monday), quarter, year.",
    "this month": "The calendar month as far as it has come.",
    "since 2026-01-01": "From this day, or wall time `2026-01-01T10:00`, on.",
    "before 2026-01-01": "Until just before it.",
    "between 2026-01-01 and 2026-01-31": "From one to the other; a day at the end counts whole.",
}
"""Windows of time after `when`. What has two readings (`last month`) is refused with both."""

POINTS: Mapping[str, str] = {
    "2026-01-01": "A day of the project's zone.",
    "2026-01-01T10:00": "A wall time of the project's zone.",
    "3 days ago": "3 times 24 hours back.",
    "in 3 days": "3 times 24 hours ahead.",
    "today": "The calendar day.",
    "now": "The moment asked for.",
}
"""Points in time after `after`, `before`, `is`, and in pairs after `between`."""


def meaning(word: str) -> str:
    """What a key in a condition means, for an editor's tip; a word with two uses has both, an unknown one nothing."""
    known = [table[word].meaning for table in (CONDITIONS, TESTS, EVENTS) if word in table]
    return " · ".join(dict.fromkeys(known)) or {
        "salt": "Names the draw of a bucket or sample.",
        "of": "Beside sample: of whom; a condition, or everybody.",
    }.get(word, "")
