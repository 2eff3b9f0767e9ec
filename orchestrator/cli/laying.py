"""Figures as a plan shows them: a label, its number, and what there is to say beside it, or under it where there is no room."""

from dataclasses import dataclass

from orchestrator.cli.screen import BOLD, drawn, fitted, show, width
from orchestrator.cli.screen import Line as Drawn

_LABEL, _NUMBER, _GAP = 38, 9, 3
_ROOM = 24
"""Columns below which what stands beside a number goes to a line of its own."""


@dataclass(frozen=True, slots=True)
class Line:
    """A label, its number, and what there is to say beside it; `deep` is how far the label is moved in."""

    label: str
    number: str
    more: str = ""
    deep: int = 0
    strong: bool = False


def figure(line: Line) -> None:
    """Print one line of figures."""
    label, room = "  " * line.deep + line.label, width()
    side = 1 + _LABEL + _NUMBER + _GAP
    left = _LABEL + _NUMBER - len(label)
    heads = [f" {label}{line.number:>{max(0, left)}}"]
    if left < len(line.number) + 2:
        heads = [f" {label}", f" {line.number:>{_LABEL + _NUMBER}}"]
    beside = room is None or room - side >= _ROOM
    more = fitted(line.more, None if room is None else room - (side if beside else 2 * line.deep + 3), 0)
    style = BOLD if line.strong else ""
    shown = [Drawn(head, style) for head in heads]
    if line.more and beside:
        shown[-1] = Drawn(f"{drawn(shown[-1])}{' ' * _GAP}{more[0]}")
        shown += [Drawn(" " * side + one) for one in more[1:]]
    elif line.more:
        shown += [Drawn(" " * (2 * line.deep + 3) + one) for one in more]
    show(shown)
