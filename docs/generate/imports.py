"""What files can be imported, and what a mapping may say."""

from docs.generate.tables import code, table
from orchestrator.audience.exports import known_exports
from orchestrator.audience.mapping import COLUMN_KEYS, FIELDS, KEYS, NAMES, NEEDED, What

EXPORTS = """Exports of other tools are known by these columns, whatever else they have. Their mappings are built in."""

INTRO = """# Imports

`orchestrator import WHAT FILE…` reads CSV, JSON lines and Parquet. A column is known by its name, or by the mapping
`config/imports/NAME.yaml` of a file `NAME.csv`. [Import data](../how-to/import.md) shows how."""


ALIKE = """Capital letters, blanks, dashes and underscores do not matter. Lines of JSON may call what is needed by different names, as
long as no line has two of them."""


def page() -> str:
    """The page."""
    return "\n\n".join(
        [
            INTRO,
            "## What a file may tell",
            table(
                ["what", "needed", "also", "other columns are"],
                [
                    (
                        code(what),
                        code(*NEEDED[what]) if NEEDED[what] else "one of `email`, `phone`, `device`",
                        code(*(name for name in FIELDS[what] if name not in NEEDED[what])),
                        {What.PROFILES: "attributes", What.EVENTS: "properties"}.get(what, "left out"),
                    )
                    for what in What
                ],
            ),
            "## Names a column is known by",
            ALIKE,
            table(["field", "names"], [(code(field), code(*names.split())) for field, names in NAMES.items()]),
            "## Exports that are recognised",
            EXPORTS,
            table(["tool", "columns"], [(tool, code(*sorted(names))) for tool, names in known_exports().items()]),
            "## Keys of a mapping",
            table(["key", "meaning"], [(code(key), said) for key, said in KEYS.items()]),
            "Of one column:",
            table(["key", "meaning"], [(code(key), said) for key, said in COLUMN_KEYS.items()]),
        ]
    )
