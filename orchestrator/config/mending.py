"""A file with mistakes, read on: what is wrong in it is taken as what was probably meant, so that it hides no other mistake.

Nothing of this ever takes effect: a project with a mistake is no project. It is for finding the other mistakes only.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.config.findings import Findings, nearest
from orchestrator.config.sheets import Path, Place, Sheet
from orchestrator.config.walking import is_mapping, item_of, keys, kind_at, names_of, needed_of, schemas_of

Model = TypeVar("Model", bound=BaseModel)

_ROUNDS = 4
"""A mended value may turn out to be wrong elsewhere; after so many looks the file is too mistaken to be read on."""

_PLAIN = {"string": "…", "integer": 1, "number": 1.0, "boolean": False}


@dataclass(slots=True)
class _Mending:
    value: Any
    places: dict[Path, Place]
    model: type[BaseModel]
    stood_in: set[Path]


def mended(sheet: Sheet, model: type[Model], findings: Findings) -> tuple[Sheet, Model] | None:
    """The sheet as it was probably meant, and what comes of it; None if nobody can tell.

    What stands in for a value nobody can guess is `unsure` in the findings: nothing is said about it again.
    """
    work = _Mending(deepcopy(sheet.value), dict(sheet.places), model, set())
    for _ in range(_ROUNDS):
        try:
            found = model.model_validate(work.value)
        except ValidationError as error:
            # What was only misspelt is not missing.
            details = sorted(error.errors(include_url=False), key=lambda it: it["type"] != "extra_forbidden")
            if not all(_mend(work, detail) for detail in details):
                return None
        else:
            findings.unsure |= {(sheet.file, path) for path in work.stood_in}
            return replace(sheet, value=work.value, places=work.places), found
    return None


def _mend(work: _Mending, detail: ErrorDetails) -> bool:
    """Mend one thing; False if nobody can tell what was meant."""
    steps, kind = detail["loc"], detail["type"]
    if kind == "missing":
        holder = _path(work.value, steps[:-1])
        return steps[-1] in _at(work.value, holder) or _stand_in(work, (*holder, steps[-1]), None)
    path = _path(work.value, steps)
    if kind == "extra_forbidden" or steps[-1:] == ("[key]",):
        _rename(work, path)
        return True
    given = _at(work.value, path)
    field = next((step for step in steps[len(path) :] if step in keys(work.model, path)), None)
    if field is None:
        return _stand_in(work, path, given)
    # `firstName: txt`, short for `{is: txt}`: only a near word says of what kind it was meant to be.
    meant = _example(work.model, (*path, field), given)
    return bool(nearest(str(given), [str(meant)])) and _put(work, path, {field: meant})


def _rename(work: _Mending, path: Path) -> None:
    """The key at this path as the one it was meant to be, or gone."""
    holder = _at(work.value, path[:-1])
    allowed = keys(work.model, path[:-1]) or names_of(kind_at(work.model, path[:-1]))
    meant = nearest(str(path[-1]), [key for key in allowed if key not in holder])
    value = holder.pop(path[-1])
    if meant:
        holder[meant] = value
        new = (*path[:-1], meant)
        moved = {at: place for at, place in work.places.items() if at[: len(path)] == path}
        work.places |= {(*new, *at[len(path) :]): place for at, place in moved.items()}


def _stand_in(work: _Mending, path: Path, given: Any) -> bool:
    """Put something that fits where something is wrong or missing; False if nothing is known that would."""
    value = _example(work.model, path, given)
    return value is not None and _put(work, path, value)


def _put(work: _Mending, path: Path, value: Any) -> bool:
    if not path:
        return False
    holder: Any = _at(work.value, path[:-1])
    holder[path[-1]] = value  # a name in a mapping, a number in a list
    work.stood_in.add(path)
    return True


def _example(model: type[BaseModel], path: Path, given: Any) -> Any:
    """A value of the kind that stands at a path, near what was given; None if there is none to be had."""
    kind = kind_at(model, path)
    if kind is None:
        return "…"  # a setting of an adapter, which may be any text
    item = item_of(kind)
    if item is not None:
        inside = given if isinstance(given, str) else _example(model, (*path, 0), None)
        return None if inside is None else [inside]
    for said in schemas_of(kind):
        if "enum" in said:
            return nearest(str(given), said["enum"]) or said["enum"][0]
        if said.get("examples"):
            return said["examples"][0]
        if said.get("type") in _PLAIN:
            return _PLAIN[said["type"]]
    return _empty(model, path, kind)


def _empty(model: type[BaseModel], path: Path, kind: Any) -> Any:
    """A mapping of this kind with no more in it than it needs; None for what is no mapping."""
    inside = {name: _example(model, (*path, name), None) for name in needed_of(kind)}
    return inside if is_mapping(kind) and None not in inside.values() else None


def _path(value: Any, steps: tuple[int | str, ...]) -> Path:
    """The path of the value an error is about: pydantic's, without the steps that no file has."""
    path: Path = ()
    for step in steps:
        inside = _at(value, path)
        named = isinstance(inside, dict) and step in inside
        if named or (isinstance(inside, list) and isinstance(step, int) and step < len(inside)):
            path = (*path, step)
    return path


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value
