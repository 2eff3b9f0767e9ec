"""Variables, filters and functions of templates, and the keys of their heads."""

from collections.abc import Iterable, Mapping

from docs.generate.tables import code, table
from orchestrator.config.templates import ENDINGS
from orchestrator.core.nouns import Channel
from orchestrator.rendering import glossary
from orchestrator.rendering.environment import GLOBALS, Room
from orchestrator.rendering.filters import all_filters
from orchestrator.rendering.forms import LARGEST
from orchestrator.rendering.heads import KEYS, REQUIRED
from orchestrator.rendering.linting import BEHAVIOUR, OCCURRENCES, OTHERS
from orchestrator.rendering.rendering import BUILT_IN

INTRO = """# Templates

A template is `templates/CAMPAIGN/SEGMENT/CHANNEL[@VARIANT][.LOCALE].ENDING`; `_default` stands for every segment without files of its
own. Texts are Jinja in a sandbox. A value that is missing or null is false in `if`, empty in `for` and accepted by `default`;
printed, compared or filtered, it means that this person gets no message, with the reason `missing_data`.
[Templates and locales](../how-to/templates.md) shows how files change each other."""


def variables() -> tuple[str, ...]:
    """Every variable that is filled for a person."""
    return tuple(sorted({*BEHAVIOUR, *OCCURRENCES, *OTHERS, *BUILT_IN}, key=str.casefold))


def page() -> str:
    """The page."""
    return "\n\n".join(
        [
            INTRO,
            "## Variables",
            "A declared attribute of the same name wins over a variable that needs none.",
            _meanings("variable", variables(), glossary.VARIABLES),
            "The same for everybody, and written in when the campaign is compiled:",
            _meanings("variable", glossary.FIXED, glossary.FIXED),
            "## Filters",
            _meanings("filter", sorted(all_filters()), glossary.FILTERS),
            "## Functions and tests",
            _meanings("function", GLOBALS, glossary.FUNCTIONS),
            f"After `is`: {code(*sorted(Room().tests))}.",
            "## Heads",
            "YAML between two lines `---` above the body of an e-mail or a text message; the whole file for the others.",
            table(
                ["channel", "file ends in", "keys (required first)", "at most"],
                [
                    (code(channel), code(*ENDINGS[channel]), code(*_ordered(channel)), f"{LARGEST[channel]:,} bytes")
                    for channel in KEYS
                ],
            ),
            _meanings("key", dict.fromkeys(key for keys in KEYS.values() for key in keys), glossary.HEADS),
        ]
    )


def _ordered(channel: Channel) -> list[str]:
    first = REQUIRED.get(channel, ())
    return [*first, *(key for key in KEYS[channel] if key not in first)]


def _meanings(noun: str, words: Iterable[str], meanings: Mapping[str, str]) -> str:
    return table([noun, "meaning"], [(code(word), meanings.get(word, "")) for word in words])
