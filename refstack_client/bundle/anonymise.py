"""Placeholders for hosts and addresses: the same one for the same name, everywhere in a bundle."""

import ipaddress
import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import testtools

# Anything that could be an address; what is none is let alone. Versions (1.2.3) have three numbers.
_ADDRESS = re.compile(
    rb"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w)|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))"
)


@dataclass
class Anonymiser:
    """Knows which placeholder stands for what; numbers are given in the order of meeting."""

    hosts: dict[bytes, bytes] = field(default_factory=dict)
    addresses: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def of_plan(cls, plan: bytes | None) -> "Anonymiser":
        """Return one that knows the names of a plan's hosts."""
        cloud = (json.loads(plan).get("cloud") if plan else None) or {}
        known = cls()
        urls = (cloud.get("auth_url", ""), *cloud.get("endpoints", {}).values())
        for url in sorted(urls):
            host = urlsplit(url).hostname or ""
            if host and not _is_address(host):
                known.hosts.setdefault(host.encode(), f"host-{len(known.hosts) + 1}".encode())
        return known

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
        """Return what passes events on to ``target`` with placeholders in their attachments."""
        return _Filter(self, target)


class _Filter(testtools.StreamResult):
    """Attachments come whole: behind a :class:`~refstack_client.outcomes.redaction.Redactor`."""

    def __init__(self, anonymiser: Anonymiser, target: testtools.StreamResult):
        super().__init__()
        self._anonymiser = anonymiser
        self._target = target

    def status(self, *arguments, file_bytes=None, **event):
        if file_bytes is not None:
            file_bytes = self._anonymiser.hide(bytes(file_bytes))
        self._target.status(*arguments, file_bytes=file_bytes, **event)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
