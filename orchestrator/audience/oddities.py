"""Columns that stay texts for the sake of a few cells: nearly all others would be a time, a day or a number."""

from dataclasses import dataclass

from orchestrator.audience import coercion
from orchestrator.audience.bench import Bench
from orchestrator.audience.cell import Cell
from orchestrator.core.segments.tree import Kind

_SOME = 5_000
"""Cells that are looked at first: most texts are nothing else."""
_NEARLY = 0.6
"""The share of cells from which on the others are said to be odd; of a file of three rows, one may be."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Why a column is a text: of `filled` cells, `count` are not of the `kind` of all others; the first of them."""

    kind: Kind
    decimal: str
    count: int
    filled: int
    example: str

    @property
    def entry(self) -> dict[str, str]:
        """What a mapping says to set the odd ones aside."""
        return {"is": str(self.kind), **({"decimal": self.decimal} if self.decimal else {})}


def odd(bench: Bench, number: int, cell: Cell) -> Odd | None:
    """What a column of texts nearly is; None for one that is a text, or that the catalogue knows."""
    if cell.kind is not Kind.TEXT or cell.json or cell.stored or cell.owned or cell.declared:
        return None
    fits = {
        (Kind.TIME, ""): coercion.fits(Kind.TIME, "said"),
        (Kind.DATE, ""): coercion.fits(Kind.DATE, "said"),
        (Kind.NUMBER, ""): coercion.fits(Kind.NUMBER, "said"),
        (Kind.NUMBER, ","): coercion.fits_parted("said", ","),
    }
    said = f"SELECT line, coalesce(t{number}, v{number}) AS said FROM read"
    counts = ", ".join(f"count(*) FILTER ({one})" for one in fits.values())
    filled, *many = bench.engine.sql(f"SELECT count(said), {counts} FROM ({said} LIMIT {_SOME})").fetchall()[0]
    most = max(range(len(many)), key=many.__getitem__)
    if not filled or many[most] < _NEARLY * filled:
        return None
    (kind, decimal), fit = list(fits.items())[most]
    filled, count, example = bench.engine.sql(
        f"SELECT count(said), count(said) FILTER (NOT {fit}), arg_min(said, line) FILTER (NOT {fit}) FROM ({said})"
    ).fetchall()[0]
    return Odd(kind, decimal, count, filled, example) if 0 < count <= (1 - _NEARLY) * filled else None
