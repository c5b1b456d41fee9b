"""URLs of the sites of vendors."""

import re
from typing import Annotated

import pydantic

from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import LONGEST_SITE
from refstack_server.store.text import has_hidden

_HTTPS = pydantic.TypeAdapter(
    Annotated[pydantic.AnyUrl, pydantic.UrlConstraints(allowed_schemes=["https"])]
)
"""Reads a URL as browsers do (WHATWG), so that the host is the one that a browser opens."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PUBLIC_HOST = re.compile(rf"({_LABEL}\.)+(?!\d){_LABEL}")
"""A full host name; the last label of an IP address begins with a digit."""
_NOT_PUBLIC = (
    *("alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"),
)
"""Top-level domains without public web sites (RFC 6761 and its registry, ICANN)."""
_PORT = 443


def site(text: str) -> str:
    """Return the URL of a public web site in its canonical form, in ASCII.

    A host name with other letters becomes its ASCII form (``xn--…``), which pages show, so that no
    name looks like another.

    :raises InvalidError: the text is not such a URL
    """
    try:
        url = _HTTPS.validate_python(text)
    except pydantic.ValidationError as error:
        raise _refused(str(error.errors()[0]["msg"])) from error
    host = url.host or ""
    if has_hidden(text, ""):
        raise _refused("it has hidden characters")
    if url.username is not None or url.password is not None:
        raise _refused("it names a user")
    if url.port != _PORT:
        raise _refused("it names a port")
    if not _PUBLIC_HOST.fullmatch(host) or host.rpartition(".")[2] in _NOT_PUBLIC:
        raise _refused("its host is not the full name of a public host")
    if len(str(url)) > LONGEST_SITE:
        raise _refused(f"it is longer than {LONGEST_SITE} characters")
    return str(url)


def _refused(reason: str) -> InvalidError:
    message = f"url: enter a URL such as https://www.example.org/: {reason}"
    return InvalidError(message, "/url")
