"""Tables of Markdown."""

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under their columns; bars inside a cell are kept apart from those around it."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def code(*words: object) -> str:
    """Words as code, one after the other."""
    return " · ".join(f"`{word}`" for word in words)


def _cell(cell: object) -> str:
    parts = str(cell).replace("|", "\\|").split("`")
    # What stands outside of code must not be taken for HTML.
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return " ".join("`".join(parts).split()) or " "
