"""The one small grammar of settings: `48 hours`, `2 emails per week`, `21:00-09:00`, `50%`, `after 90 days`, `80 per second`.

Each function reads one kind of phrase and raises PhraseError for anything else; `say_…` is the way back. Upper and lower
case are one, blanks count once. Schedules and windows of time are in timetables.py and windows.py, of the same grammar.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from orchestrator.core.campaigns import Cap, QuietHours, Repeat
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel
from orchestrator.core.times import DAY, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND

WEEK = 7 * DAY
"""168 hours."""
LONGEST = 36_525 * DAY
"""100 years: longer settings are typing errors, and sums stay inside 64 bits."""

UNITS = {
    "week": WEEK,
    "day": DAY,
    "hour": HOUR,
    "minute": MINUTE,
    "second": SECOND,
    "millisecond": MILLISECOND,
    "microsecond": MICROSECOND,
}
_SHORT = {
    "w": "week", "wk": "week", "wks": "week", "d": "day", "h": "hour", "hr": "hour", "hrs": "hour",
    "m": "minute", "min": "minute", "mins": "minute", "s": "second", "sec": "second", "secs": "second",
}  # fmt: skip
_NO_FIXED_LENGTH = {"month": (30, 31), "year": (365, 366), "quarter": (90, 92)}

_CHANNELS: dict[str, Channel | None] = {
    "push": Channel.PUSH, "pushes": Channel.PUSH, "email": Channel.EMAIL, "emails": Channel.EMAIL,
    "in_app": Channel.IN_APP, "in_apps": Channel.IN_APP, "sms": Channel.SMS, "webhook": Channel.WEBHOOK,
    "webhooks": Channel.WEBHOOK, "message": None, "messages": None,
}  # fmt: skip
_OTHER_WORDS = {
    "mail": "email", "mails": "emails", "e-mail": "email", "e-mails": "emails", "notification": "push",
    "notifications": "pushes", "pushs": "pushes", "text": "sms", "texts": "sms", "in-app": "in_app", "inapp": "in_app",
}  # fmt: skip

A_DURATION = "a whole number and seconds, minutes, hours, days or weeks, like `48 hours`"
A_CAP = "a number, push, emails, in_app, sms, webhooks or messages, and `per day`, `per week` or `per 12 hours`, like `2 emails per week`"
A_TIME = "hours and minutes of a 24-hour clock, like `09:30`"


class PhraseError(OrchestratorError):
    """A setting that cannot be read. `text` says what was read, `remedy` what is allowed and what may have been meant."""

    def __init__(self, read: str, noun: str, allowed: str, meant: Iterable[str] = ()) -> None:
        self.read = read
        self.meant = tuple(dict.fromkeys(meant))
        self.text = f"'{read}' is not {noun}"
        self.remedy = f"Allowed: {allowed}." + (f" Did you mean {either(self.meant)}?" if self.meant else "")
        super().__init__(f"{self.text}. {self.remedy}")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` things within `within` microseconds."""

    limit: int
    within: int


def either(readings: Iterable[str]) -> str:
    """Readings for a person to choose from: `a` or `b`."""
    return " or ".join(f"`{reading}`" for reading in readings)


def words(text: str) -> str:
    """A phrase in lower case with single blanks."""
    return " ".join(str(text).lower().split())


def duration(text: str) -> int:
    """`48 hours` in microseconds. A day is 24 hours and a week 168, whatever the clocks do."""
    found = re.fullmatch(r"([1-9][0-9]{0,15}) ([a-z]+)", words(text))
    unit = UNITS.get(_singular(found[2])) if found else None
    if found is None or unit is None or int(found[1]) * unit > LONGEST:
        raise PhraseError(text, "a duration", A_DURATION, _durations_meant(words(text)))
    return int(found[1]) * unit


