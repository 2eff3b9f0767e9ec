"""Values that are made by the million: frozen, and cheap for whoever makes them.

`@value(frozen=True, slots=True)` is a dataclass to people, to the type checker and to `dataclasses.replace`. When the program
runs, the class is a msgspec struct of the same fields: making a frozen dataclass of eleven fields takes 2.1 µs, one with
plain slots 0.35 µs, a struct 0.11 µs (CPython 3.11), and a message is some sixteen values on its way.
"""

from dataclasses import MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from dataclasses import dataclass as value
    from dataclasses import replace as changed
else:
    changed = msgspec.structs.replace
    """A copy of a value with some fields changed, at a tenth of what `dataclasses.replace` takes."""

    def value(*, frozen: bool, slots: bool):  # noqa: ANN201 - the type checker reads the line above
        """A struct of the fields that the class declares, known as a dataclass to whoever asks."""
        assert frozen  # noqa: S101 - a value that may change is an ordinary dataclass
        assert slots  # noqa: S101 - a struct has nothing else
        return _struct


def _struct(declared: Any) -> Any:
    written = {name: told for name, told in declared.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    if issubclass(declared, msgspec.Struct):  # a value made of another, whose metaclass has made it already
        own: Any = dataclass(type(declared.__name__, (), {"__annotations__": declared.__annotations__}))
        declared.__dataclass_fields__ = {field.name: field for field in (*fields(declared), *fields(own))}
        return declared
    plain: Any = dataclass(declared)
    names = {field.name for field in fields(plain)} | {"__annotations__"}
    made: Any = msgspec.defstruct(
        declared.__name__,
        [(field.name, field.type, *_default(field)) for field in fields(plain)],
        namespace={"__repr__": plain.__repr__, **{name: told for name, told in written.items() if name not in names}},
        module=declared.__module__,
        frozen=True,
        array_like=True,
        gc=False,  # they hold data as it came, and none of it leads back to them
    )
    made.__qualname__ = declared.__qualname__
    made.__dataclass_fields__ = plain.__dataclass_fields__  # what `replace`, `fields` and `asdict` read
    return made


def _default(field: Field[Any]) -> tuple[Any, ...]:
    if field.default is not MISSING:
        return (field.default,)
    return (msgspec.field(default_factory=field.default_factory),) if field.default_factory is not MISSING else ()


__all__ = ["changed", "value"]
