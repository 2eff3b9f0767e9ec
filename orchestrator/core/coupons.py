"""Coupon codes as a file of them says: one a line, or the column `code` of a table."""

import csv
import io

LONGEST = 128
"""Characters of one code."""

_HEADERS = frozenset({"code", "codes", "coupon", "coupon_code", "voucher"})


def codes_in(content: bytes) -> list[str]:
    """The codes of a CSV or text file, each once, in its order; ValueError says what is wrong and in which line."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise ValueError(f"cannot be read: {problem}") from None
    found: dict[str, None] = {}
    column, begun = 0, False
    for number, cells in enumerate(lines, 1):
        named = [cell.strip().lower() for cell in cells]
        if not begun and any(named):
            begun = True
            if _HEADERS & set(named):
                column = next(place for place, cell in enumerate(named) if cell in _HEADERS)
                continue
        code = cells[column].strip() if column < len(cells) else ""
        if not code:
            continue
        if len(code) > LONGEST or not code.isprintable():
            raise ValueError(f"line {number}: no code; one has {LONGEST} printable characters at most")
        found[code] = None
    return list(found)
