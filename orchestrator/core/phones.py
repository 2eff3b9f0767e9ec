"""Phone numbers: what people put between and before the digits says nothing about who answers."""

import re

NUMBER = "[+](?:[ ()./-]*[0-9]){7,15}[ ()./-]*|[0-9][0-9 ()./-]{3,30}"
"""A pattern for one, written as people write it. After a + stand 7 to 15 digits (ITU-T E.164; Niue's are the shortest)."""
SIGNS = " \u00a0()./-"
"""What people put between its digits."""


def dialled(number: str) -> str:
    """The number without what stands between its digits, its country after a +: two that are equal reach the same phone.

    A number without its country stays without it: nobody can know which is meant.
    """
    bare = "".join(sign for sign in number if sign not in SIGNS)
    return f"+{bare[2:]}" if bare.startswith("00") else bare


def international(text: str) -> bool:
    """Whether a text is a number with its country, so that it can be dialled from anywhere."""
    return text.lstrip().startswith("+") and re.fullmatch(NUMBER, text.strip()) is not None
