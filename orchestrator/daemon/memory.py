"""How the processes of a daemon get memory and give it back: set before the first is forked, so that all of them have it."""

import ctypes
from contextlib import suppress

_TRIM, _MMAP, _ARENAS = -1, -3, -8
"""Names of what the C library lets one set (`mallopt`, malloc.h)."""
_PIECE = 128 * 1024


def spare() -> None:
    """Keep no more memory than is in use; a C library that cannot be told is left as it is.

    Left alone, it learns to keep ever larger pieces for itself and gives every thread a heap of its own, so that a process that
    makes a million messages holds a fifth more than one that makes ten thousand.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for name, setting in ((_ARENAS, 1), (_MMAP, _PIECE), (_TRIM, _PIECE)):
            library.mallopt(name, setting)
