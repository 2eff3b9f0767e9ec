"""Every branch of every template, held against the catalogue: variables nobody fills, pictures nobody can hear, no way out."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.core.nouns import Channel
from orchestrator.rendering.compiling import Form
from orchestrator.rendering.heads import Branch, Leaf, place_of, read, split
from orchestrator.rendering.lookup import Cell
from orchestrator.rendering.markup import KNOWN_MJML
from orchestrator.rendering.pieces import Place
from orchestrator.rendering.rendering import BUILT_IN, Compiled
from orchestrator.rendering.scripts import Names, Path, Script, spell

BEHAVIOUR = frozenset(
    {
        "lifetimeValue", "numPriorSessions", "firstRun", "lastActive", "minutesSpentInApp", "country", "region", "city",
        "appVersion", "deviceModel", "systemName", "systemVersion",
    }
)  # fmt: skip
"""Leanplum's variables that the audience engine fills; a declared attribute of the same name wins."""
OCCURRENCES = frozenset({"firstOccurrenceOf", "lastOccurrenceOf", "occurrencesOf", "valueOf"})
"""Leanplum's variables by event."""

OTHERS = frozenset({"userAttribute", "latest", "parameter", "linkedData", "unsubscribe_url"})
"""Variables that hold a person's data by name, and the way out."""
_MAPS = OCCURRENCES | {"userAttribute", "latest", "linkedData", "parameter"}
_PICTURE = re.compile(r"<(img|mj-image)\b((?:\"[^\"]*\"|'[^']*'|\{\{.*?\}\}|[^'\">])*)>", re.DOTALL)
_MJML = re.compile(r"<(mj-[a-z-]+)")
_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_SPOKEN = frozenset({"subject", "preheader", "title", "body", "text", "copy", "buttons"})
"""Keys of a head that hold words for people."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a campaign's templates may count on: attributes, events with their properties, the trigger's properties.

    None is what nobody can tell, so that any name will do.
    """

    attributes: Collection[str] = ()
    events: Mapping[str, Collection[str]] = field(default_factory=dict)
    trigger: str | None = ""
    """The event that starts the campaign, empty for a schedule."""
    coupons: Collection[str] | None = ()
    sources: Collection[str] | None = ()
    """Tables of linked data."""


def lint(compiled: Compiled, catalogue: Catalogue | None, *, marketing: bool) -> tuple[Mistake, ...]:
    """Every mistake in a campaign's templates, in the order of their places; without a catalogue any variable will do."""
    found = [*compiled.mistakes]
    for flawed in compiled.flawed.values():
        if catalogue is not None and flawed.names is not None:
            found += _variables(flawed.names, catalogue)
    for form in compiled.forms.values():
        if catalogue is not None and form.script is not None:
            found += _variables(form.script, catalogue)
        if marketing and form.cell.channel is Channel.EMAIL and not _lets_go(form):
            file = compiled.shelf.chain(form.cell)[-1].path
            remedy = 'put <a href="{{ unsubscribe_url }}">Unsubscribe</a> into the body or its layout'
            found.append(Mistake(file, 0, 0, "marketing e-mail without unsubscribe_url", remedy))
    for path, content in compiled.sources.items():
        if path.endswith((".mjml", ".html")):
            found += _markup(path, content.decode("utf-8", "replace").replace("\r\n", "\n"))
    for cell in compiled.shelf.cells():
        if cell.variant and cell.locale:
            found += _untranslated(compiled, cell)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.file, one.line, one.column)))


def _lets_go(form: Form) -> bool:
    return form.script is not None and any(path[0] == "unsubscribe_url" for path, _ in form.script.paths)


def _variables(names: Names | Script, catalogue: Catalogue) -> Iterator[Mistake]:
    for path, number in names.paths:
        if names.tags.torn and path[0] not in _MAPS:
            continue  # it may be the template's own, set where nothing can be read
        answer = _unknown(path, catalogue)
        if answer:
            yield _at(names.tags.place(number), *answer)
    for pool, number in names.coupons:
        if catalogue.coupons is not None and pool not in catalogue.coupons:
            yield _at(names.tags.place(number), f"no coupons {pool!r}", _meant(pool, catalogue.coupons))


