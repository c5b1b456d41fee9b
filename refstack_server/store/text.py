"""Text from outside that a database stores."""

LONGEST = 255


def stored(value: object, longest: int = LONGEST) -> str:
    """Return a text that every database stores; "" for anything else.

    Neither U+0000 nor half of a surrogate pair can be stored.
    """
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return ""
    return value
