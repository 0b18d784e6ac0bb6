"""Text that must not act as Markdown."""

import re
from typing import Final

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$:~&])")


def literal(text: str) -> str:
    """Return `text` so that Markdown shows every character of it and follows none: names come from outside."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))
