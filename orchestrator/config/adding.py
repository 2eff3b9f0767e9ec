"""Writing into files people review: what a machine found comes behind what stands there, and nothing of that is touched."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.events import (
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from orchestrator.config import scalars
from orchestrator.config.draft import DATA
from orchestrator.config.parsers import ruamel
from orchestrator.config.shapes import PLAIN
from orchestrator.config.sheets import read_sheet
from orchestrator.core.errors import ConfigError, Mistake

_BARE = re.compile(r"[^\W\d_][\w /.*-]*[\w*]|[^\W\d_]")
"""Texts that may stand without quotes; the rest is quoted, right or wrong."""
_PLAIN = re.compile(PLAIN)
"""Names an attribute or event may have in a catalogue."""
_WIDE = 100
"""So many letters of a mapping go on one line."""


def mapping_text(content: Mapping[str, Any], about: str) -> str:
    """The file of an import's mapping; `about` is its first line."""
    lines = [f"# {about}"]
    for key, value in content.items():
        if key == "columns":
            lines.append("columns:")
            lines += [f"  {written(name)}: {written(told)}" for name, told in value.items()]
        else:
            lines.append(f"{key}: {written(value)}")
    return "\n".join(lines) + "\n"


def written(value: Any) -> str:
    """A value as YAML on one line, the same to readers of 1.1 and 1.2."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(key)}: {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) and isinstance(scalars.read(value), str) and not scalars.objection(value)
        return value if bare else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


@dataclass(frozen=True, slots=True)
class Added:
    """What came into the catalogue: attributes and events (with the properties that are new), and names it cannot have."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.attributes or self.events)


def news(content: Mapping[str, Any], attributes: Mapping[str, str], events: Mapping[str, Mapping[str, str]]) -> Added:
    """What was seen and does not stand in a catalogue's content yet, each name with its kind."""
    there = content.get("attributes") or {}
    refused: list[str] = []
    new = _new(there, attributes, refused)
    found: dict[str, Mapping[str, str]] = {}
    known = content.get("events") or {}
    for name, properties in sorted(events.items()):
        if not _PLAIN.fullmatch(name):
            refused.append(name)
        elif (more := _new(known.get(name) or {}, properties, refused)) or name not in known:
            found[name] = more
    return Added(new, found, tuple(refused))


def _new(there: Mapping[str, Any], seen: Mapping[str, str], refused: list[str]) -> dict[str, str]:
    """Those that are not there; names that no catalogue may have, or that differ from another in case only, are refused."""
    names = {name.lower(): name for name in there}
    found = {}
    for name, kind in sorted(seen.items()):
        if name in there:
            continue
        if not _PLAIN.fullmatch(name) or names.setdefault(name.lower(), name) != name:
            refused.append(name)
        else:
            found[name] = kind
    return found


def extend_catalogue(root: Path, added: Added) -> None:
    """Write this into config/data.yaml, behind what stands there; made if there is none. ConfigError if that cannot be done."""
    path = root / DATA
    before = path.read_bytes() if path.exists() else b"# the attributes people have and the events they do\n"
    after = with_more(before.decode(), {"attributes": added.attributes, "events": added.events}).encode()
    sheet, slips = read_sheet(DATA, after)
    if sheet is None or slips or news(sheet.value, added.attributes, added.events):
        raise ConfigError((Mistake(DATA, 0, 0, "is written in a way nothing can be added to", "Add it by hand."),))
    write_whole(path, after)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is the old or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    if path.exists():
        fresh.chmod(path.stat().st_mode)
    fresh.replace(path)


def with_more(text: str, more: Mapping[str, Mapping[str, Any]]) -> str:
    """A catalogue's text with these attributes and events (name and what is said of it) that are not there yet.

    Properties of an event that is there go into its own mapping. Nobody's line is changed but by what comes behind it.
    """
    for section, entries in more.items():
        text = _with(text, (section,), entries)
    return text


