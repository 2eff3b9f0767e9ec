"""The reference is written from the product, names everything there is, and says of each what it means."""

import pytest

from docs.generate import (
    COMMAND,
    REFERENCE,
    commands,
    configuration,
    ledger,
    metrics,
    pages,
    providers,
    segments,
    templates,
)
from orchestrator.config import schemas
from orchestrator.core.nouns import State
from orchestrator.core.reasons import Reason
from orchestrator.core.segments import Catalogue, Declared, Kind, glossary, parse
from orchestrator.providers import registry
from orchestrator.rendering import glossary as of_templates
from orchestrator.rendering.environment import GLOBALS, Room
from orchestrator.rendering.filters import all_filters
from orchestrator.rendering.heads import KEYS
from tests.docs import vocabulary
from tests.docs.yaml import value_of

PAGES = pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_stands_as_it_is_generated(name):
    path = REFERENCE / name
    stands = path.read_text(encoding="utf-8") if path.exists() else ""
    assert stands == PAGES[name], f"docs/reference/{name} is not what the product declares now: run `{COMMAND}`"


def test_no_page_is_left_over():
    assert {path.name for path in REFERENCE.glob("*.md")} == set(PAGES), f"run `{COMMAND}`"


def shown(text, words):
    return sorted(word for word in words if f"`{word}`" not in text and f"`{word} " not in text)


def test_every_verb_is_named_with_its_options():
    page = commands.page()
    assert shown(page, vocabulary.commands()) == []
    for name, command in vocabulary.commands().items():
        part = page.partition(f"## `{name}`")[2].partition("\n## ")[0] + page.partition("## Exit codes")[0]
        assert shown(part, vocabulary.options(command) - {"--help"}) == [], name


def test_every_key_is_named_under_its_mapping():
    page = configuration.page()
    every = [(file, key) for file, keys in vocabulary.config_keys_of().items() for key in keys]
    for top, key in every:
        where, _, last = key.rpartition(".")
        part = page.partition(f"## {configuration.FILES[top]}")[2].partition("\n## ")[0]
        if where:
            part = part.partition(f"### `{where}`")[2].partition("\n### ")[0]
        assert f"| `{last}` |" in part, key


def test_every_word_of_segments_templates_and_the_ledger_is_named():
    assert shown(segments.page(), vocabulary.segment_words()) == []
    assert shown(templates.page(), vocabulary.variables() | {*all_filters(), *Room().tests, *GLOBALS}) == []
    assert shown(ledger.page(), {*State, *Reason}) == []
    assert shown(providers.page(), {*registry.BUILT_IN, *vocabulary.settings_of_providers()}) == []


def test_every_metric_is_named():
    said = {metric.name.removesuffix("_total") for metric in metrics.declared()}
    assert said == {name.removesuffix("_total") for name in vocabulary.metrics()}


def of_settings():
    for file in configuration.FILES:
        for key, said in configuration.keys(schemas()[file]).items():
            yield key, said, "a description in orchestrator/config/shapes.py or campaign_shape.py"


def of_tables():
    conditions = [word for word in segments.EVENT_WORDS if word != "event"]
    for table, words in (
        (glossary.CONDITIONS, segments.NOUNS),
        (glossary.TESTS, (*segments.EVERY_WORD, *segments.BAND_WORDS)),
        (glossary.EVENTS, conditions),
    ):
        for word in words:
            yield word, table[word].meaning if word in table else "", "orchestrator/core/segments/glossary.py"
    for table, words in (
        (of_templates.VARIABLES, templates.variables()),
        (of_templates.FILTERS, all_filters()),
        (of_templates.FUNCTIONS, GLOBALS),
        (of_templates.HEADS, {key for keys in KEYS.values() for key in keys}),
    ):
        for word in words:
            yield word, table.get(word, ""), "orchestrator/rendering/glossary.py"


def of_the_rest():
    for word in (*State, *Reason):
        yield word, word.meaning, f"the second part of its line in {type(word).__module__}"
    for name, verb in commands.verbs():
        yield name, (verb.__doc__ or ""), "the verb's first line"
        for names, _, _, said in commands.options(verb):
            yield f"{name} {names}", said, "the option's help"
    for name in commands.variables():
        yield name, commands.VARIABLES.get(name, ""), "docs/generate/commands.py"
    for metric in metrics.declared():
        yield metric.name, metric.meaning, "where the metric is made"


def meanings():
    """(what, its line of meaning, where to write it)."""
    return [*of_settings(), *of_tables(), *of_the_rest()]


def test_everything_says_what_it_means():
    silent = [
        f"{what}: say what it means, in {where}; then `{COMMAND}`" for what, said, where in meanings() if not said
    ]
    assert silent == []


KNOWN = Catalogue({"nickname": Declared(Kind.TEXT)}, {}, frozenset())


@pytest.mark.parametrize(
    "table", [glossary.CONDITIONS, glossary.TESTS, glossary.EVENTS], ids=["begin", "tests", "events"]
)
def test_every_word_of_segments_has_an_example_that_reads_and_uses_it(table):
    for word, (_, example) in table.items():
        # Only what is declared a text or a list can be asked whether it is empty.
        known = KNOWN if word == "is_empty" else None
        assert word in example
        parse({"about": "an example", "all": [value_of(example)]}, known)


@pytest.mark.parametrize("phrase", glossary.WINDOWS)
def test_every_window_of_time_reads(phrase):
    parse({"about": "an example", "all": [{"event": "purchase", "when": phrase}]})


@pytest.mark.parametrize("phrase", glossary.POINTS)
def test_every_point_in_time_reads(phrase):
    parse({"about": "an example", "all": [{"attribute": "createdAt", "after": phrase}]})
