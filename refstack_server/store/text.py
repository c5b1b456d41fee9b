"""Text from outside that the database stores and pages show."""

import unicodedata

LONGEST = 255
_LAYOUT = "\n\r\t"
_JOINERS = "\u200c\u200d"
"""Invisible characters that words of some languages need."""
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Categories of Unicode: controls, directions and marks without a width, parts of characters."""


def has_hidden(text: str, allowed: str = _LAYOUT) -> bool:
    """Return whether a text has characters that change how the rest is shown, or cannot be stored.

    Among them are U+0000 and single surrogates, which databases refuse, terminal escapes,
    and overrides of the direction of writing, with which a name looks like another one.

    :param allowed: control characters that the text may have
    """
    return not text.isprintable() and any(
        unicodedata.category(character) in _HIDDEN
        for character in text
        if character not in allowed and character not in _JOINERS
    )


def stored(value: object, longest: int = LONGEST) -> str:
    """Return a text of one line that can be stored and shown; "" for anything else."""
    if not isinstance(value, str) or len(value) > longest or has_hidden(value, ""):
        return ""
    return value