def _unknown(path: Path, catalogue: Catalogue) -> tuple[str, str] | None:
    """(what is wrong, what to do) with a variable; None if somebody fills it."""
    root, *rest = path
    if root in OCCURRENCES:
        return _of(path, rest, catalogue.events, "event")
    if root == "userAttribute":
        return _of(path, rest, catalogue.attributes, "attribute")
    if root == "latest":
        wrong = _of(path, rest, catalogue.events, "event")
        return wrong or _of(path, rest[1:], catalogue.events[rest[0]], f"property of {rest[0]}")
    if root == "linkedData":
        return None if catalogue.sources is None else _of(path, rest, catalogue.sources, "source")
    if root == "parameter" and catalogue.trigger:
        return _of(path, rest, catalogue.events.get(catalogue.trigger, ()), f"property of {catalogue.trigger}")
    return _unknown_name(root, catalogue)


def _unknown_name(root: str, catalogue: Catalogue) -> tuple[str, str] | None:
    if root == "parameter" and catalogue.trigger is not None:
        return (
            f"no variable {root!r}",
            "parameters are the properties of a trigger's event; the campaign has no trigger",
        )
    if root in BEHAVIOUR or root in BUILT_IN or root in OTHERS:
        return None
    if root in catalogue.attributes:
        return f"no variable {root!r}", f"write userAttribute.{root}"
    return f"no variable {root!r}", _meant(root, [*BEHAVIOUR, *BUILT_IN, *OTHERS, *OCCURRENCES])


def _of(path: Path, rest: list[str], known: Collection[str], what: str) -> tuple[str, str] | None:
    if not rest:
        return f"{spell(path)} is not one value", f"name the {what}: {path[0]}.<{what.partition(' ')[0]}>"
    if rest[0] in known:
        return None
    return f"{spell(path)}: no {what} {rest[0]!r}", _meant(rest[0], known)


def _markup(path: str, text: str) -> Iterator[Mistake]:
    """Pictures without words, and elements MJML would leave in the page as they are."""
    for found in _PICTURE.finditer(text):
        if not re.search(r"\balt\s*=", found[2]):
            remedy = 'write alt="…", or alt="" if it only decorates'
            yield _at(_place(path, text, found.start()), f"<{found[1]}> has no alt", remedy)
    if path.endswith(".mjml"):
        for found in _MJML.finditer(text):
            if found[1] not in KNOWN_MJML:
                yield _at(_place(path, text, found.start()), f"no element <{found[1]}>", _meant(found[1], KNOWN_MJML))


def _untranslated(compiled: Compiled, cell: Cell) -> Iterator[Mistake]:
    """Words of a variant that its translation does not say: they would stay in the other language."""
    heads = {}
    for file in compiled.shelf.chain(cell):
        if file.variant:
            text = compiled.sources[file.path].decode("utf-8", "replace")
            try:
                heads[file.locale] = read(file.path, text if file.kind == "yaml" else split(file.path, text)[0])
            except ConfigError:  # compiling has said it already
                return
    own = dict(_words(heads.get(cell.locale, {})))
    for name, leaf in _words(heads.get("", {})):
        if name not in own:
            last = compiled.shelf.chain(cell)[-1].path
            remedy = f"write it in {last}, or it stays as it is here"
            yield _at(leaf.place, f"{name} has no translation to {cell.locale}", remedy)


def _words(branch: Branch, name: str = "") -> Iterator[tuple[str, Leaf]]:
    """The texts of a head that people read."""
    if isinstance(branch, dict):
        for key, value in branch.items():
            if name or key in _SPOKEN:
                yield from _words(value, f"{name}.{key}" if name else key)
    elif isinstance(branch, list):
        yield name, Leaf("", place_of(branch))
    elif isinstance(branch.value, str) and any(map(str.isalpha, _TAGS.sub("", branch.value))):
        yield name, branch


def _place(path: str, text: str, at: int) -> Place:
    return Place(path, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def _at(place: Place, text: str, remedy: str) -> Mistake:
    return Mistake(place.file, place.line, place.column, text, remedy)


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"there are {', '.join(sorted(known)[:12])}" if known else "there are none"
