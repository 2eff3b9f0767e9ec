"""YAML of the documents, read as the product reads files."""

from typing import Any

from orchestrator.config.sheets import read_sheet


def value_of(text: str) -> Any:
    """The value of a piece of YAML; AssertionError with every slip of the pen in it."""
    shifted = "".join(f"  {line}\n" for line in text.splitlines())
    sheet, slips = read_sheet("example", f"value:\n{shifted}".encode())
    assert sheet is not None and not slips, "\n".join(f"{slip.line - 1}: {slip.text}. {slip.remedy}" for slip in slips)  # noqa: PT018 - one fact
    return sheet.value["value"]
