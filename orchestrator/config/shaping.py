"""From what a file says to typed settings: every key and value checked, each objection at its line and column."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.config.findings import Findings, choice, nearest, quoted
from orchestrator.config.mending import mended
from orchestrator.config.sheets import Path, Sheet
from orchestrator.config.walking import keys

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": ("a text", 'Put it in quotes: "…".'),
    "int_type": ("a whole number", "Write digits alone, without quotes."),
    "float_type": ("a number", "Write digits alone, without quotes."),
    "bool_type": ("true or false", "Write true or false, without quotes."),
    "list_type": ("a list", "Write it like `[a, b]`."),
    "dict_type": ("a mapping", "Write it like `{key: value}`."),
    "model_type": ("a mapping", "Write it like `{key: value}`."),
    "model_attributes_type": ("a mapping", "Write it like `{key: value}`."),
    "too_short": ("a list with something in it", "Name at least one."),
    "greater_than_equal": ("a number of 0 or more", ""),
}


def shape(sheet: Sheet, model: type[Model], findings: Findings) -> tuple[Sheet, Model | None]:
    """The sheet's values as this model. If they do not fit, findings say so, and it is read as it was probably meant.

    The sheet is then the one that was meant, and the model None if nobody can tell.
    """
    try:
        return sheet, model.model_validate(sheet.value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    unknown = {_path(sheet, detail) for detail in details if detail["type"] == "extra_forbidden"}
    for detail in details:
        _report(sheet, model, detail, unknown, findings)
    return mended(sheet, model, findings) or (sheet, None)


def _report(sheet: Sheet, model: type[BaseModel], detail: ErrorDetails, unknown: set[Path], findings: Findings) -> None:
    path, kind = _path(sheet, detail), detail["type"]
    if kind == "extra_forbidden":
        findings.at_key(sheet, path, f"no key {quoted(path[-1])}", choice(path[-1], keys(model, path[:-1])))
    elif kind == "missing":
        missed = str(detail["loc"][-1])
        if not any(nearest(str(other[-1]), [missed]) for other in unknown if other[:-1] == path):
            findings.at(sheet, path, f"the key '{missed}' is missing")
    elif kind == "objection":
        context = detail.get("ctx", {})
        ask = findings.at_key if detail["loc"] and detail["loc"][-1] == "[key]" else findings.at
        ask(sheet, path, str(context.get("text", "")), str(context.get("remedy", "")))
    else:
        expected, remedy = _EXPECTED.get(kind, (detail["msg"], ""))
        findings.at(sheet, path, f"expects {expected}", remedy)


def _path(sheet: Sheet, detail: ErrorDetails) -> Path:
    """The path of the values an error is about: pydantic's, without the steps that no file has."""
    path: Path = ()
    steps = detail["loc"]
    if detail["type"] == "missing":
        steps = steps[:-1]
    for step in steps:
        if (*path, step) in sheet.places:
            path = (*path, step)
    return path