def say_duration(microseconds: int) -> str:
    """The phrase of a duration, in the largest unit that says it exactly; `duration` reads it back."""
    name, unit = next((name, unit) for name, unit in UNITS.items() if microseconds % unit == 0)
    return _counted(microseconds // unit, name)


@contextmanager
def part_of(text: str, noun: str, allowed: str, frame: str) -> Iterator[None]:
    """Turn a mistake in a part of a phrase into one about the whole; `frame` puts what was meant back into its place."""
    try:
        yield
    except PhraseError as error:
        raise PhraseError(text, noun, allowed, [frame.format(meant) for meant in error.meant]) from None


def reads(read: Callable[[str], object], text: str) -> bool:
    """Whether a text is a phrase of this kind."""
    try:
        read(text)
    except PhraseError:
        return False
    return True


def nearest(read: Callable[[str], object], text: str) -> tuple[str, ...]:
    """The text itself if it is a phrase of this kind, else what may have been meant by it."""
    try:
        read(text)
    except PhraseError as error:
        return error.meant
    return (text,)


def cap(text: str) -> Cap:
    """`2 emails per week`: at most so many on this channel, or of all messages, within a rolling window."""
    phrase = words(text)
    found = re.fullmatch(r"([1-9][0-9]{0,8}) (\S+) per (.+)", phrase)
    if not found or found[2] not in _CHANNELS:
        raise PhraseError(text, "a cap", A_CAP, _caps_meant(phrase))
    with part_of(text, "a cap", A_CAP, f"{found[1]} {found[2]} per {{}}"):
        return Cap(limit=int(found[1]), within=_period(found[3]), channel=_CHANNELS[found[2]])


def say_cap(cap: Cap) -> str:
    """The phrase of a cap: `1 push per day`."""
    one = cap.channel.value if cap.channel else "message"
    many = {"push": "pushes", "in_app": "in_app", "sms": "sms"}.get(one, one + "s")
    return f"{cap.limit} {one if cap.limit == 1 else many} per {say_duration(cap.within).removeprefix('1 ')}"


def quiet_hours(text: str) -> QuietHours:
    """`21:00-09:00`: nothing goes out from the first to the second on the recipient's clock."""
    start, _, end = words(text).replace(" - ", "-").partition("-")
    if reads(time_of_day, start) and reads(time_of_day, end) and start != end:
        return QuietHours(time_of_day(start), time_of_day(end))
    parts = re.split(r" ?(?:-|\N{EN DASH}|\bto\b|\buntil\b) ?", words(text).removeprefix("from "))
    times = [nearest(time_of_day, part) for part in parts]
    meant = [f"{start}-{end}" for start in times[0] for end in times[1] if start != end] if len(times) == 2 else []
    allowed = "two different times of a 24-hour clock, like `21:00-09:00`"
    raise PhraseError(text, "a span of quiet hours", allowed, meant)


def say_quiet_hours(quiet: QuietHours) -> str:
    """The phrase of quiet hours: `21:00-09:00`."""
    return f"{say_time(quiet.start)}-{say_time(quiet.end)}"


def time_of_day(text: str) -> int:
    """`09:30` in minutes after midnight."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", words(text))
    if not found:
        raise PhraseError(text, "a time of day", A_TIME, _times_meant(words(text)))
    return int(found[1]) * 60 + int(found[2])


def say_time(minute: int) -> str:
    """Minutes after midnight as `09:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def percent(text: str) -> float:
    """`50%` or `0.1%`, as 50.0 or 0.1: a share of a hundred, from 0 to 100."""
    phrase = words(text)
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)( ?%)?", phrase.replace(",", "."))
    share = float(found[1]) if found else 101
    if share <= 100 and found and found[2] and "," not in phrase:
        return share
    meant = [f"{found[1]}%"] if found and share <= 100 else []
    if found and not found[2] and share < 1:  # 0.5 may be a half of a hundred or of one
        meant.append(say_percent(float(Fraction(found[1]) * 100)))
    raise PhraseError(text, "a percentage", "a number from 0 to 100 and %, like `0.1%`", meant)


def say_percent(share: float) -> str:
    """The phrase of a percentage: `0.1%`."""
    return f"{share:.6f}".rstrip("0").rstrip(".") + "%"


def rate(text: str) -> Rate:
    """`80 per second`: so many within a length of time."""
    phrase = words(text)
    noun = "a rate"
    allowed = "a number and `per second`, `per minute`, `per hour`, `per day` or `per 10 seconds`, like `80 per second`"
    found = re.fullmatch(r"([1-9][0-9]{0,8}) per (.+)", phrase)
    if found:
        with part_of(text, noun, allowed, f"{found[1]} per {{}}"):
            return Rate(limit=int(found[1]), within=_period(found[2]))
    short = re.fullmatch(r"([1-9][0-9]{0,8}) ?(?:/ ?|ps|a |an |each |every )?(second|minute|hour|day|s|m|h|d)?", phrase)
    unit = _SHORT.get(short[2] or "s", short[2]) if short else ""
    raise PhraseError(text, noun, allowed, [f"{short[1]} per {unit}"] if short else [])


def repeat(text: str) -> Repeat:
    """`never`, `after 90 days` or `always`: may the same person get a campaign again?"""
    phrase = words(text)
    noun, allowed = "a rule for repeating", "`never`, `always` or `after` and a duration, like `after 90 days`"
    if phrase in {"never", "always"}:
        return Repeat(after=None if phrase == "never" else 0)
    if phrase.startswith("after "):
        with part_of(text, noun, allowed, "after {}"):
            return Repeat(after=duration(phrase.removeprefix("after ")))
    bare = phrase.removeprefix("every ")
    meant = [f"after {bare}"] if reads(duration, bare) else get_close_matches(phrase, ["never", "always"], 1)
    raise PhraseError(text, noun, allowed, meant)


def say_repeat(repeat: Repeat) -> str:
    """The phrase of a rule for repeating."""
    if repeat.after is None:
        return "never"
    return f"after {say_duration(repeat.after)}" if repeat.after else "always"


def outside(text: str) -> tuple[int, int]:
    """`outside 2000 to 60000`; both ends are still inside."""
    found = re.fullmatch(r"outside (0|[1-9][0-9]{0,14}) to ([1-9][0-9]{0,14})", words(text))
    if found and int(found[1]) < int(found[2]):
        return int(found[1]), int(found[2])
    bare = re.sub(r"(?<=[0-9])[,._'](?=[0-9]{3})", "", words(text))
    numbers = sorted({int(number) for number in re.findall(r"[0-9]{1,15}", bare)})
    meant = [f"outside {numbers[0]} to {numbers[1]}"] if len(numbers) == 2 else []
    raise PhraseError(text, "a range", "two whole numbers, the smaller first, like `outside 2000 to 60000`", meant)


def over(text: str) -> float:
    """`over 0.1%`, as 0.1."""
    phrase = words(text)
    noun, allowed = "a limit", "`over` and a percentage, like `over 0.1%`"
    if phrase.startswith("over "):
        with part_of(text, noun, allowed, "over {}"):
            return percent(phrase.removeprefix("over "))
    bare = re.sub(r"^(?:>|above|more than) ?", "", phrase)
    raise PhraseError(text, noun, allowed, [f"over {bare}"] if reads(percent, bare) else [])


def ramp_step(text: str) -> tuple[float, int]:
    """`5% for 3 days`, as (5.0, microseconds)."""
    share, _, length = words(text).partition(" for ")
    if reads(percent, share) and reads(duration, length):
        return percent(share), duration(length)
    meant = [f"{size} for {time}" for size in nearest(percent, share) for time in nearest(duration, length)]
    raise PhraseError(text, "a step of a ramp", "a percentage, `for` and a duration, like `5% for 3 days`", meant)


def undecided(text: str) -> tuple[str, int]:
    """`reminder after 30 days`, as (variant, microseconds); a variant's name keeps its case."""
    noun, allowed = "a fallback", "a variant, `after` and a duration, like `reminder after 30 days`"
    found = re.fullmatch(r"(\S+) after (.+)", " ".join(text.split()), re.IGNORECASE)
    if not found:
        raise PhraseError(text, noun, allowed)
    with part_of(text, noun, allowed, f"{found[1]} after {{}}"):
        return found[1], duration(found[2])


def _singular(word: str) -> str:
    return word.removesuffix("s")


def _period(text: str) -> int:
    """`week` or `12 hours`, in microseconds."""
    return UNITS[text] if text in UNITS else duration(text)


def _durations_meant(phrase: str) -> list[str]:
    """What somebody who wrote `48h`, `1.5 days`, `an hour`, `2 huors` or `1 month` may have meant."""
    found = re.fullmatch(r"(an?|one|half an?|[0-9]{1,16}(?:[.,][0-9]{1,16})?)? ?([a-z]+)", phrase)
    if not found:
        hours = re.fullmatch(r"([0-9]{1,6}) ?(?:hours?|h) ?(?:and )?([0-9]{1,2}) ?(?:minutes?|min|m)", phrase)
        return [say_duration(int(hours[1]) * HOUR + int(hours[2]) * MINUTE)] if hours else []
    number = {"half a": "0.5", "half an": "0.5"}.get(found[1] or "", (found[1] or "1").replace(",", "."))
    many = Fraction(number) if number[0].isdigit() else Fraction(1)
    word = _singular(found[2])
    if word in _NO_FIXED_LENGTH:
        exact = [many * days for days in _NO_FIXED_LENGTH[word]]
        return [_counted(int(days), "day") for days in exact if days.denominator == 1]
    name = _SHORT.get(found[2]) or next(iter(get_close_matches(word, UNITS, 1, 0.7)), None)
    length = many * UNITS[name] if name else Fraction(0)
    if name is None or not 0 < length <= LONGEST:
        return []
    return [_counted(int(many), name) if many.denominator == 1 else say_duration(int(length))]


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _caps_meant(phrase: str) -> list[str]:
    """What somebody who wrote `2 mails/week`, `one push a day` or `1 e-mail per day` may have meant."""
    found = re.fullmatch(
        r"(?:max |at most )?([1-9][0-9]*|an?|one) ?(\S+?) ?(?:/ ?|per | an? |each |every )([a-z0-9 ]+)", phrase
    )
    if not found or not reads(_period, found[3]):
        return []
    number = found[1] if found[1][0].isdigit() else "1"
    channel = found[2] if found[2] in _CHANNELS else _OTHER_WORDS.get(found[2])
    close = channel or next(iter(get_close_matches(found[2], _CHANNELS, 1, 0.7)), None)
    return [f"{number} {close} per {found[3]}"] if close else []


def _times_meant(phrase: str) -> list[str]:
    """What somebody who wrote `9:30`, `9`, `9.30`, `930`, `6:30 pm` or `24:00` may have meant."""
    found = re.fullmatch(r"([0-9]{1,2})(?:[:.h]?([0-5][0-9]))? ?(am|pm|h|uhr|o'clock)?", phrase)
    if not found:
        return []
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3] in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return []
        hour = hour % 12 + (12 if found[3] == "pm" else 0)
    if (hour, minute) == (24, 0):
        hour = 0
    return [say_time(hour * 60 + minute)] if hour < 24 else []
