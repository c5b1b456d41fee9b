"""The public part of a text: its words and names that are public, and ``…`` for all others.

Reasons quote the responses of a cloud, which name hosts, users and resources in many spellings.
Therefore nothing private is searched for: a token is shown if it is a word of
``data/public_words.txt``, a name of ``data/public_names.txt``, or a number of at most three digits.
Both files are derived from the source of OpenStack (tools/public_words.py). A token ends at white
space, a quote, a bracket or a comma only, so that ``compute-17``, ``a.b``, ``a/b`` and ``10:22``
are one token each.
"""

import functools
import re
from importlib import resources

HIDDEN = "…"
_DATA = resources.files("refstack_client") / "data"
_QUOTES = "\"'"
# A quoted text of so many words is the name of something, a longer one is a message.
_LONGEST_NAME = 4
# Longer texts are cut: no reason and no name of a test has so many characters.
_LONGEST = 20_000
# Texts up to so many characters are remembered: results repeat names and reasons.
_SHORT = 256
# Each character is in one piece, so that the time is in proportion to the text.
_PIECE = re.compile(
    r"(?P<space>\s+)|(?P<mark>[\"'`()\[\]{}<>,;!?=|*])"
    r"|(?P<token>(?:[^\s\"'`()\[\]{}<>,;!?=|*]|(?<=[A-Za-z])'(?=(?:t|s|re|ve|ll|d)\b))+)"
)
_NUMBER = re.compile(r"[0-9]{1,3}")
_ONE_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,1000}[A-Za-z0-9_]")
_PUNCTUATION = re.compile(r"[-–—/&+#~]{1,2}")
_SEPARATORS = re.compile(r"[_:-]")
_VERSION = re.compile(r"v[0-9](\.[0-9]{1,2})?")
# An IP address can be written with other separators than dots.
_NUMBERS = re.compile(r"(?<![0-9])[0-9]{1,3}(?:[^\w…]{1,3}[0-9]{1,3}){3,}(?![0-9])")
_REPEATED = re.compile(r"…(?:\s+…)+")
_ENDS = frozenset(",;!?)]}>|*")
_METHODS = ("test_", "setup", "teardown", "_run_")
# What follows these is the name of something that the cloud's owner named: it can be any word.
_NAMING_WORDS = """
    account aggregate called cell cluster domain host hostname hypervisor login machine name
    named node owner password port project rack realm region site tenant user username zone
"""
# Unless it is one of the words that continue a sentence.
_CONTINUING_WORDS = """
    a already an and answer answered are aren't as at be because been before binding but by can
    can't cannot could couldn't created credential credentials deleted did didn't do does
    doesn't domain down error exists failed for found from group groups had has have id ids if
    in into invalid is isn't it its limit list may missing must name named names no nor not of
    on only or parameter quota reached refused resolution role roles should state status than
    that the then this to token type types unavailable unreachable uuid was wasn't were which
    while will with within without would
"""
_NAMING, _CONTINUING = (frozenset(listed.split()) for listed in (_NAMING_WORDS, _CONTINUING_WORDS))


@functools.cache
def _words() -> frozenset[str]:
    return frozenset((_DATA / "public_words.txt").read_text(encoding="ascii").split())


@functools.cache
def _names() -> frozenset[str]:
    return frozenset((_DATA / "public_names.txt").read_text(encoding="ascii").lower().split())


def text(whole: str) -> str:
    """Return a reason, or the id of a test, with ``…`` in place of what is not public."""
    return _short(whole) if len(whole) <= _SHORT else _text(whole)


@functools.lru_cache(maxsize=4096)
def _short(whole: str) -> str:
    return _text(whole)


def _text(whole: str) -> str:
    if _is_public_name(whole):
        return whole
    pieces, shown = [], []
    is_named = False
    for match in _PIECE.finditer(whole[:_LONGEST]):
        piece = match[0]
        pieces.append(piece)
        if match.lastgroup == "token":
            token, is_named = _token(piece, is_named)
            shown.append(token)
        else:
            is_named = is_named and piece not in _ENDS
            shown.append(piece)
    if len(whole) > _LONGEST:
        shown[-1] = HIDDEN
    _hide_names(pieces, shown)
    return _REPEATED.sub(HIDDEN, _NUMBERS.sub(HIDDEN, "".join(shown)))


def _is_public_name(whole: str) -> bool:
    """Return whether a text is one public token, as the names of most tests are.

    Such a text is shown as it is; the rest of :func:`text` would only take longer to find out.
    """
    return bool(
        _ONE_TOKEN.fullmatch(whole)
        and _is_public(whole, whole.lower())
        and not _NUMBERS.search(whole)
    )


def _token(token: str, is_named: bool) -> tuple[str, bool]:
    """Return the public part of a token, and whether the next one is the name of something.

    :param is_named: whether this token can be a name
    """
    core = token.rstrip(".:")
    end = token[len(core) :][:3]
    if not core or _PUNCTUATION.fullmatch(core):
        return core + end[: 1 if core else None], is_named and "." not in end
    folded = core.lower()
    names_next = "." not in token and _is_naming(folded)
    if is_named and folded not in _CONTINUING:
        return HIDDEN + end, False
    is_public = _NUMBER.fullmatch(core) or _is_public(core, folded)
    return (core if is_public else HIDDEN) + end, names_next


def _is_naming(folded: str) -> bool:
    """Return whether a name follows; keys of the API end alike: user_name, OS-EXT-SRV-ATTR:host."""
    return "test_" not in folded and _SEPARATORS.split(folded)[-1] in _NAMING


def _is_public(core: str, folded: str) -> bool:
    return core.isascii() and (folded in _words() or _is_name(folded))


def _is_name(folded: str) -> bool:
    """Return whether a name is published: of a test also ``class.method`` and ``class:method``."""
    names = _names()
    owner, _, method = folded.rpartition(":" if ":" in folded else ".")
    is_test = method.startswith(_METHODS) and method in names and owner in names
    return is_test or folded in names


def _hide_names(pieces: list[str], shown: list[str]) -> None:
    """Hide each short quoted text of which a word is hidden."""
    opened: dict[str, int] = {}
    for index, piece in enumerate(pieces):
        if piece not in _QUOTES:
            continue
        if piece not in opened:
            opened[piece] = index
            continue
        inside = slice(opened.pop(piece) + 1, index)
        tokens = [part for part in shown[inside] if not part.isspace()]
        if len(tokens) <= _LONGEST_NAME and any(HIDDEN in token for token in tokens):
            shown[inside] = [HIDDEN, *[""] * (index - inside.start - 1)]


def path(whole: str) -> str:
    """Return the path of an API request with ``…`` for each part that is not of the API itself."""
    parts, is_named = [], False
    for part in whole[:_LONGEST].split("/"):
        folded = part.lower()
        is_public = not part or _VERSION.fullmatch(part) or _is_public(part, folded)
        parts.append(part if is_public and not is_named else HIDDEN)
        is_named = folded.removeprefix("os-").removesuffix("s") in _NAMING
    return "/".join(parts)
