"""What is known when a campaign is compiled is written into its messages: copy, subject, preheader, sender, campaign."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from orchestrator.core.errors import ConfigError
from orchestrator.rendering.heads import Branch, Leaf
from orchestrator.rendering.pieces import Place, Tags, cut, mistake

_DEEPEST = 8


class Folder(NodeTransformer):
    """Replaces `copy.line` by the copy itself, whose own tags keep their places.

    `copy` is text: where it is printed in HTML it is escaped like any other, so a translator cannot break a page.
    """

    def __init__(self, tags: Tags, head: Mapping[str, Branch] | None, known: Mapping[str, Any]) -> None:
        """`head` is None if it cannot be read, a value of `known` if nothing is known of it: then any name will do."""
        self.tags = tags
        self.head = head
        self.known = known
        self.depth = 0
        self.endless = False

    def fold(self, body: list[nodes.Node]) -> list[nodes.Node]:
        """Fold every expression of a body."""
        return [found for node in body for found in self.visit_list(node)]

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja's name
        return self._chain(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - Jinja's name
        return self._chain(node)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja's name
        return self._chain(node)

    def _chain(self, node: nodes.Name | nodes.Getattr | nodes.Getitem) -> nodes.Node:
        path = path_of(node)
        if path is None or node.ctx == "call":
            return self.generic_visit(node)
        try:
            return self._folded(node, path)
        except ConfigError as error:  # noted, and the rest of the message is read all the same
            self.tags.note(error)
            return nodes.Const("", lineno=node.lineno)

    def _folded(self, node: nodes.Name | nodes.Getattr | nodes.Getitem, path: tuple[str, ...]) -> nodes.Node:
        place, head = self.tags.place(node.lineno), self.head
        of_head = path[0] == "copy" or (path[0] in {"subject", "preheader"} and len(path) == 1)
        if self.endless or (of_head and head is None) or self.known.get(path[0], "") is None:
            return nodes.Const("", lineno=node.lineno)
        if path[0] == "copy" and head is not None:
            return self._at(node, self._find("copy", head.get("copy", {}), path[1:], place))
        if of_head and head is not None:
            return self._at(node, head.get(path[0], Leaf("", place)))
        if path[0] in self.known:
            return nodes.Const(self._constant(path, place), lineno=node.lineno)
        return node

    def _constant(self, path: tuple[str, ...], place: Place) -> Any:
        found: Any = self.known[path[0]]
        for depth, key in enumerate(path[1:], 1):
            if not isinstance(found, Mapping) or key not in found:
                name = ".".join(path[:depth])
                raise mistake(place, f"{name} has no {key!r}", _meant(key, found))
            found = found[key]
        if isinstance(found, Mapping):
            raise mistake(place, f"{'.'.join(path)} is not a text", f"write one of its keys: {', '.join(found)}")
        return found

    def _find(self, name: str, branch: Branch, path: tuple[str, ...], place: Place) -> Branch:
        for key in path:
            if not isinstance(branch, dict) or key not in branch:
                raise mistake(place, f"{name} has no {key!r}", _meant(key, branch))
            branch = branch[key]
            name = f"{name}.{key}"
        return branch

    def _at(self, node: nodes.Expr, branch: Branch) -> nodes.Expr:
        made = self.expression(branch)
        # Nodes of our own making have no place yet; their lineno is None, which Jinja's types do not tell.
        made.lineno = getattr(made, "lineno", None) or node.lineno
        return made

    def expression(self, branch: Branch) -> nodes.Expr:
        """A value of the head as an expression."""
        if isinstance(branch, dict):
            pairs = [nodes.Pair(nodes.Const(key), self.expression(value)) for key, value in branch.items()]
            return nodes.Dict(pairs)
        if isinstance(branch, list):
            return nodes.List([self.expression(item) for item in branch])
        if not isinstance(branch.value, str) or "{" not in branch.value:
            return nodes.Const(branch.value)
        if self.depth >= _DEEPEST:
            self.endless = True  # or each of its tags would go round again
            raise mistake(branch.place, "the copy names itself, or goes too deep")
        self.depth += 1
        try:
            body = self.fold(self.tags.parse(cut(self.tags.room, branch.value, branch.place)))
        finally:
            self.depth -= 1
        return self._joined(body, branch.place)

    def _joined(self, body: list[nodes.Node], place: Place) -> nodes.Expr:
        parts: list[nodes.Expr] = []
        for node in body:
            if isinstance(node, nodes.Output):
                parts += [nodes.Const(n.data) if isinstance(n, nodes.TemplateData) else n for n in node.nodes]
            elif isinstance(node, nodes.If):
                parts.append(self._choice(node, place))
            else:
                raise mistake(place, "copy takes {{ }} and {% if %} only", "put the rest into the body")
        parts = [part for part in parts if not (isinstance(part, nodes.Const) and part.value == "")]
        if len(parts) == 1 and isinstance(parts[0], nodes.Const):
            return parts[0]
        joined = nodes.Concat(parts)
        joined.lineno = next((part.lineno for part in parts if not isinstance(part, nodes.Const)), 1)
        return joined

    def _choice(self, node: nodes.If, place: Place) -> nodes.Expr:
        otherwise = self._joined(node.else_, place)
        for branch in reversed(node.elif_):
            otherwise = nodes.CondExpr(branch.test, self._joined(branch.body, place), otherwise, lineno=branch.lineno)
        return nodes.CondExpr(node.test, self._joined(node.body, place), otherwise, lineno=node.lineno)


def path_of(node: nodes.Node) -> tuple[str, ...] | None:
    """`latest.add_to_cart['price']` as its parts; None for what is no plain path."""
    parts: list[str] = []
    while True:
        if isinstance(node, nodes.Name):
            return (node.name, *reversed(parts)) if node.ctx == "load" else None
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            parts.append(node.arg.value)
        else:
            return None
        node = node.node


def _meant(key: str, there: Any) -> str:
    names = list(there) if isinstance(there, Mapping) else []
    close = get_close_matches(key, names, 1)
    return (
        f"Did you mean {close[0]}?" if close else f"there are {', '.join(names)}" if names else "there is nothing in it"
    )
