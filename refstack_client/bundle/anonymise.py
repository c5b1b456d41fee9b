"""Placeholders for host names and IP addresses: always the same one within a bundle."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import testtools

from refstack_client.outcomes.cloud_facts import CloudFacts

# Anything that could be an IP address; what is not one stays. Versions (1.2.3) have three numbers.
_ADDRESS = re.compile(
    rb"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w)|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))"
)


@dataclass
class Anonymiser:
    """The placeholder of each host name and IP address, numbered by first use."""

    hosts: dict[bytes, bytes] = field(default_factory=dict)
    addresses: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, cloud: CloudFacts | None) -> "Anonymiser":
        """Return an anonymiser with a placeholder for each host in the endpoints of ``cloud``."""
        anonymiser = cls()
        urls = (cloud.auth_url, *cloud.endpoints.values()) if cloud else ()
        for url in sorted(urls):
            host = urlsplit(url).hostname or ""
            if host and not _is_address(host):
                placeholder = f"host-{len(anonymiser.hosts) + 1}".encode()
                anonymiser.hosts.setdefault(host.encode(), placeholder)
        return anonymiser

    def hide(self, content: bytes) -> bytes:
        """Return ``content`` with placeholders."""
        for name in sorted(self.hosts, key=len, reverse=True):
            whole = rb"(?<![\w.-])" + re.escape(name) + rb"(?![\w-])"
            content = re.sub(whole, self.hosts[name], content, flags=re.IGNORECASE)
        return _ADDRESS.sub(self._address, content)

    def _address(self, match: re.Match[bytes]) -> bytes:
        text = match[0]
        if not _is_address(text.decode()):
            return text
        return self.addresses.setdefault(text, f"address-{len(self.addresses) + 1}".encode())

    def filter(self, target: testtools.StreamResult) -> testtools.StreamResult:
        """Return a stream that passes events on to ``target`` with placeholders in attachments.

        Attachments must come whole, from a
        :class:`~refstack_client.outcomes.redaction.Redactor`.
        """
        return _Filter(self, target)


class _Filter(testtools.StreamResult):
    """Hides host names and IP addresses in attachments."""

    def __init__(self, anonymiser: Anonymiser, target: testtools.StreamResult) -> None:
        super().__init__()
        self._anonymiser = anonymiser
        self._target = target

    def status(self, *arguments: Any, file_bytes: bytes | None = None, **event: Any) -> None:
        if file_bytes is not None:
            file_bytes = self._anonymiser.hide(bytes(file_bytes))
        self._target.status(*arguments, file_bytes=file_bytes, **event)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
