"""Keys of the settings, the catalogue and campaigns, from the schemas that editors get."""

from collections.abc import Iterator
from typing import Any

from docs.generate.tables import code, table
from orchestrator.config import SCHEMA_OF, schemas

FILES = {
    "orchestrator.schema.json": "The project's settings",
    "data.schema.json": "The catalogue: what people have and do",
    "warehouse.schema.json": "A warehouse: tables that exist already",
    "campaign.schema.json": "A campaign",
    "persona.schema.json": "A persona, to test campaigns with",
}
INTRO = """# Configuration

Every key of the YAML files, with what it may hold, what holds when it is not written, and what it means. `orchestrator schema`
writes the same as JSON Schema, so that an editor completes keys and shows these lines. Segments have [a page of their
own](segments.md), and so have [the settings of providers](providers.md) and [mappings of imports](import.md).

Files are YAML 1.2. A bare word that older tools would read as something else (`NO`, `10:00`, `0123`) is refused: put it in quotes.
Secrets stand elsewhere: `${env:NAME}` is read from the environment, `${file:path}` from a file, only when they are used.

What can be written is checked, also where the program does not act on it yet: the README says [what it is not
(yet)](../../README.md#what-it-is-not-yet)."""

Schema = dict[str, Any]


def page() -> str:
    """The page."""
    parts = [INTRO]
    for file, title in FILES.items():
        schema = schemas()[file]
        parts.append(f"## {title}: `{SCHEMA_OF[file]}`")
        for where, shape in mappings(schema):
            if where:
                parts.append(f"### `{where}`\n\n{shape.get('description', '')}".rstrip())
            parts.append(table(["key", "holds", "unless written", "meaning"], _rows(schema, shape, where)))
    return "\n\n".join(parts)


def mappings(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every mapping with known keys, by its path in the file (`environments.NAME`); the file itself is the path ''."""
    yield from _below(schema, schema, "")


def keys(schema: Schema) -> dict[str, str]:
    """Every key's full path, and what it means."""
    return {
        f"{where}.{key}" if where else key: meaning(schema, told)
        for where, shape in mappings(schema)
        for key, told in shape.get("properties", {}).items()
    }


def _below(schema: Schema, shape: Schema, where: str) -> Iterator[tuple[str, Schema]]:
    yield where, shape
    for key, told in shape.get("properties", {}).items():
        path = f"{where}.{key}" if where else key
        for found, steps in _inside(schema, told):
            yield from _below(schema, found, path + steps)


def _inside(schema: Schema, told: Schema) -> Iterator[tuple[Schema, str]]:
    """Mappings with known keys that a value is, or holds by name."""
    if "$ref" in told:
        yield schema["$defs"][told["$ref"].rpartition("/")[2]], ""
    for part in told.get("anyOf", ()):
        yield from _inside(schema, part)
    if told.get("type") == "array":
        yield from _inside(schema, told.get("items", {}))
    if inner := by_name(told):
        for found, steps in _inside(schema, inner):
            yield found, f".NAME{steps}"


def by_name(told: Schema) -> Schema:
    """What a mapping holds under names that are not ours; nothing if it has none such."""
    patterns = list(told.get("patternProperties", {}).values())
    inner = patterns[0] if patterns else told.get("additionalProperties")
    return inner if isinstance(inner, dict) else {}


def _rows(schema: Schema, shape: Schema, where: str) -> Iterator[tuple[str, ...]]:
    required = shape.get("required", ())
    for key, told in shape.get("properties", {}).items():
        path = f"{where}.{key}" if where else key
        unless = "required" if key in required else _default(told)
        yield code(key), holds(schema, told, path), unless, meaning(schema, told)


def meaning(schema: Schema, told: Schema) -> str:
    """A key's line of meaning, or that of the mapping it holds."""
    inner = schema["$defs"][told["$ref"].rpartition("/")[2]] if "$ref" in told else {}
    return told.get("description") or inner.get("description", "")


def holds(schema: Schema, told: Schema, path: str) -> str:
    """What a value may be, in a few words."""
    if "$ref" in told:
        inner = schema["$defs"][told["$ref"].rpartition("/")[2]]
        return f"[its keys](#{_anchor(path)})" if "properties" in inner else holds(schema, inner, path)
    if "anyOf" in told:
        said = [holds(schema, part, path) for part in told["anyOf"] if part.get("type") != "null"]
        return ", or ".join(dict.fromkeys(said))
    if "enum" in told:
        return code(*told["enum"])
    if "examples" in told:
        return "like " + " or ".join(code(example) for example in told["examples"])
    return _of_a_type(schema, told, path)


def _of_a_type(schema: Schema, told: Schema, path: str) -> str:
    kind = told.get("type")
    if kind == "array":
        return f"a list of: {holds(schema, told.get('items', {}), path)}"
    if kind == "object":
        names = told.get("propertyNames", {}).get("enum")
        held = holds(schema, by_name(told), f"{path}.NAME")
        return f"by {code(*names) if names else 'name'}: {held}"
    if isinstance(kind, list):
        return " or ".join(kind)
    words = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": code("true", "false")}
    return words.get(str(kind), "any value")


def _default(told: Schema) -> str:
    match told.get("default"):
        case bool(value):
            return code(str(value).lower())
        case float(value):
            return code(f"{value:g}%")
        case str(value):
            return code(value)
        case _:
            return ""


def _anchor(path: str) -> str:
    """The anchor of a heading that is one word of code."""
    return path.lower().replace(".", "")
