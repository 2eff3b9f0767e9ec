"""Names of providers, ours and those of other packages."""

from importlib.metadata import EntryPoint

import pytest

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel
from orchestrator.providers import Declaration, Transport, registry

SELF = "tests.providers.test_registry"


class Pigeon:
    declaration = Declaration("pigeon", frozenset({Channel.SMS}), Transport.HTTP)

    def build(self, messages, credentials, now):
        raise NotImplementedError

    def read(self, request, response):
        raise NotImplementedError


class Hawk(Pigeon):
    """It says it is a pigeon."""


class Egg:
    """No adapter yet."""


def brought(name, attribute, module=SELF):
    return EntryPoint(name, f"{module}:{attribute}", registry.GROUP)


def test_built_in_names_make_their_adapters():
    for name in registry.names([]):
        assert registry.provider(name, []).declaration.name == name


def test_another_package_brings_its_own():
    points = [brought("pigeon", "Pigeon")]
    assert registry.provider("pigeon", points).declaration.name == "pigeon"
    assert "pigeon" in registry.names(points)


def test_names_are_listed_without_loading_what_others_brought():
    assert "broken" in registry.names([brought("broken", "Nothing", "no.such.module")])


@pytest.mark.parametrize(
    ("asked", "points", "says"),
    [
        ("webhok", [], "Did you mean 'webhook'"),
        ("pidgeon", [brought("pigeon", "Pigeon")], "Did you mean 'pigeon'"),
        ("qqq", [], "There are apns, fcm, in_app, memory"),
        ("egg", [brought("egg", "Egg")], "needs a declaration, build and read"),
        ("hawk", [brought("hawk", "Hawk")], "declares itself as 'pigeon'"),
        ("gone", [brought("gone", "Gone")], "cannot be loaded"),
        ("far", [brought("far", "Away", "no.such.module")], "cannot be loaded"),
        ("pigeon", [brought("pigeon", "Pigeon"), brought("pigeon", "Hawk")], "brought along twice"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_remedy(asked, points, says):
    with pytest.raises(OrchestratorError) as problem:
        registry.provider(asked, points)
    assert says in str(problem.value)
    assert asked in str(problem.value)


def test_no_package_takes_a_built_in_name_for_itself():
    points = [brought("webhook", "Pigeon")]
    assert registry.provider("webhook", points).declaration.name == "webhook"
