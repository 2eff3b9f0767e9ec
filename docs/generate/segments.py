"""Criteria and operators of segments, from the words the parser takes and the glossary beside it."""

from collections.abc import Iterable, Mapping

from docs.generate.tables import code, table
from orchestrator.core.segments import glossary
from orchestrator.core.segments.glossary import Word
from orchestrator.core.segments.parsing import NOUNS
from orchestrator.core.segments.reading_bands import BAND_WORDS
from orchestrator.core.segments.reading_events import EVENT_KEYS, MOMENT_KEYS
from orchestrator.core.segments.reading_messages import MESSAGE_KEYS
from orchestrator.core.segments.reading_people import SCORES
from orchestrator.core.segments.reading_steps import STEP_KEYS
from orchestrator.core.segments.reading_tests import EVERY_WORD, WORDS

INTRO = """# Segments

A segment is a file `config/segments/NAME.yaml` with `about` and one group of conditions, `all`, `any` or `not`. A condition
begins with one of the words of the first table and is true or false for a person; a missing value makes it false, `is_not`
too, and `not` is the exact complement. [Write a segment](../how-to/segment.md) shows how they go together."""
EVENT_INTRO = """Beside `event` stand at most one measure (none counts), one comparison (none means at least once), a window, conditions on
properties, and what followed or did not. Sums are exact decimals."""
CONVERSIONS = """A message converted if its campaign's `goal` was reached, by the person it was sent to, later than it was sent and before the goal's
`within` was over. `message: converted` is read as just that, `message: sent` and then the goal, with the goal as it stands in the
campaign's file now; `segment show` spells it out.

```yaml part: conditions
- {message: converted, campaign: winback}                                 # ever
- {message: converted, campaign: winback, variant: discount, when: last 30 days}
- {message: converted, campaign: winback, at_least: 2}
- {message: converted, campaign: winback, then_not: {event: purchase, within: 30 days}}
- all:
    - {message: sent, campaign: winback, when: last 30 days}
    - not: {message: converted, campaign: winback}
```

| beside it | meaning |
|---|---|
| `campaign` | Of these campaigns; without it, of every campaign that has a goal. A campaign without one is a mistake. |
| `variant`, `channel`, `topic`, `step`, `where` | Of messages like this. |
| `when` | When the goal was reached. |
| nothing, `at_least`, `over`, `exactly`, `top`, … | How many messages converted: two messages before one purchase are two. Campaigns whose goals differ are not counted together; of those, only at least one can be asked for. |
| `then`, `then_not` | What followed the goal, or did not. |

There is nothing else to measure (`sum`, `first`, `distinct`, …): ask for the goal's event itself. Nor can a conversion be a step of a
sequence, under `then`, `then_not` or `without`: write the goal's event there."""
PHRASES = """A day is 24 hours and a week 168, whatever the clocks do; days, weeks and months of the calendar are those of the project's
zone."""


EVENT_WORDS = (*EVENT_KEYS, *MOMENT_KEYS, *STEP_KEYS, *MESSAGE_KEYS, *SCORES)


def page() -> str:
    """The page."""
    events = [word for word in dict.fromkeys(EVENT_WORDS) if word != "event"]
    return "\n\n".join(
        [
            INTRO,
            "## What a condition begins with",
            _words(NOUNS, glossary.CONDITIONS),
            "## What an attribute may be asked",
            "So may an event's property under `where`.",
            table(
                ["word", "for", "meaning", "example"],
                [
                    (code(word), fits(word), meaning, f"`{example}`" if example else "")
                    for word, meaning, example in _told((*EVERY_WORD, *BAND_WORDS, "ignore_case"), glossary.TESTS)
                ],
            ),
            "## What an event may be asked",
            EVENT_INTRO,
            _words(events, glossary.EVENTS),
            "## Who converted",
            CONVERSIONS,
            "## Windows of time",
            PHRASES,
            table(["after `when`", "meaning"], [(code(phrase), said) for phrase, said in glossary.WINDOWS.items()]),
            "## Points in time",
            table(["point", "meaning"], [(code(phrase), said) for phrase, said in glossary.POINTS.items()]),
            "## Keys of the file",
            table(["key", "meaning"], [(code(key), said) for key, said in glossary.FILE.items()]),
        ]
    )


def fits(word: str) -> str:
    """The kinds of value a word is for."""
    if word == "ignore_case":
        return "text"
    if word in BAND_WORDS:
        return "number, date, time"
    kinds = [str(kind) for kind, words in WORDS.items() if kind is not None and word in words]
    return "any" if len(kinds) > 6 else ", ".join(kinds)


def _words(words: Iterable[str], meanings: Mapping[str, Word]) -> str:
    rows = [(code(word), said, f"`{example}`" if example else "") for word, said, example in _told(words, meanings)]
    return table(["word", "meaning", "example"], rows)


def _told(words: Iterable[str], meanings: Mapping[str, Word]) -> list[tuple[str, str, str]]:
    return [(word, *meanings.get(word, Word("", ""))) for word in words]
