"""What changed in a file, in words that somebody who reviews it would use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestrator.core.changes import say_changes

VIPS = """\
about: Big spenders
all:
  - {event: purchase, sum: amount, over: 200, when: last 180 days}
  - {attribute: country, is_not: DE}
  - not: {segment: staff}
"""


def read(text):
    return YAML(typ="safe").load(text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("over: 200", "over: 20", ["purchase over 200 → over 20"]),
        ("over: 200", "at_least: 200", ["purchase without over 200", "purchase now at_least 200"]),
        ("is_not: DE", "is_not: AT", ["country is_not DE → is_not AT"]),
        ("attribute: country, is_not: DE", "list: lists/x.csv", ["without {attribute: country, is_not: DE}", "new {list: lists/x.csv}"]),
        ("  - not: {segment: staff}\n", "", ["without {not: {segment: staff}}"]),
        ("segment: staff", "segment: us", ["without {not: {segment: staff}}", "new {not: {segment: us}}"]),
        ("about: Big spenders", "about: Others", ["about: Big spenders → Others"]),
        ("all:", "any:", None),
        ("about: Big spenders", "about: Big spenders  # us", []),
    ],
)  # fmt: skip
def test_a_condition_is_named_by_what_it_is_about(old, new, said):
    assert old in VIPS
    found = say_changes(read(VIPS), read(VIPS.replace(old, new)))
    if said is None:
        assert [line.partition(" [")[0] for line in found] == ["without all", "new any"]
    else:
        assert list(found) == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"repeat": "never"}, {"repeat": "always"}, ["repeat: never → always"]),
        ({"experiment": {"holdout": "10%"}}, {"experiment": {"holdout": "5%"}}, ["experiment.holdout: 10% → 5%"]),
        ({"channels": {"first_of": ["push", "email"]}}, {"channels": {"first_of": ["email", "push"]}},
         ["channels.first_of: [push, email] → [email, push]"]),
        ({"audience": ["a", "b"]}, {"audience": ["a", "b", "c"]}, ["new audience c"]),
        ({"audience": ["a", "b"]}, {"audience": ["b"]}, ["without audience a"]),
        ({}, {"hold_if": {"audience": "outside 1 to 2"}}, ["new hold_if {audience: outside 1 to 2}"]),
        ({"caps": True}, {"caps": 1}, ["caps: true → 1"]),
        ({"all": [{"a": 1}, {"b": 2}]}, {"all": [{"b": 2}, {"a": 1}]}, ["all: another order"]),
    ],
)  # fmt: skip
def test_a_setting_is_named_by_its_path(before, after, said):
    assert list(say_changes(before, after)) == said


VALUES = st.recursive(
    st.one_of(st.integers(0, 3), st.sampled_from("abc"), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("kmn"), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_what_is_the_same_is_silent_and_what_differs_is_said(one, other):
    assert say_changes(one, one) == ()
    assert bool(say_changes(one, other)) is (repr(one) != repr(other) and not _same(one, other))


def _same(one, other):
    """Equal as YAML means it: the order of keys says nothing, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) is isinstance(other, bool)
