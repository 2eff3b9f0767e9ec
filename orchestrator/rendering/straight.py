"""Which messages are written where they are needed: those whose templates go straight through.

Such a template has no loop, macro, assignment or arithmetic, and only filters whose work and result are a small multiple of
what goes in. What it takes is bounded by the template and the data, both of which are known before: it can neither run away
nor fill the memory, so it needs no process of its own to die in. Whatever is not listed here is written in the render child.
"""

from collections.abc import Iterable

from jinja2 import nodes

from orchestrator.rendering.links import URL

MOST = 64 * 1024 * 1024
"""Bytes a message may come to here if everything it reads were all that is known of everybody beside it."""
_FAR = 100
"""No number written into a filter is larger: decimal places, lengths."""

_KNOWN = (
    nodes.And, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.If,
    nodes.Keyword, nodes.Name, nodes.Not, nodes.Operand, nodes.Or, nodes.Output, nodes.Scope,
    nodes.ScopedEvalContextModifier, nodes.Template, nodes.TemplateData, nodes.Test,
)  # fmt: skip
_FILTERS = frozenset(
    {
        "abs", "capitalize", "count", "currency", "d", "date", "default", "downcase", "e", "escape", "first", "float", "int",
        "last", "length", "lower", "money", "number", "pluralize", "round", "size", "string", "time", "time_ago",
        "time_zone", "title", "trim", "truncate", "upcase", "upper", "url_encode", "urlencode", URL,
    }
)  # fmt: skip
_CALLED = frozenset({"abort_message", "coupon", "coupon_expires"})


def reads(tree: nodes.Template) -> int | None:
    """How many values a template reads at most, each once; None if what it takes is not bounded by that."""
    found = list(every_node(tree))
    return sum(isinstance(node, nodes.Name) for node in found) if all(map(_bounded, found)) else None


def _bounded(node: nodes.Node) -> bool:
    """Whether this node by itself is known to take little."""
    if isinstance(node, nodes.Getattr | nodes.Name):
        return node.ctx == "load" or _is_called(node)
    if isinstance(node, nodes.Filter):
        return node.name in _FILTERS and not _stretched(node) and not (node.dyn_args or node.dyn_kwargs)
    if isinstance(node, nodes.Call):
        return _is_called(node.node)
    return isinstance(node, _KNOWN)


def _is_called(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name in _CALLED


def _stretched(node: nodes.Filter) -> bool:
    """Whether a filter is told how far to go by data, or to go very far. A `default` only hands over what it is given."""
    if node.name in {"d", "default"}:
        return False
    given = [*node.args, *(keyword.value for keyword in node.kwargs)]
    return not all(isinstance(one, nodes.Const) and _near(one.value) for one in given)


def _near(value: object) -> bool:
    return not isinstance(value, int | float) or abs(value) <= _FAR


def every_node(node: nodes.Node) -> Iterable[nodes.Node]:
    """A node and all that stands in it."""
    yield node
    for child in node.iter_child_nodes():
        yield from every_node(child)
