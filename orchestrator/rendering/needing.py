"""Whether it hangs on a person's values which data a message needs, or only on whether they have them at all."""

from typing import NamedTuple

from jinja2 import nodes

from orchestrator.rendering.lookup import Cell

_PRESENCE = frozenset({"defined", "undefined", "none", "set"})
"""Tests that ask whether there is something."""
_WORKED_OUT = (nodes.Filter, nodes.BinExpr, nodes.Neg, nodes.Pos, nodes.Call, nodes.Concat)
"""What makes a value of others, which may be nothing where they are something."""


class Reads(NamedTuple):
    """One message there is to write, and the paths of data it reads; `by_value`: values decide which of them it needs."""

    name: Cell
    paths: tuple[tuple[str, ...], ...]
    by_value: bool = False


def decides_by_value(tree: nodes.Template) -> bool:
    """Whether two people who have and lack (or have as nothing) the same may need different data. In doubt, they may."""
    if next(tree.find_all((nodes.For, nodes.Compare, nodes.Macro, nodes.CallBlock)), None) is not None:
        return True
    if any(test.name not in _PRESENCE for test in tree.find_all(nodes.Test)):
        return True
    if any(isinstance(it.node, nodes.Getattr) for it in tree.find_all(nodes.Call)):
        return True
    if any(not isinstance(it.arg, nodes.Const) for it in tree.find_all(nodes.Getitem)):
        return True
    choices: list[nodes.Node] = [it.test for it in tree.find_all(nodes.If)]
    choices += [it.test for it in tree.find_all(nodes.CondExpr)]
    choices += list(tree.find_all((nodes.And, nodes.Or)))
    if any(_worked_out(choice) for choice in choices):
        return True
    # What was worked out and given a name may be asked about by that name.
    return bool(choices) and any(_worked_out(it.node) for it in tree.find_all(nodes.Assign))


def _worked_out(node: nodes.Node) -> bool:
    """Whether a value is made of others. `and` and `or` are no sums: they give back one of what they are asked about."""
    found = [node, *node.find_all(_WORKED_OUT)]
    return any(isinstance(it, _WORKED_OUT) and not isinstance(it, nodes.And | nodes.Or) for it in found)
