"""Points in time in words: `3 days ago`, `in 2 weeks`, `today`, `2026-01-01`, `next 7 days`, and the days of an anniversary."""

import re

from orchestrator.core.phrases import PhraseError, duration, part_of, say_duration, words
from orchestrator.core.segments.tree import Anniversary, Day, FromNow, Next, Point, Today
from orchestrator.core.times import DAY
from orchestrator.core.timetables import wall_time
from orchestrator.core.windows import Window, say_window, window

_POINT = "`2026-01-01`, `2026-01-01T10:00`, `3 days ago`, `in 3 days`, `today` or `now`"
_ANNIVERSARY = "`today`, `in 3 days`, `3 days ago` or `next 7 days`"
_OTHER_POINTS = {"yesterday": "1 day ago", "tomorrow": "in 1 day"}


def point(text: str) -> Point:
    """A point in time; `3 days ago` is exactly 72 hours, `today` the calendar day in the project's zone."""
    phrase = words(text)
    noun = "a point in time"
    if phrase in {"today", "now"}:
        return Today() if phrase == "today" else FromNow(0)
    by = _shift(text, phrase, noun, _POINT)
    if by is not None:
        return FromNow(by)
    try:
        return Day(wall_time(phrase))
    except PhraseError:
        raise PhraseError(text, noun, _POINT, [_OTHER_POINTS[phrase]] if phrase in _OTHER_POINTS else []) from None


def say_point(point: Point) -> str:
    """The phrase of a point; `point` reads it back."""
    match point:
        case Day(wall):
            return wall.replace("T", " ")
        case Today():
            return "today"
        case FromNow(0):
            return "now"
        case FromNow(by):
            return f"{say_duration(-by)} ago" if by < 0 else f"in {say_duration(by)}"


def window_or_next(text: str) -> Window | Next:
    """A window of time, which for a date or moment may also lie ahead: `next 7 days`."""
    phrase = re.sub(r"^in the next ", "next ", words(text))
    if not phrase.startswith("next "):
        return window(text)
    with part_of(text, "a window of time", "`next 7 days`", "next {}"):
        return Next(duration(phrase.removeprefix("next ")))


def say_when(when: Window | Next) -> str:
    """The phrase of a window, ahead or not."""
    return f"next {say_duration(when.by)}" if isinstance(when, Next) else say_window(when)


def anniversary(text: str) -> Anniversary:
    """The calendar days on which a yearly date may fall."""
    phrase, noun = words(text), "a day of an anniversary"
    if phrase == "today":
        return Anniversary(0)
    if phrase.startswith("next "):
        with part_of(text, noun, _ANNIVERSARY, "next {}"):
            days, rest = divmod(duration(phrase.removeprefix("next ")), DAY)
        by: int | None = 0
    else:
        by = _shift(text, phrase, noun, _ANNIVERSARY)
        days, rest = 1, 0
    if by is None or rest or by % DAY:
        raise PhraseError(text, noun, _ANNIVERSARY, [_OTHER_POINTS[phrase]] if phrase in _OTHER_POINTS else [])
    return Anniversary(by // DAY, days)


def say_anniversary(test: Anniversary) -> str:
    """The phrase of an anniversary's days."""
    if test.days > 1:
        return f"next {say_duration(test.days * DAY)}"
    return "today" if test.start == 0 else say_point(FromNow(test.start * DAY))


def _shift(text: str, phrase: str, noun: str, allowed: str) -> int | None:
    """`3 days ago` or `in 3 days` in microseconds, None for other words."""
    if phrase.endswith(" ago"):
        with part_of(text, noun, allowed, "{} ago"):
            return -duration(phrase.removesuffix(" ago"))
    if phrase.startswith("in "):
        with part_of(text, noun, allowed, "in {}"):
            return duration(phrase.removeprefix("in "))
    return None
