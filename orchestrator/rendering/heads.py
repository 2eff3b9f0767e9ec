"""The head of a template: subject, sender, title, copy and the rest, each with the place it was written at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    FoldedScalarString,
    LiteralScalarString,
    SingleQuotedScalarString,
)

from orchestrator.core.errors import Mistake
from orchestrator.core.nouns import Channel
from orchestrator.rendering.pieces import Place, mistake

KEYS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("subject", "preheader", "from", "reply_to", "layout", "text", "copy"),
    Channel.PUSH: ("title", "body", "link", "image", "collapse", "ttl", "data", "copy"),
    Channel.IN_APP: ("kind", "title", "body", "image", "buttons", "show", "data", "copy"),
    Channel.SMS: ("copy",),
    Channel.WEBHOOK: ("type", "data", "copy"),
}
REQUIRED: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("subject",),
    Channel.PUSH: ("title", "body"),
    Channel.IN_APP: ("title",),
    Channel.WEBHOOK: ("type",),
}
_MOST_VALUES = 2_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a head (text, number, yes or no, nothing) and where it stands."""

    value: Any
    place: Place


class _NoKeys(dict[str, "Branch"]):
    """`{}`, which stands somewhere all the same."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


class _NoItems(list["Branch"]):
    """`[]`, likewise."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


Branch = dict[str, "Branch"] | list["Branch"] | Leaf
"""A head as a tree: maps, lists, and values with their places."""


def split(path: str, text: str) -> tuple[str, str, int]:
    """(head, body, the body's first line) of a template file; a file without `---` in its first line is all body."""
    if not text.startswith("---"):
        return "", text, 1
    lines = text.split("\n")
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return "\n".join(["", *lines[1:number]]), "\n".join(lines[number + 1 :]), number + 2
    raise mistake(Place(path, 1, 1), "the head has no end", "close it with a line `---`")


def read(path: str, text: str) -> dict[str, Branch]:
    """A head as a tree; ConfigError for what is no map of YAML."""
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True  # a tag's column counts from behind the quote
    yaml.version = "1.2"
    try:
        found = yaml.load(text) if text.strip() else CommentedMap()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        raise mistake(place, str(error.problem or error), _hint(text, place)) from None
    except IndexError:  # the library looks for a digit in `+_`
        raise mistake(Place(path), "a value begins like a number and is none; put it in quotes") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise mistake(Place(path), f"is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, CommentedMap):
        raise mistake(Place(path, 1, 1), "is not a list of `key: value`", "write one a line, like `title: Hello`")
    count = [0]
    tree = _plant(found, Place(path, 1, 1), count)
    return tree if isinstance(tree, dict) else {}


def _hint(text: str, place: Place) -> str:
    lines = text.split("\n")
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    return "put a value with {{ }} in quotes" if "{{" in line else ""


def _plant(value: Any, place: Place, count: list[int]) -> Branch:
    count[0] += 1
    if count[0] > _MOST_VALUES:
        raise mistake(place, f"has over {_MOST_VALUES} values, counting each alias", "write less")
    if isinstance(value, CommentedMap):
        if not all(isinstance(key, str | int | float) for key in value):
            raise mistake(place, "a value with {{ }} is read as a map", "put it in quotes")
        keys = {str(key): _plant(value[key], _at(value[key], place, value.lc.value(key)), count) for key in value}
        return keys or _NoKeys(place)
    if isinstance(value, CommentedSeq):
        items = [_plant(item, _at(item, place, value.lc.item(n)), count) for n, item in enumerate(value)]
        return items or _NoItems(place)
    if value is None or isinstance(value, bool):
        return Leaf(value, place)
    # The reader's own kinds of text and number remember how they were written; templates want plain ones.
    plain = int if isinstance(value, int) else float if isinstance(value, float) else str
    return Leaf(plain(value), place)


def _at(value: Any, place: Place, found: tuple[int, int]) -> Place:
    block = isinstance(value, LiteralScalarString | FoldedScalarString)
    quoted = isinstance(value, DoubleQuotedScalarString | SingleQuotedScalarString)
    return Place(place.file, found[0] + 1 + block, 1 if block else found[1] + 1 + quoted)


def merged(first: Branch, then: Branch) -> Branch:
    """A head changed by a later one: maps key by key, everything else as a whole."""
    if isinstance(first, dict) and isinstance(then, dict):
        return first | {key: merged(first[key], then[key]) if key in first else then[key] for key in then}
    return then


def known_keys(channel: Channel, head: Mapping[str, Branch], note: Callable[[Mistake], object]) -> dict[str, Branch]:
    """The head by the keys its channel has; of any other `note` hears, and it counts as the one it was meant to be."""
    known: dict[str, Branch] = {}
    for key, branch in head.items():
        if key in KEYS[channel]:
            known[key] = branch
            continue
        close = get_close_matches(key, KEYS[channel], 1)
        meant = f"Did you mean {close[0]}?" if close else f"there are {', '.join(KEYS[channel])}"
        note(Mistake(*place_of(branch), f"no key {key!r} in the head of {channel.value}", meant))
        if close and close[0] not in head:
            known[close[0]] = branch
    return known


def place_of(branch: Branch) -> Place:
    """Where a branch begins."""
    if isinstance(branch, Leaf | _NoKeys | _NoItems):
        return branch.place
    inside = list(branch.values()) if isinstance(branch, dict) else branch
    return place_of(inside[0]) if inside else Place("")


def missing_keys(channel: Channel, head: Mapping[str, Branch], path: str) -> Iterator[Mistake]:
    """Keys a message cannot do without."""
    absent = [key for key in REQUIRED.get(channel, ()) if key not in head]
    if absent:
        yield Mistake(
            path, 0, 0, f"{channel.value} has no {' and no '.join(absent)}", f"write `{absent[0]}: …` in its head"
        )
