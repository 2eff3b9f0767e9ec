"""The grammar of schedules: `day at 10:00`, `monday and thursday at 08:00`, `month on the 1st at 09:00`, `15 minutes`."""

import re
from datetime import datetime
from difflib import get_close_matches

from cronsim import CronSim, CronSimError

from orchestrator.core.campaigns import Cron, Every, Interval, Once, Schedule
from orchestrator.core.phrases import (
    PhraseError,
    duration,
    nearest,
    reads,
    say_duration,
    say_time,
    time_of_day,
    words,
)
from orchestrator.core.times import HOUR, MINUTE

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_DAY = -1
"""In Every.month_days: the last day of the month, whichever it is."""

_NOUN = "a schedule"
_ALLOWED = (
    "`day at 10:00`, `weekday at 09:30`, `monday and thursday at 08:00`, `month on the 1st at 09:00`, "
    "`month on the last day at 09:00`, `15 minutes` or `hour`"
)
_WORKING = (0, 1, 2, 3, 4)
_OTHER_WORDS = {
    "daily": "day", "everyday": "day", "weekdays": "weekday", "workday": "weekday", "workdays": "weekday",
    "days": "day",
}  # fmt: skip


def every(text: str) -> Every | Interval:
    """When a campaign fires: a time of day on some days, or a length of time of a minute or more.

    Lengths of time are counted on the wall clock from the schedule's start, without one from midnight of 1970-01-01.
    """
    phrase = words(text)
    if phrase == "hour":
        return Interval(by=HOUR)
    days, joint, clock = phrase.rpartition(" at ")
    if joint:
        if reads(time_of_day, clock):
            return _on(text, days, time_of_day(clock))
        fixed = [f"{days} at {time}" for time in nearest(time_of_day, clock)]
        raise PhraseError(text, _NOUN, _ALLOWED, [meant for line in fixed for meant in nearest(every, line)])
    if reads(duration, phrase):
        if duration(phrase) >= MINUTE:
            return Interval(by=duration(phrase))
        raise PhraseError(text, _NOUN, f"{_ALLOWED}; not oftener than every minute")
    meant = [length for length in nearest(duration, phrase) if duration(length) >= MINUTE]
    if phrase in {"day", "weekday", *WEEKDAYS}:
        meant = [f"{phrase} at 10:00"]
    raise PhraseError(text, _NOUN, _ALLOWED, [] if phrase in {"week", "month"} else meant)


def say_every(when: Every | Interval) -> str:
    """The phrase of a schedule; `every` reads it back."""
    if isinstance(when, Interval):
        return "hour" if when.by == HOUR else say_duration(when.by)
    clock = say_time(when.minute)
    if when.month_days is not None:
        named = [_say_day(day) for day in when.month_days]
        return f"month on the {_joined(named)} at {clock}"
    if when.weekdays is None:
        return f"day at {clock}"
    if when.weekdays == _WORKING:
        return f"weekday at {clock}"
    return f"{_joined([WEEKDAYS[day] for day in when.weekdays])} at {clock}"


def say_schedule(schedule: Schedule) -> str:
    """When a campaign fires, on whose clock: `each at 10:00 in their own zone`, `every monday at 08:00 Vienna`."""
    where = "on everybody's own clock" if schedule.recipient else city(schedule.zone)
    match schedule.when:
        case Once(wall):
            return f"once, {wall.replace('T', ' ')} {where}"
        case Cron(expression):
            return f"cron {expression} {where}"
        case Every(minute, None, None) if schedule.recipient:
            return f"each at {say_time(minute)} in their own zone"
        case when:
            return f"every {say_every(when)} {where}"


def city(zone: str) -> str:
    """A zone as people say it: Vienna for Europe/Vienna."""
    return zone.rpartition("/")[2].replace("_", " ")


def cron(text: str) -> Cron:
    """A crontab line of five fields (minute, hour, day, month, weekday with 0 and 7 for Sunday) that fires at all."""
    line = " ".join(text.split())
    noun, allowed = "a crontab line", "five fields, minute hour day month weekday, like `0 9 * * 1-5`"
    if len(line.split()) != 5:
        raise PhraseError(text, noun, allowed)
    try:
        next(CronSim(line, datetime(2000, 1, 1)))  # noqa: DTZ001 - a wall time has no zone
    except (CronSimError, StopIteration) as error:
        which = str(error).removeprefix("Bad ")
        raise PhraseError(
            text, noun, f"{allowed}; look at its {which}" if which else f"{allowed}; it never fires"
        ) from None
    return Cron(expression=line)


def wall_time(text: str) -> str:
    """`2026-03-02` or `2026-03-02 10:00` in the form schedules and occurrence keys use (`2026-03-02T10:00`)."""
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}))?", text.strip().upper())
    try:
        if found:
            datetime.fromisoformat(found[0])
            return f"{found[1]}T{found[2]}" if found[2] else found[1]
    except ValueError:  # 30 February
        pass
    raise PhraseError(text, "a date or a time of a date", "`2026-03-02` or `2026-03-02T10:00`, without a zone")


def _on(text: str, days: str, minute: int) -> Every:
    if days == "day":
        return Every(minute=minute)
    if days == "weekday":
        return Every(minute=minute, weekdays=_WORKING)
    if days.startswith("month on the "):
        return Every(minute=minute, month_days=_month_days(text, days.removeprefix("month on the ")))
    named = _listed(days)
    if named and set(named) <= set(WEEKDAYS) and len(set(named)) == len(named):
        return Every(minute=minute, weekdays=tuple(sorted(WEEKDAYS.index(day) for day in named)))
    meant = [
        _OTHER_WORDS.get(name) or next(iter(get_close_matches(name, [*WEEKDAYS, "day", "weekday"], 1)), "")
        for name in named
    ]
    known = (
        bool(meant)
        and all(meant)
        and len(set(meant)) == len(meant)
        and (len(meant) == 1 or set(meant) <= set(WEEKDAYS))
    )
    raise PhraseError(text, _NOUN, _ALLOWED, [f"{_joined(meant)} at {say_time(minute)}"] if known else [])


def _month_days(text: str, days: str) -> tuple[int, ...]:
    numbers = []
    for name in _listed(days):
        found = re.fullmatch(r"([1-9][0-9]?)(st|nd|rd|th)", name)
        number = LAST_DAY if name in {"last day", "last"} else int(found[1]) if found else 0
        if number > 28:
            meant = "not every month has one; say `month on the last day at 09:00`, or write a crontab line"
            raise PhraseError(text, _NOUN, f"the 1st to the 28th, or the last day: {meant}")
        if not number or (number > 0 and _say_day(number) != name):
            meant_day = (
                [_say_day(int(name.rstrip("stndrh.")))] if re.fullmatch(r"([1-9]|1[0-9]|2[0-8])\D{0,2}", name) else []
            )
            clock = text.lower().rpartition(" at ")[2].strip()
            raise PhraseError(text, _NOUN, _ALLOWED, [f"month on the {day} at {clock}" for day in meant_day])
        numbers.append(number)
    if not numbers or len(set(numbers)) != len(numbers):
        raise PhraseError(text, _NOUN, _ALLOWED)
    return tuple(sorted(numbers, key=lambda number: number % 32))


def _listed(text: str) -> list[str]:
    """`a, b and c` as its parts."""
    return [part for part in re.split(r",? and |, ?", text) if part]


def _joined(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _say_day(day: int) -> str:
    if day == LAST_DAY:
        return "last day"
    return f"{day}{'th' if day in {11, 12, 13} else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"
