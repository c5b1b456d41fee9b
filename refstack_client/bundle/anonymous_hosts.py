"""Placeholders for the hosts of URLs: always the same one within a bundle."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from refstack_client.outcomes import public_text
from refstack_client.outcomes.public_text import HIDDEN

_PLACEHOLDER = re.compile(r"(?:host|address)-\d+")


@dataclass(frozen=True)
class Hosts:
    """The placeholder of each host, numbered in the order of the URLs."""

    placeholders: Mapping[str, str]

    @classmethod
    def of(cls, urls: Iterable[str]) -> "Hosts":
        """Return the placeholders of the hosts of URLs: a placeholder is its own."""
        found: dict[str, str] = {}
        for url in sorted(urls):
            parts = _split(url)
            host = parts.hostname if parts else None
            if host and host not in found:
                kind = "address" if _is_address(host) else "host"
                found[host] = host if _PLACEHOLDER.fullmatch(host) else f"{kind}-{len(found) + 1}"
        return cls(found)

    def hide(self, url: str) -> str:
        """Return a URL with the placeholder of its host and the public parts of its path.

        Of a URL with an unknown host nothing stays.
        """
        parts = _split(url)
        host = self.placeholders.get(parts.hostname or "") if parts else None
        if parts is None or host is None or parts.scheme not in ("http", "https"):
            return HIDDEN
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{host}{port}{public_text.path(parts.path)}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
