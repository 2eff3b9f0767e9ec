"""Values: dataclasses to whoever reads and changes copies of them, and frozen when the program runs too."""

import pickle
from collections.abc import Mapping
from dataclasses import asdict, field, fields, replace

import msgspec
import pytest

from orchestrator.core.frozen import changed, value


@value(frozen=True, slots=True)
class Point:
    """A place."""

    x: int
    name: str = field(default="", repr=False)
    more: Mapping[str, int] = field(default_factory=dict)

    @property
    def twice(self) -> int:
        """Something worked out."""
        return 2 * self.x


@value(frozen=True, slots=True)
class Named(Point):
    """A place that somebody owns."""

    owner: str = "nobody"


def test_a_value_is_a_dataclass_to_whoever_asks():
    point = Point(1, "secret", {"a": 1})
    assert [one.name for one in fields(point)] == ["x", "name", "more"]
    assert asdict(point) == {"x": 1, "name": "secret", "more": {"a": 1}}
    assert replace(point, x=2) == changed(point, x=2) == Point(2, "secret", {"a": 1}) != point
    assert (Point.__doc__, Point.__qualname__, Point.__module__) == ("A place.", "Point", __name__)
    assert point.twice == 2
    match point:
        case Point(x, name):
            assert (x, name) == (1, "secret")


def test_a_value_cannot_be_changed_and_can_be_a_key():
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2
    with pytest.raises(AttributeError):
        point.other = 2
    assert len({Point(1, more=()), Point(1, more=())}) == 1


def test_every_value_has_a_default_of_its_own():
    assert Point(1).more == {}
    assert Point(1).more is not Point(2).more


def test_what_must_not_be_printed_is_not():
    assert "secret" not in repr(Point(1, "secret"))
    assert "secret" not in repr(Named(1, "secret", owner="me"))


def test_a_value_made_of_another_has_the_fields_of_both():
    named = Named(1, owner="me")
    assert [one.name for one in fields(named)] == ["x", "name", "more", "owner"]
    assert replace(named, owner="you") == Named(1, owner="you")
    assert named.twice == 2
    with pytest.raises(AttributeError):
        named.owner = "you"


def test_values_travel_between_processes():
    assert pickle.loads(pickle.dumps(Point(1, "a"))) == Point(1, "a")
    assert msgspec.json.decode(msgspec.json.encode(Point(1, "a", {"b": 2})), type=Point) == Point(1, "a", {"b": 2})
