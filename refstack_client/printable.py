"""Text of others for a terminal: names and messages of a cloud may hold control characters."""


def printable(text: str) -> str:
    r"""Return text with ``\\x1b`` and the like in place of control and other hidden characters.

    Line feeds and tabs remain.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\t\n"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
