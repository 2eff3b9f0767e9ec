"""Links between documents lead somewhere, every document can be reached, and none says what it must not."""

import re

import pytest

from tests.docs.pages import GENERATED, ROOT, WRITTEN, anchors, content, links

ALL = [*WRITTEN, *GENERATED]


@pytest.mark.parametrize("page", ALL)
def test_every_link_leads_somewhere(page):
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        there = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert there.exists(), f"{page}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors(there.relative_to(ROOT).as_posix()), f"{page}: {link} names no heading"


def test_every_document_can_be_reached_from_the_readme():
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            name = link.partition("#")[0]
            there = ((ROOT / page).parent / name).resolve() if name and ":" not in name else ROOT
            if there.suffix == ".md":
                waiting.append(there.relative_to(ROOT).as_posix())
    assert reached == set(ALL)


FORBIDDEN = {
    r"\bpip install orchestrator\b": "that name belongs to somebody else: the distribution is messaging-orchestrator",
    r"\b(TODO|FIXME|TBD|XXX)\b|lorem ipsum": "a document is finished, or says what is missing",
    r"(?<![\w.])/(work|home|root|Users|tmp/\w+)/": "the path of somebody's machine",
    r"\b(simply|obviously|easy-to-use|blazing|seamless(ly)?|robust)\b": "a word that says nothing",
}
"""What no document may say, and why not."""


@pytest.mark.parametrize("page", ALL)
def test_a_document_says_nothing_it_must_not(page):
    for pattern, why in FORBIDDEN.items():
        assert re.findall(pattern, content(page), re.IGNORECASE if "simply" in pattern else 0) == [], why
