r"""Regular expressions of segments: the subset that means the same to every engine, read here and written in one way.

Literals, `.` (any character, a line break too), classes like `[a-z0-9]` and `[^,]`, `\d \w \s` (ASCII) and their opposites,
`( )`, `|`, `* + ? {2} {2,} {2,5}`, `^` at the very start and `$` at the very end. It is looked for anywhere in the text.
"""

from dataclasses import dataclass
from string import ascii_uppercase

MOST = 1_000
"""How often a part may be asked for at most, counted through nested repeats: engines refuse more."""
_META = frozenset("\\.[]{}()*+?^$|")
_SETS = {
    "d": (("0", "9"),),
    "w": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
    "s": (("\t", "\r"), (" ", " ")),
}
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}
Ranges = tuple[tuple[str, str], ...]


class RegexError(ValueError):
    """What in a pattern lies outside the subset, and what to write instead."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern as all engines read it; `starts` and `ends` say whether it is held to the ends of the text."""

    starts: bool
    body: str
    ends: bool

    def anchored(self, start: str, end: str) -> str:
        """The pattern with an engine's own signs for the two ends."""
        return f"{start if self.starts else ''}(?:{self.body}){end if self.ends else ''}"


def read_regex(pattern: str, *, ignore_case: bool = False) -> Regex:
    """Read a pattern; RegexError if it lies outside the subset. Without case, it is for texts written small (A to Z)."""
    starts, inner = pattern.startswith("^"), pattern.removeprefix("^")
    ends = inner.endswith("$") and not _escaped(inner)
    reader = _Reader(inner.removesuffix("$") if ends else inner, ignore_case=ignore_case)
    body, _ = reader.alternatives(0)
    if reader.place < len(reader.text):
        raise RegexError("a bracket is closed that was not opened", "Write a bracket itself as \\).")
    if reader.split and (starts or ends):
        raise RegexError("`^` or `$` beside `|` has two readings", "Put the alternatives into brackets: ^(a|b)$.")
    return Regex(starts, body, ends)


def escaped(letter: str) -> str:
    """A character as itself in a pattern, for every engine."""
    return "\\" + letter if letter in _META else letter


def _escaped(text: str) -> bool:
    """Whether the last character has an odd number of backslashes before it."""
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