def _with(text: str, path: tuple[str, ...], entries: Mapping[str, Any]) -> str:
    """The text with more keys in the mapping at this path; what is a mapping there already gets what is in these."""
    blocks = _blocks(text)
    there = [name for name in entries if (*path, name) in blocks]
    new = {name: told for name, told in entries.items() if name not in there}
    if new:
        text = _put(text, blocks, path, new)
    for name in there:
        text = _with(text, (*path, name), entries[name])
    return text


def _put(text: str, blocks: "Mapping[tuple[str, ...], _Block]", path: tuple[str, ...], new: Mapping[str, Any]) -> str:
    if path not in blocks:
        root = blocks.get(())
        if root is not None and root.flow:
            return _put(text, blocks, (), {path[0]: new})
        head = text if not text or text.endswith("\n") else text + "\n"
        return f"{head}{path[0]}:\n{''.join(_lines(new, 2))}"
    block = blocks[path]
    if block.flow:
        inside = written(new)[1:-1]
        return text[: block.end] + (f", {inside}" if block.filled else inside) + text[block.end :]
    lines = text.splitlines(keepends=True)
    end = block.end
    while (
        end < len(lines)
        and (bare := lines[end].lstrip()).startswith("#")
        and len(lines[end]) - len(bare) >= block.indent > 0
    ):
        end += 1
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    lines[end:end] = _lines(new, block.indent)
    return "".join(lines)


def _lines(entries: Mapping[str, Any], indent: int) -> list[str]:
    """One line for each entry, and one for each in it where that would be too long."""
    found = []
    for name, told in entries.items():
        line = f"{' ' * indent}{written(name)}: {written(told)}\n"
        if len(line) > _WIDE and isinstance(told, Mapping):
            found += [f"{' ' * indent}{written(name)}:\n", *_lines(told, indent + 2)]
        else:
            found.append(line)
    return found


@dataclass(slots=True)
class _Block:
    """A mapping of the file. `end` is where more goes: for one in braces the place in the text, else the number of the line."""

    flow: bool
    indent: int
    end: int
    filled: bool = False


def _blocks(text: str) -> dict[tuple[str, ...], _Block]:
    """The mappings of a file and of what is in it, by their keys."""
    walk = _Walk(ruamel(text))
    walk.begin()
    return walk.found


class _Walk:
    def __init__(self, events: Any) -> None:
        self._events = events
        self.found: dict[tuple[str, ...], _Block] = {}

    def begin(self) -> None:
        """To the top mapping and through it."""
        for event in self._events:
            if isinstance(event, MappingStartEvent):
                self.mapping(event, ())
                return

    def mapping(self, start: MappingStartEvent, path: tuple[str, ...]) -> int:
        """Through a mapping; the line its last value ends in."""
        flow, indent, filled = bool(start.flow_style), start.start_mark.column, False
        last: int = start.start_mark.line
        while True:
            key = next(self._events)
            if isinstance(key, MappingEndEvent):
                break
            filled, name = True, getattr(key, "value", "")
            value = next(self._events)
            last = max(last, self.value(value, (*path, name), key))
        if flow:
            last = key.end_mark.line
        self.found[path] = _Block(flow, indent, key.end_mark.index - 1 if flow else last + 1, filled)
        return last

    def value(self, event: Event, path: tuple[str, ...], key: Event) -> int:
        """Past one value; the line it ends in. A key without a value is an empty mapping that begins below it."""
        if isinstance(event, MappingStartEvent):
            return self.mapping(event, path)
        if isinstance(event, SequenceStartEvent):
            return self.sequence()
        if isinstance(event, ScalarEvent) and event.value == "" and event.style is None:
            self.found[path] = _Block(flow=False, indent=key.start_mark.column + 2, end=key.end_mark.line + 1)
            return int(key.end_mark.line)
        end: int = event.end_mark.line
        return end

    def sequence(self) -> int:
        """Past a list; the line it ends in."""
        last = 0
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return max(last, int(event.end_mark.line) if event.end_mark.column else last)
            last = max(last, self.value(event, (), event))
        return last
