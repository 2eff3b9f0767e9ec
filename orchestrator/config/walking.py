"""The shapes of the files, walked by the path of a value: which keys a mapping may have, of what kind a value is."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema

from orchestrator.config.sheets import Path

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that a mapping at this path may have; none if its names are free, or if there is no mapping."""
    shape = next(_models(kind_at(model, path)), None)
    return [field.alias or name for name, field in shape.model_fields.items()] if shape else []


def kind_at(model: type[BaseModel], path: Path) -> Any:
    """The kind of the value at a path, as a type; None if no shape knows this path."""
    found: Any = model
    for step in path:
        found = next(_inside(found, step), None)
    return found


def needed_of(kind: Any) -> list[str]:
    """The keys that a mapping of this kind must have; none for what is no mapping of known keys."""
    shape = next(_models(kind), None)
    return [it.alias or name for name, it in shape.model_fields.items() if it.is_required()] if shape else []


def is_mapping(kind: Any) -> bool:
    """Whether a value of this kind may be a mapping, of known keys or of names."""
    return any(True for _ in _models(kind)) or any(get_origin(part) is dict for part in _parts(kind))


def names_of(kind: Any) -> list[str]:
    """The words that the names of a mapping of this kind are chosen from; none if they are free."""
    for part in _parts(kind):
        if get_origin(part) is dict:
            return [word for said in schemas_of(get_args(part)[0]) for word in said.get("enum", ())]
    return []


def item_of(kind: Any) -> Any:
    """The kind of what stands in a list of this kind; None for what is no list."""
    return next((get_args(part)[0] for part in _parts(kind) if get_origin(part) is list), None)


def schemas_of(kind: Any) -> Iterator[dict[str, Any]]:
    """What JSON Schema says of the single values a kind allows: `enum`, `examples`, `type`."""
    if get_origin(kind) in {Union, types.UnionType}:
        for part in get_args(kind):
            yield from schemas_of(part)
    elif get_origin(kind) is Annotated:
        said = next((it.json_schema for it in kind.__metadata__ if isinstance(it, WithJsonSchema)), None)
        if said is not None:
            yield said
        else:
            yield from schemas_of(get_args(kind)[0])
    elif kind in _PLAIN:
        yield {"type": _PLAIN[kind]}


def _inside(kind: Any, step: str | int) -> Iterator[Any]:
    """The kinds of value found at one step inside a kind of value."""
    for part in _parts(kind):
        if isinstance(part, type) and issubclass(part, BaseModel):
            for name, field in part.model_fields.items():
                if (field.alias or name) == step:
                    yield Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        elif get_origin(part) in {list, dict}:
            yield get_args(part)[-1]


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for part in _parts(kind):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part


def _parts(kind: Any) -> Iterator[Any]:
    """What a kind is made of, through unions and remarks."""
    if get_origin(kind) in {Union, types.UnionType}:
        for part in get_args(kind):
            yield from _parts(part)
    elif get_origin(kind) is Annotated:
        yield from _parts(get_args(kind)[0])
    else:
        yield kind