class _Reader:
    """Reads one pattern from left to right. Every method gives the part as written for engines, and its repeats."""

    def __init__(self, text: str, *, ignore_case: bool) -> None:
        self.text = text
        self.place = 0
        self.ignore_case = ignore_case
        self.split = False

    def _next(self) -> str:
        return self.text[self.place] if self.place < len(self.text) else ""

    def _take(self) -> str:
        letter = self._next()
        self.place += 1
        return letter

    def alternatives(self, depth: int) -> tuple[str, int]:
        if depth > 20:
            raise RegexError("brackets are nested deeper than 20", "Write it in fewer levels.")
        parts, most = [], 1
        while True:
            part, repeats = self._sequence(depth)
            parts.append(part)
            most = max(most, repeats)
            if self._next() != "|":
                return "|".join(parts), most
            self.split |= depth == 0
            self.place += 1

    def _sequence(self, depth: int) -> tuple[str, int]:
        parts, most = [], 1
        while self._next() not in {"", "|", ")"}:
            part, repeats = self._repeated(depth)
            parts.append(part)
            most = max(most, repeats)
        if not parts:
            raise RegexError("there is nothing to look for here", "Leave out empty brackets and alternatives.")
        return "".join(parts), most

    def _repeated(self, depth: int) -> tuple[str, int]:
        part, repeats = self._one(depth)
        letter = self._next()
        if letter and letter in "*+?":
            self.place += 1
            sign, most = letter, 1 if letter == "?" else MOST
        elif letter == "{":
            sign, most = self._counts()
        else:
            return part, repeats
        if repeats * most > MOST:
            raise RegexError("a repeat inside a repeat", "Some engines would search for ever: repeat one of them only.")
        if self._next() and self._next() in "?+*{":
            raise RegexError(
                f"'{self._next()}' after a repeat", "How greedy a repeat is changes nothing here: leave it out."
            )
        return part + sign, repeats * most

    def _counts(self) -> tuple[str, int]:
        end = self.text.find("}", self.place)
        low, comma, high = self.text[self.place + 1 : max(end, 0)].partition(",")
        plain = all(not count or (count.isascii() and count.isdigit() and len(count) <= 3) for count in (low, high))
        if end < 0 or not low or not plain or max(int(low), int(high or 0)) > 200 or (high and int(high) < int(low)):
            raise RegexError("'{' begins no repeat", "Write {2}, {2,} or {2,5}, up to 200, or a brace itself as \\{.")
        self.place = end + 1
        return f"{{{low}{comma}{high}}}", MOST if comma and not high else max(int(high or low), 1)

    def _one(self, depth: int) -> tuple[str, int]:
        letter = self._take()
        match letter:
            case "(":
                return self._group(depth)
            case "[":
                return self._class(), 1
            case ".":
                return ".", 1
            case "\\":
                return self._escape(), 1
            case "*" | "+" | "?" | "{":
                raise RegexError(f"'{letter}' repeats nothing", f"Write the sign itself as \\{letter}.")
            case "^" | "$":
                raise RegexError(
                    f"'{letter}' inside the pattern",
                    f"It stands at the {'start' if letter == '^' else 'end'} only; the sign itself is \\{letter}.",
                )
        return self._literal(letter), 1

    def _group(self, depth: int) -> tuple[str, int]:
        if self._next() == "?":
            if not self.text.startswith("?:", self.place):
                raise RegexError(
                    "'(?' begins something that not every engine knows", "Write ( ), and `ignore_case: true` for (?i)."
                )
            self.place += 2
        inner, repeats = self.alternatives(depth + 1)
        if self._take() != ")":
            raise RegexError("a bracket is not closed", "Write a bracket itself as \\(.")
        return f"(?:{inner})", repeats

    def _escape(self) -> str:
        letter = self._take()
        if letter.lower() in _SETS and letter.isascii():
            return _written(_SETS[letter.lower()], negated=letter.isupper())
        return self._literal(self._plain(letter))

    def _plain(self, letter: str) -> str:
        if letter in _LETTERS:
            return _LETTERS[letter]
        if not letter or not letter.isascii() or letter.isalnum():
            raise RegexError(
                f"'\\{letter}' is not read alike by every engine",
                "Allowed after a backslash: d w s D W S n t r, and signs.",
            )
        return letter

    def _literal(self, letter: str) -> str:
        return escaped(self._small(letter))

    def _small(self, letter: str) -> str:
        return letter.lower() if self.ignore_case and letter in ascii_uppercase else letter

    def _class(self) -> str:
        negated = self._next() == "^"
        self.place += negated
        ranges: list[tuple[str, str]] = []
        while self._next() != "]":
            found = self._member()
            if isinstance(found, tuple):
                ranges += found
                continue
            last = found
            if self._next() == "-" and self.text[self.place + 1 : self.place + 2] not in {"]", ""}:
                self.place += 1
                end = self._member()
                if isinstance(end, tuple) or end < found:
                    raise RegexError("a class has a span that runs backwards", "Write the smaller one first: [a-z].")
                last = end
            ranges.append((found, last))
        self.place += 1
        if not ranges:
            raise RegexError("a class is empty", "Say what may stand there: [abc].")
        if self.ignore_case:
            ranges += [small for span in ranges for small in _small_letters(*span)]
        return _written(tuple(ranges), negated=negated)

    def _member(self) -> str | Ranges:
        letter = self._take()
        if not letter:
            raise RegexError("a class is not closed", "Write a bracket itself as \\[.")
        if letter == "[":
            raise RegexError("'[' inside a class", "Engines read it differently; write \\[.")
        if letter != "\\":
            return letter
        letter = self._take()
        return _SETS[letter] if letter in _SETS else self._plain(letter)


def _small_letters(first: str, last: str) -> Ranges:
    low, high = max(first, "A"), min(last, "Z")
    return ((low.lower(), high.lower()),) if low <= high else ()


def _written(ranges: Ranges, *, negated: bool) -> str:
    """A class; what has a meaning inside one for any engine gets a backslash."""
    inner = ""
    for first, last in ranges:
        inner += _in_class(first) if first == last else f"{_in_class(first)}-{_in_class(last)}"
    return f"[{'^' * negated}{inner}]"


def _in_class(letter: str) -> str:
    return "\\" + letter if letter in "\\[]^-&~|" else letter
