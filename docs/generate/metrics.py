"""Figures that `/metrics` shows, found where they are made."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orchestrator
from docs.generate.tables import code, table

INTRO = """# Metrics

`GET /metrics` on the port of `orchestrator serve`, in the text form of Prometheus. [Watch it with
Prometheus](../how-to/prometheus.md) shows rules that are worth an alert."""
KINDS = ("Counter", "Gauge", "Histogram", "Summary")


class Metric(NamedTuple):
    """One figure as it is declared."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def declared() -> tuple[Metric, ...]:
    """Every metric of the product, by name."""
    files = sorted(Path(orchestrator.__file__).parent.rglob("*.py"))
    found = [metric for path in files for metric in _in(ast.parse(path.read_text(encoding="utf-8")))]
    return tuple(sorted(found))


def _in(tree: ast.AST) -> Iterator[Metric]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        kind = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if kind.removesuffix("MetricFamily") not in KINDS:
            continue
        said = [_text(part) for part in node.args[:2]]
        named = {word.arg: word.value for word in node.keywords}
        said += [_text(named[word]) for word in ("name", "documentation") if word in named]
        if len(said) == 2 and said[0]:
            labels = named.get("labelnames") or named.get("labels") or (node.args[2] if len(node.args) > 2 else None)
            words = tuple(_text(part) for part in getattr(labels, "elts", ()))
            plain = kind.removesuffix("MetricFamily")
            suffix = "_total" if plain == "Counter" and not said[0].endswith("_total") else ""
            yield Metric(said[0] + suffix, plain.lower(), words, said[1])


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def page() -> str:
    """The page."""
    rows = [(code(it.name), it.kind, code(*it.labels) if it.labels else "", it.meaning) for it in declared()]
    return "\n\n".join([INTRO, table(["metric", "kind", "labels", "meaning"], rows)])
