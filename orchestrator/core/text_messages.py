"""How a text message travels: in which alphabet, in how many parts, and which characters make it dearer.

3GPP TS 23.038: the GSM alphabet has 7 bits a character, 160 in one message and 153 in each part of a longer one; characters
of its extension count twice. Anything else makes the whole text UCS-2, with 70 and 67.
"""

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class Parts:
    """A text cut as networks carry it.

    `used` are the units of the alphabet (septets of GSM-7, 16-bit units of UCS-2), `room` what so many parts hold.
    `outside` are the characters that are not in the GSM alphabet, each once, in their order.
    """

    alphabet: str
    texts: tuple[str, ...]
    used: int
    room: int
    outside: str = ""

    def __len__(self) -> int:
        return len(self.texts)


def parts(text: str) -> Parts:
    """The parts of a text message; one, empty, for an empty text."""
    outside = "".join(dict.fromkeys(letter for letter in text if letter not in _BASIC and letter not in _EXTENSION))
    alphabet, alone, joined = ("UCS-2", 70, 67) if outside else ("GSM-7", 160, 153)
    sizes = [_units(letter) if outside else 1 + (letter in _EXTENSION) for letter in text]
    used = sum(sizes)
    if used <= alone:
        return Parts(alphabet, (text,), used, alone, outside)
    cut, begins, room = [], 0, joined
    for at, size in enumerate(sizes):
        # No letter is torn in two: what does not fit goes to the next part.
        if size > room:
            cut.append(text[begins:at])
            begins, room = at, joined
        room -= size
    cut.append(text[begins:])
    return Parts(alphabet, tuple(cut), used, joined * len(cut), outside)


def _units(letter: str) -> int:
    """16-bit units of a character: most emoji take two."""
    return 2 if ord(letter) > 0xFFFF else 1
