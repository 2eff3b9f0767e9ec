"""One message as one compiled template: all its texts are written in a single pass and cut apart afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby
from types import TracebackType
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import EvalContext
from jinja2.utils import concat

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.rendering.environment import GLOBALS, Situation, template_of
from orchestrator.rendering.folding import path_of
from orchestrator.rendering.links import URL
from orchestrator.rendering.needing import decides_by_value
from orchestrator.rendering.pieces import Place, Tags, mistake
from orchestrator.rendering.straight import every_node, reads

CUT = "\0"
"""What stands between the texts of one message. Stores take no NUL, so data cannot hold one."""

_REFUSED = (nodes.EvalContextModifier, nodes.Extends, nodes.Block, nodes.Include, nodes.Import, nodes.FromImport)

Path = tuple[str, ...]


class Names:
    """What a message asks for, each with the number of its tag: paths of variables, pools of coupons.

    Of a message that cannot be made (`tags` say why) these are the names that could be read.
    """

    def __init__(self, tags: Tags, tree: nodes.Template) -> None:
        self.tags = tags
        self.roots = frozenset(find_undeclared_variables(tree) - GLOBALS.keys())
        self.paths = _paths(tree, self.roots)
        self.coupons = tuple(dict.fromkeys(_coupons(tree)))


def read_names(tags: Tags, parts: Sequence[tuple[list[nodes.Node], bool]]) -> Names:
    """The names of parts that may hold mistakes, which are noted."""
    body = [node for part, _ in parts for node in part]
    tags.note(ConfigError(tuple(_check(body, tags))))
    tree = nodes.Template(body, lineno=1)
    for filtered in tree.find_all(nodes.Filter):
        filtered.name = filtered.name if filtered.name in tags.room.filters else "string"
    for tested in tree.find_all(nodes.Test):
        tested.name = tested.name if tested.name in tags.room.tests else "defined"
    tree.set_environment(tags.room)
    try:
        return Names(tags, tree)
    except (TemplateError, SyntaxError) as error:
        tags.tear(mistake(tags.place(getattr(error, "lineno", None) or 2), str(error) or "cannot be compiled"))
        return Names(tags, nodes.Template([], lineno=1))


class Script:
    """A message's texts, to be written for one person after the other."""

    def __init__(self, tags: Tags, parts: Sequence[tuple[list[nodes.Node], bool]], name: str, locale: str = "") -> None:
        """Compile parts (a body, and whether it is HTML) to one template; ConfigError for what cannot be compiled.

        `locale` is the one its files are written in, empty for the project's. `reads`: how many values it reads; None if it might run away.
        """
        self.tags = tags
        self.locale = locale
        self.count = len(parts)
        self.filename = f"<{name}>"
        body: list[nodes.Node] = []
        for is_html, some in groupby(enumerate(parts), key=lambda numbered: numbered[1][1]):
            inside: list[nodes.Node] = []
            for number, (part, _) in some:
                if number:
                    inside.append(nodes.Output([nodes.TemplateData(CUT)], lineno=1))
                inside.append(nodes.Scope(part, lineno=1))
            body += inside if is_html else [_unescaped(inside)]
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(tags.room)
        names = Names(tags, tree)
        self.paths, self.coupons, self.roots = names.paths, names.coupons, names.roots
        self.by_value = decides_by_value(tree)
        try:
            self._template = template_of(tags.room, tree, self.filename)
        except TemplateError as error:
            number = getattr(error, "lineno", 1)
            raise mistake(tags.place(number), error.message or "cannot be compiled") from None
        except (SyntaxError, RecursionError, MemoryError, OverflowError) as error:
            raise mistake(tags.place(2), f"cannot be compiled: {error}", "write it in fewer steps") from None
        self.reads = reads(tree)
        self._root = self._template.root_render_func
        self._evaluation = EvalContext(tags.room, None)

    def __call__(self, values: dict[str, Any]) -> list[str]:
        """The texts in the order of the parts, from a person's values by name."""
        evaluation = self._evaluation
        evaluation.autoescape = True
        evaluation.volatile = False
        texts = concat(self._root(Situation(self.tags.room, values, evaluation))).split(CUT)
        if len(texts) != self.count:
            raise ValueError("a value holds the character NUL")
        return texts

    def place(self, trace: TracebackType | None) -> tuple[Place, int]:
        """Where in the files an error arose, and the number of the tag."""
        line = 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.filename:
                line = trace.tb_lineno
            trace = trace.tb_next
        return self.place_of(line)

    def place_of(self, line: int) -> tuple[Place, int]:
        """Where in the files a line of the compiled script comes from, and the number of the tag; 0 for no line."""
        number = self._template.get_corresponding_lineno(line) if line else 0
        return (self.tags.place(number) if number else Place(self.filename)), number

    def missing(self, name: str, trace: TracebackType | None) -> tuple[str, Place]:
        """The whole path of a missing value, of which an error knows the end only, and where it was asked for."""
        place, number = self.place(trace)
        # An error within copy of several tags knows the first of them only: those that follow come next.
        for path, line in sorted(self.paths, key=lambda found: (found[1] < number, found[1])):
            for length in range(len(path), 0, -1):
                if f".{'.'.join(path[:length])}".endswith(f".{name}"):
                    return spell(path), self.tags.place(line)
        if name.endswith("]"):  # a place in what is missing
            before, _, inside = name.rpartition("[")
            found, place = self.missing(before, trace)
            return f"{found}[{inside}", place
        here = [path for path, line in self.paths if line == number]
        return (spell(here[0]) if name == "a value" and len(here) == 1 else name), place


