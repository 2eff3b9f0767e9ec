"""Opening text files of any origin, whatever their encoding: a few samples tell it, for nobody reads ten gigabytes to find out.

What is plainly no text is refused at once.
"""

import codecs
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from orchestrator.audience.texts import FileError, Form

_SAMPLE = 1_000_000
"""Bytes looked at in the beginning, in the middle and at the end."""
_LETTER = re.compile(b"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""A letter outside ASCII as UTF-8 writes it."""
_ODD = re.compile(b"[\x81\x8d\x8f\x90\x9d]")
"""Bytes that Windows-1252 has no letter for."""
_KNOWN = (
    (b"PK\x03\x04", "a spreadsheet or a zip archive; save the sheet as CSV (UTF-8), or take the file out of the archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel sheet; save it as CSV (UTF-8)"),
    (b"\x1f\x8b", "a compressed file; name it .csv.gz or .jsonl.gz"),
    (b"%PDF", "a PDF; export the table as CSV"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
    (b"PAR1", "a Parquet file; name it .parquet"),
)  # fmt: skip
"""How files begin that people take for text."""

IN_WORDS = {"cp1252": "Windows-1252 (Latin-1)", "latin-1": "Latin-1", "utf-16": "UTF-16", "utf-16-le": "UTF-16",
            "utf-16-be": "UTF-16", "utf-8-sig": "UTF-8 with a byte order mark"}  # fmt: skip
"""What people call an encoding."""

_DAMAGE = "orchestrator-damage"


def _damage(problem: Any) -> tuple[str, int]:
    """A lone surrogate for every byte that is no text. It stands for 0xFF, which is part of no letter: as UTF-8 none arises from two.

    `surrogateescape` gives up where UTF-16 is damaged.
    """
    return "\udcff" * (problem.end - problem.start), problem.end


codecs.register_error(_DAMAGE, _damage)


def open_text(path: Path, form: Form) -> tuple[IO[bytes], io.TextIOWrapper, int]:
    """The file as bytes on disk (for progress) and as text. Bytes that are no text become lone surrogates, found later."""
    raw: IO[bytes] = path.open("rb")
    try:
        file = _plain(path, raw)
        found = Encoded(form.encoding) if form.encoding else recognised(path, file)
        file.read(found.mark)
        encoding = "utf-8" if found.mark else found.name
        text = io.TextIOWrapper(file, encoding=encoding, errors=_DAMAGE, newline="")
    except LookupError:
        raw.close()
        raise FileError(
            f"{path}: there is no encoding '{form.encoding}'; write one like utf-8 or latin-1 in the mapping"
        ) from None
    except BaseException:
        raw.close()
        raise
    return raw, text, max(path.stat().st_size, 1)


def encoding_of(path: Path, form: Form) -> str:
    """The encoding a text file is read in: as its mapping says, else as it looks; `utf-8-sig` if it begins with the mark of UTF-8."""
    if form.encoding:
        return form.encoding
    raw: IO[bytes] = path.open("rb")
    with raw:
        return recognised(path, _plain(path, raw)).name


def _plain(path: Path, raw: IO[bytes]) -> Any:
    """What the file holds once it is unpacked."""
    return io.BufferedReader(gzip.GzipFile(fileobj=raw), _SAMPLE) if _packed(path) else raw


def _packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoding by Python's name, and how many bytes at the beginning are its mark."""

    name: str = "utf-8"
    mark: int = 0


def recognised(path: Path, file: Any) -> Encoded:
    """The encoding of a file that is open at its beginning for bytes (and can `peek`); FileError for what is no text.

    Letters that are no UTF-8 where no other is make it Windows-1252, of which Latin-1 is a part; beside letters that are,
    they are damage, and cost their lines alone.
    """
    head = bytes(file.peek(_SAMPLE)[:_SAMPLE]) if _packed(path) else _first(path)
    for begins, what in _KNOWN:
        if head.startswith(begins):
            raise FileError(f"{path}: this is no text but {what}")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Encoded("utf-16")
    if head[:3] == b"\xef\xbb\xbf":
        return Encoded("utf-8-sig", 3)
    if b"\0" in head and (wide := _wide(path, head)):
        return wide
    samples = [head, *([] if _packed(path) else _others(path))]
    if any(map(_is_single, samples)) and not any(map(_LETTER.search, samples)):
        return Encoded("cp1252")
    return Encoded()


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SAMPLE)


def _others(path: Path) -> list[bytes]:
    """The middle and the end of a long file; nothing of a short one."""
    size = path.stat().st_size
    if size <= _SAMPLE:
        return []
    found = []
    with path.open("rb") as file:
        for start in sorted({size // 2, max(_SAMPLE, size - _SAMPLE)}):
            file.seek(start)
            found.append(file.read(_SAMPLE))
    return found


def _is_single(sample: bytes) -> bool:
    """Whether there are letters outside ASCII, and every one may be Windows-1252's."""
    return not sample.isascii() and not _LETTER.search(sample) and not _ODD.search(sample)


def _wide(path: Path, head: bytes) -> Encoded | None:
    """UTF-16 without its mark, where half of what Latin letters take is zeros; None for a text with a stray zero in it."""
    some = head[: len(head) // 2 * 2][:20_000]
    high, low = some[::2].count(0), some[1::2].count(0)
    few = len(some) // 20
    if low > 4 * few and high <= few:
        return Encoded("utf-16-le")
    if high > 4 * few and low <= few:
        return Encoded("utf-16-be")
    if _readable(head) and head.count(0) < len(head) / 20:
        return None
    raise FileError(
        f"{path}: this is no text, or a damaged one: it is full of zero bytes; export the table as CSV, JSON lines or Parquet"
    )


def _readable(sample: bytes) -> bool:
    """Whether it is UTF-8, but for a letter that is cut at the end."""
    try:
        sample[:-3].decode()
    except UnicodeDecodeError as problem:
        return problem.start >= len(sample) - 6
    return True
