"""How the processes of a daemon get memory and give it back: set before the first is forked, so that all of them have it."""

import ctypes

_TRIM, _MMAP, _ARENAS = -1, -3, -8
"""Names of what the C library lets one set (`mallopt`, malloc.h)."""
_PIECE = 128 * 1024


def spare() -> bool:
    """Keep no more memory than is in use; False if the C library cannot be told, which is then left as it is.

    Left alone, it learns to keep ever larger pieces for itself and gives every thread a heap of its own, so that a process that
    makes a million messages holds a tenth more than one that makes ten thousand.
    """
    try:
        told = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(told(name, setting) == 1 for name, setting in ((_ARENAS, 1), (_MMAP, _PIECE), (_TRIM, _PIECE)))
