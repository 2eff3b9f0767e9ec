"""One-letter slips in every word of the example that the product can know: keys, names, phrases. Nearly all are caught."""

import string
from collections import Counter
from collections.abc import Iterator

from orchestrator.config import load
from orchestrator.config.sheets import Path, read_sheet
from tests.config.builders import DATA, all_secrets, the_example

PROSE = {"about", "owner", "label", "from", "reply_to", "postal", "public_url", "project"}
"""Keys whose values are for people: no program can know their words."""
CANNOT_BE_KNOWN = {True: 0.01, False: 0.03}
"""The share that changes something and passes, in segments and campaigns, and in settings and the catalogue: a currency without
declared values, a pool of coupons that only templates name, a country that nobody asks for.
"""
CHANGE_NOTHING = [
    "10% for 3 days → 10% for 3 day",
    "25% for 7 days → 25% for 7 day",
    "3 hours → 3 hour",
    "48 hours → 48 hour",
    "5 minutes → 5 minute",
    "7 days → 7 day",
    "after 30 days → after 30 day",
    "after 6 days → after 6 day",
    "after 90 days → after 90 day",
    "last 180 days → last 180 day",
    "last 30 days → last 30 day",
    "last 60 days → last 60 day",
    "last 90 days → last 90 day",
    "reminder after 30 days → reminder after 30 day",
]
"""Slips in segments and campaigns that leave everything as it was meant."""


def words(file: str, content: bytes) -> Iterator[tuple[int, int, str]]:
    """Every word of a file that the product can know, as (line, column, text)."""
    sheet, _ = read_sheet(file, content)
    assert sheet is not None
    lines = content.decode().splitlines()
    for path, place in sheet.places.items():
        if path and isinstance(path[-1], str):
            yield place.key_line, place.key_column, path[-1]
        value = sheet.at(path)
        if isinstance(value, str) and not _prose(path):
            column = place.column + (lines[place.line - 1][place.column - 1] == '"')
            yield place.line, column, value


def _prose(path: Path) -> bool:
    return any(step in PROSE for step in path) or path[-1] == "ends_with" or "stores" in path


def slips(word: str) -> Iterator[str]:
    """The word with one letter dropped, doubled, or swapped with the next."""
    for index, letter in enumerate(word):
        if letter not in string.ascii_letters:
            continue
        yield word[:index] + word[index + 1 :]
        yield word[: index + 1] + letter + word[index + 1 :]
        following = word[index + 1 : index + 2]
        if following in string.ascii_letters and following not in {"", letter}:
            yield word[:index] + following + letter + word[index + 2 :]


def written(content: bytes, line: int, column: int, old: str, new: str) -> bytes:
    lines = content.decode().split("\n")
    text = lines[line - 1]
    assert text[column - 1 : column - 1 + len(old)] == old, (text, old)
    lines[line - 1] = text[: column - 1] + new + text[column - 1 + len(old) :]
    return "\n".join(lines).encode()


def test_one_letter_slips_in_keys_names_and_phrases_are_caught():
    files, secrets = the_example(), all_secrets()
    meant = load(files, "live", secrets).project
    missed, same, total = dict[bool, list[str]](), set[str](), Counter[bool]()
    for file, content in files.items():
        if not file.startswith("config/"):
            continue
        campaigns = file.startswith(("config/segments/", "config/campaigns/"))
        others = b" ".join(text for name, text in files.items() if name.startswith("config/") and name != file)
        for line, column, word in words(file, content):
            if file == DATA and word.encode() not in others:
                continue  # declared for templates alone, which rendering checks
            for slip in dict.fromkeys(slips(word)):
                total[campaigns] += 1
                changed = {**files, file: written(content, line, column, word, slip)}
                found = load(changed, "live", secrets)
                if found.mistakes:
                    continue
                if found.project != meant:
                    missed.setdefault(campaigns, []).append(f"{file}:{line}:{column} {word} → {slip}")
                elif campaigns:
                    same.add(f"{word} → {slip}")
    assert sorted(same) == CHANGE_NOTHING
    assert total[True] > 2500
    assert total[False] > 1500
    for campaigns, share in CANNOT_BE_KNOWN.items():
        told = missed.get(campaigns, [])
        assert len(told) <= total[campaigns] * share, f"{len(told)} of {total[campaigns]}:\n" + "\n".join(told)
