"""What changed in a file of settings, in words: `purchase over 200 → over 20`, `experiment.holdout: 10% → 5%`."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

_LONGEST = 160
"""Characters of one value; what is longer is cut."""


def say_changes(before: Any, after: Any) -> tuple[str, ...]:
    """Every change between two values of YAML, outermost first; nothing if they say the same."""
    return tuple(_changes(before, after, ""))


def say_value(value: Any) -> str:
    """A value on one line, as it could stand in a file."""
    text = _said(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _changes(before: Any, after: Any, name: str) -> Iterator[str]:
    if _key(before) == _key(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_maps(before, after, name)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, name)
    else:
        yield (
            f"{name}: {say_value(before)} → {say_value(after)}" if name else f"{say_value(before)} → {say_value(after)}"
        )


def _of_maps(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        inner = f"{name}.{key}" if name else str(key)
        if key not in after:
            yield f"without {_named(inner, before[key])}"
        elif key not in before:
            yield f"new {_named(inner, after[key])}"
        else:
            yield from _changes(before[key], after[key], inner)


def _of_lists(before: Sequence[Any], after: Sequence[Any], name: str) -> Iterator[str]:
    """Entries that stayed are left out; of those that took another's place, what is different in them."""
    plain = not any(isinstance(one, Mapping | list) for one in (*before, *after))
    if plain and sorted(map(_key, before)) == sorted(map(_key, after)):
        yield f"{name}: {say_value(before)} → {say_value(after)}"
        return
    matcher = SequenceMatcher(None, [_key(one) for one in before], [_key(one) for one in after], autojunk=False)
    gone: list[Any] = []
    come: list[Any] = []
    for what, i, j, k, m in matcher.get_opcodes():
        if what != "equal":
            gone += before[i:j]
            come += after[k:m]
    moved = {_key(one) for one in gone} & {_key(one) for one in come}
    pairs, left = _paired(*([one for one in some if _key(one) not in moved] for some in (gone, come)))
    # A condition is known by what it is about, wherever in the list it stands.
    where = "" if any(isinstance(one, Mapping) for one in (*before, *after)) else name
    for old, new in pairs:
        yield from _of_conditions(old, new)
    for old, new in zip_longest(*left, fillvalue=_NOTHING):
        if old is not _NOTHING:
            yield f"without {_named(where, old)}"
        if new is not _NOTHING:
            yield f"new {_named(where, new)}"
    if not pairs and not any(left):
        yield (
            f"{name}: another order"
            if sorted(map(_key, before)) == sorted(map(_key, after))
            else (f"{name}: {say_value(before)} → {say_value(after)}")
        )


def _of_conditions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What is different in a condition, after what it is about: `purchase over 200 → over 20`."""
    key = next(iter(before))
    if isinstance(before[key], Mapping):
        yield from (f"{key} {told}" for told in _of_conditions(before[key], after[key]))
        return
    about = say_value(before[key])
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            yield f"{about} without {_named(key, before[key])}"
        elif key not in before:
            yield f"{about} now {_named(key, after[key])}"
        elif _key(before[key]) != _key(after[key]):
            yield f"{about} {_named(key, before[key])} → {_named(key, after[key])}"


_NOTHING = object()


def _paired(gone: Sequence[Any], come: Sequence[Any]) -> tuple[list[tuple[Any, Any]], tuple[list[Any], list[Any]]]:
    """Entries that are the same thing with other values, and the others."""
    pairs, old, new = [], list[Any](), list(come)
    for one in gone:
        same = next((other for other in new if _alike(one, other)), _NOTHING)
        if same is _NOTHING:
            old.append(one)
        else:
            pairs.append((one, same))
            new.remove(same)
    return pairs, (old, new)


def _alike(one: Any, other: Any) -> bool:
    """Whether two conditions are about the same thing: the first key, and what it names, are the same."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping) and one and other):
        return False
    key = next(iter(one))
    if key != next(iter(other)):
        return False
    return _key(one[key]) == _key(other[key]) or _alike(one[key], other[key])


def _key(value: Any) -> str:
    """The same for values that say the same: the order of keys says nothing, and true is not 1."""
    match value:
        case Mapping():
            return "{" + ",".join(sorted(f"{_key(name)}:{_key(inner)}" for name, inner in value.items())) + "}"
        case list():
            return "[" + ",".join(map(_key, value)) + "]"
    return repr(value)


def _named(name: str, value: Any) -> str:
    return f"{name} {say_value(value)}" if name else say_value(value)


def _said(value: Any) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key}: {_said(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_said, value)) + "]"
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
    return " ".join(str(value).split())
