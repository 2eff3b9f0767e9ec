"""Every piece of YAML in the documents is held against the product: whole files by `check`, parts inside a file they fit into.

A block says what it is beside its fence: the path of a file, or `part: campaign` (settings, catalogue, conditions, mapping), or
`part: head CHANNEL`; `part: other` belongs to another program. Files of one page form one project, on top of the example.
"""

import json

import pytest

from orchestrator import checking, personas
from orchestrator.audience.mapping_file import plan
from orchestrator.config import load, read_tree
from orchestrator.config.personas import read_personas
from orchestrator.core.nouns import Channel
from orchestrator.rendering.heads import known_keys, read
from tests.docs.pages import GENERATED, ROOT, WRITTEN, Block, blocks
from tests.docs.yaml import value_of

EXAMPLE = read_tree(ROOT)
HOST = {
    "campaign": "config/campaigns/winback.yaml",
    "settings": "config/orchestrator.yaml",
    "catalogue": "config/data.yaml",
}
"""The file of the example that a part is put into."""
CHECKED = ("yaml", "html")


def merged(first, then):
    if isinstance(first, dict) and isinstance(then, dict):
        return first | {key: merged(first[key], then[key]) if key in first else then[key] for key in then}
    return then


def mistakes(files, places) -> list[str]:
    """What `check` says of these places in a project of these files."""
    loaded = load({name: text for name, text in files.items() if not name.startswith("personas/")})
    told = read_personas({name: text for name, text in files.items() if name.startswith("personas/")}, loaded)
    return [str(mistake) for mistake in (*checking.mistakes(loaded), *told.mistakes) if mistake.file in places]


def objections(block: Block) -> list[str]:
    """What is wrong with a part of a file."""
    kind = block.about.removeprefix("part: ")
    if kind.startswith("head "):
        found = []
        known_keys(Channel(kind.removeprefix("head ")), read(block.page, block.text), found.append)
        return [str(mistake) for mistake in found]
    value = value_of(block.text)
    if kind in HOST:
        whole = merged(value_of(EXAMPLE[HOST[kind]].decode()), value)
        return mistakes({**EXAMPLE, HOST[kind]: json.dumps(whole).encode()}, {HOST[kind]})
    if kind == "conditions":
        place = "config/segments/an_example.yaml"
        whole = {"about": "An example", "all": value}
        return mistakes({**EXAMPLE, place: json.dumps(whole).encode()}, {place})
    if kind == "mapping":
        plan(value, "Europe/Vienna", str(block))
    return []


FILES = {page: [block for block in blocks(page, *CHECKED) if "/" in block.about] for page in WRITTEN}


EVERY = [block for page in (*WRITTEN, *GENERATED) for block in blocks(page, *CHECKED)]
PARTS = [block for block in EVERY if block.about.startswith("part: ")]


@pytest.mark.parametrize("block", EVERY, ids=str)
def test_every_block_of_yaml_says_what_it_is(block):
    kinds = {*HOST, "conditions", "mapping", "other", *(f"head {channel}" for channel in Channel)}
    if "/" not in block.about:
        assert block.about.removeprefix("part: ") in kinds, (
            "write the file's path, or `part: campaign`, beside the fence"
        )


@pytest.mark.parametrize("block", PARTS, ids=str)
def test_a_part_of_a_file_is_without_a_mistake(block):
    assert objections(block) == []


@pytest.mark.parametrize("page", [page for page, found in FILES.items() if found])
def test_the_files_of_a_page_are_without_a_mistake(page):
    given = {block.about: block.text.encode() for block in FILES[page]}
    assert mistakes({**EXAMPLE, **given}, set(given)) == []


def test_the_personas_of_the_pages_get_what_they_expect():
    given = {it.about: it.text.encode() for found in FILES.values() for it in found if it.about.startswith("personas/")}
    loaded = load(EXAMPLE)
    stage = personas.Stage(loaded.sound(), EXAMPLE)
    results = [personas.tested(stage, persona) for persona in read_personas(given, loaded).found]
    assert [one.persona.name for one in results if not one.well] == []
    assert len(results) >= 2


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ("part: campaign", "repeat: after 3 moons\n"),
        ("part: settings", "defaults: {quiet_ours: 21:00-09:00}\n"),
        ("part: catalogue", "revenue: purchase.amont\n"),
        ("part: conditions", "- {event: purchas}\n"),
        ("part: head push", "titel: Hello\n"),
    ],
)
def test_a_slip_in_a_part_is_seen(about, text):
    assert objections(Block("a page", 1, "yaml", about, text)) != []
