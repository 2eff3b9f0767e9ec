"""Whatever a document writes as code exists: verbs and options, keys, reasons, providers, filters, metrics, files."""

import re

import pytest

from tests.docs import vocabulary
from tests.docs.pages import GENERATED, ROOT, WRITTEN, blocks, commands, content, spans

VERBS = vocabulary.commands()
WORDS = vocabulary.words()
FILTERS = set(vocabulary.Room().filters)
DECISIONS = "docs/decisions.md"
"""It speaks of the code to those who change it, and names what is in there, too."""

OF_THE_EXAMPLE = frozenset(
    {
        "add_to_cart", "app_open", "app_version", "lapsed_vips", "one_time_buyers", "welcome_back", "customer_no",
        "signed_up", "user_id", "first_of", "all_of", "webhook_id",
    }
)  # fmt: skip
"""Names that the example project gives to things of its own."""
OF_OTHERS = frozenset(
    {
        "ExecStart",
        "python3",
        "pytest",
        "is_set",
        "public_url",
        "_default",
        "_base",
        "pg_input_is_valid",
        "join_use_nulls",
        "cursor_tuple_fraction",
    }
)


def calls(page):
    """Every call of the command line on a page, in blocks and in spans."""
    for block in blocks(page, "sh", "console", "ini", "yaml", ""):
        yield from commands(re.sub(r"^\s*(ExecStart=|-? ?run: )", "", block.text, flags=re.MULTILINE))
    for span in spans(page):
        yield from commands(span)


def verb_of(words):
    """(the verb's full name, the words after it), the options of all verbs left out; the name is empty if there is none."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        takes = rest.pop(0) in {"-C", "--project", "-e", "--env"}
        if takes and rest:
            rest.pop(0)
    for length in (2, 1):
        name = " ".join(rest[:length])
        if name in VERBS:
            return name, rest[length:]
    return ("", rest) if rest else ("--help", [])


@pytest.mark.parametrize("page", [*WRITTEN, *GENERATED])
def test_every_command_exists_with_its_options(page):
    for words in calls(page):
        name, rest = verb_of(words)
        if name == "--help" or (rest and rest[0] in {"VERB", "segment"} and not name):
            continue
        assert name, f"{page}: no verb in `orchestrator {' '.join(words)}`"
        for word in rest:
            if word.startswith("-") and not re.fullmatch(r"-\d+", word):
                assert word.partition("=")[0] in vocabulary.options(VERBS[name]), f"{page}: {name} has no {word}"


@pytest.mark.parametrize("page", [page for page in WRITTEN if page != DECISIONS])
def test_every_word_in_code_is_one_of_the_products(page):
    known = WORDS | OF_THE_EXAMPLE | OF_OTHERS
    for span in spans(page):
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", span):
            assert span in known, f"{page}: `{span}` is no key, reason, state, verb, filter or metric"
        elif found := re.fullmatch(r"([a-z_]+):( .*)?", span):
            assert found[1] in known, f"{page}: no key `{found[1]}`"


@pytest.mark.parametrize("page", WRITTEN)
def test_every_filter_exists(page):
    for code in re.findall(r"\{\{(.*?)\}\}", content(page), re.DOTALL):
        for name in re.findall(r"\|\s*([a-z_]+)", code):
            assert name in FILTERS, f"{page}: no filter {name}"


@pytest.mark.parametrize("page", WRITTEN)
def test_every_metric_and_adapter_exists(page):
    named = set(re.findall(r"\borchestrator_\w+", content(page)))
    assert {name.removesuffix("_total") for name in named} <= {it.removesuffix("_total") for it in vocabulary.metrics()}
    assert set(re.findall(r"adapter: (\w+)", content(page))) <= set(vocabulary.registry.BUILT_IN)


@pytest.mark.parametrize("page", WRITTEN)
def test_every_make_target_and_every_file_of_the_project_exists(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"`make ([a-z]+)`", content(page)):
        assert target in targets, f"{page}: no target {target}"
    for span in spans(page):
        if re.fullmatch(r"(docs|benchmarks|orchestrator|tests|\.github)/[\w./-]+", span):
            assert (ROOT / span).exists(), f"{page}: no {span}"
