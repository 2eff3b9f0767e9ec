"""The one draw of the house: buckets, samples, variants, ramps and holdouts all come from here, and from no other hash."""

from collections.abc import Mapping
from hashlib import md5

SPACE = 2**32


def draw(salt: str, user: str) -> int:
    """A stable number in [0, 2³²) for this user under this salt: the first 8 hex digits of md5(salt:user).

    Every engine can compute it in SQL, which is why it is md5 and not something faster.
    """
    return int.from_bytes(md5(f"{salt}:{user}".encode(), usedforsecurity=False).digest()[:4])


def place(salt: str, user: str) -> float:
    """The same between 0 and 1, to be shown to people."""
    return draw(salt, user) / SPACE


def bucket(salt: str, user: str, buckets: int) -> int:
    """The user's bucket in [0, buckets): h·N div 2³², which is even to one part in 2³²/N."""
    return draw(salt, user) * buckets // SPACE


def share(salt: str, user: str, percent: float) -> bool:
    """Whether the user falls into the first `percent` of a hundred under this salt."""
    return draw(salt, user) * 100 < percent * SPACE


def pick(salt: str, user: str, weights: Mapping[str, float]) -> str:
    """One of the names by weight, in the order they stand; weights need not add up to 100, ValueError if none is positive."""
    total = sum(weights.values())
    if total <= 0:
        raise ValueError("a draw needs at least one weight above 0")
    point = draw(salt, user) * total / SPACE
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return list(weights)[-1]