def spell(path: Path) -> str:
    """A path as a template writes it."""
    return path[0] + "".join(f".{key}" if key.isidentifier() else f"[{key!r}]" for key in path[1:])


def _unescaped(part: list[nodes.Node]) -> nodes.Node:
    off = nodes.Keyword("autoescape", nodes.Const(False, lineno=1), lineno=1)
    return nodes.ScopedEvalContextModifier([off], part, lineno=1)


def _check(part: Iterable[nodes.Node], tags: Tags) -> Iterable[Mistake]:
    """What does not belong into a template."""
    for node in (found for top in part for found in every_node(top)):
        if not node.lineno:
            continue  # a constant of the head
        place = tags.place(node.lineno)
        if isinstance(node, _REFUSED):
            yield Mistake(*place, f"{type(node).__name__.lower()} cannot be used here")
        if isinstance(node, nodes.Filter):
            yield from _check_name(node.name, tags.room.filters, "filter", place)
        elif isinstance(node, nodes.Test):
            yield from _check_name(node.name, tags.room.tests, "test", place)
        elif isinstance(node, nodes.Getattr | nodes.Name):
            name = node.attr if isinstance(node, nodes.Getattr) else node.name
            if name.startswith("_"):
                yield Mistake(*place, f"{name!r} cannot be read", "names that begin with _ are not data")


def _check_name(name: str, known: Mapping[str, Any], what: str, place: Place) -> Iterable[Mistake]:
    if name in known:
        return
    if name == "safe":
        remedy = "leave it out: HTML is escaped"
        yield Mistake(*place, "`|safe` would put a person's data into the page as it is", remedy)
        return
    close = get_close_matches(name, [key for key in known if key != URL], 1)
    yield Mistake(*place, f"no {what} {name!r}", f"Did you mean {close[0]}?" if close else "")


def _coupons(tree: nodes.Template) -> Iterable[tuple[str, int]]:
    """Every pool of coupons that is named, with the number of its tag."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in {"coupon", "coupon_expires"}:
            yield from ((arg.value, call.lineno) for arg in call.args[:1] if isinstance(arg, nodes.Const))


def _paths(tree: nodes.Template, free: frozenset[str]) -> tuple[tuple[Path, int], ...]:
    """Every path from a variable that is not the template's own, with the number of its tag; the longest of each only."""
    found: dict[tuple[Path, int], None] = {}

    def walk(node: nodes.Node) -> None:
        if isinstance(node, nodes.Getattr) and node.ctx == "call":
            node = node.node
        path = path_of(node)
        if path is not None:
            if path[0] in free:
                found[path, node.lineno] = None
            return
        for child in node.iter_child_nodes():
            walk(child)

    walk(tree)
    return tuple(found)
