"""Hide secrets in streams and files."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import testtools

from refstack_client.outcomes.subunit_stream import INTERIM

HIDDEN = "<redacted>"
_PACKET_BYTES = 1024 * 1024
"""A packet of subunit has at most four times as much."""

_PATTERNS = (
    # Fernet tokens, anywhere.
    re.compile(rb"gAAAA[\w-]{20,}={0,2}"),
    # JSON Web Signatures, as Keystone's jws tokens and those of OpenID Connect.
    re.compile(rb"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),
    re.compile(
        rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
        re.DOTALL,
    ),
    # The password in a URL.
    re.compile(rb"""(?P<key>://[^\s/:@'"]{0,200}:)[^\s/@'"]{1,200}(?=@)"""),
    # "password": "…" and its relatives in JSON and Python literals, escaped quotes included.
    # Tempest cuts long bodies off: a value without an end extends to the end of its line.
    re.compile(
        rb"""(?P<key>["'](?:password|original_password|adminPass|secret|user_data|private_key|auth_key)\\*["']:\s*)"""
        rb"""(?P<quote>\\*["']).*?(?:(?<!\\)(?P=quote)|$)""",
        re.M,
    ),
    # Token headers a client forgot to mask.
    re.compile(
        rb"""(?P<key>["'](?:X-(?:Auth|Subject|Service)-Token|Authorization)["']:\s*)(?P<quote>["'])(?!<omitted>).*?(?:(?P=quote)|$)""",
        re.I | re.M,
    ),
)


_Test = tuple[str | None, str | None]
"""Test id and route code."""


@dataclass
class _Attachment:
    """The pieces of an attachment so far, and the other fields of their events."""

    content: bytearray = field(default_factory=bytearray)
    event: dict[str, Any] = field(default_factory=dict)

    def add(self, piece: bytes, event: Mapping[str, Any]) -> None:
        self.content.extend(piece)
        self.event.update({key: value for key, value in event.items() if value is not None})


class Redactor(testtools.StreamResult):
    """Passes events on with the secrets in their attachments hidden.

    A secret may be divided between the pieces of an attachment, so pieces are kept until it is
    complete.
    It then passes on with its route code, time and tags: readers of subunit identify a test by its
    ID and route code, and take an attachment with another one for a test that never ended.

    :param secrets: texts to hide, besides everything that looks like a token or a password
    """

    def __init__(self, target: testtools.StreamResult, secrets: Iterable[str] = ()) -> None:
        """Pass events on to ``target``."""
        super().__init__()
        self._target = target
        self._secrets = tuple(secrets)
        self._held: defaultdict[_Test, dict[str, _Attachment]] = defaultdict(dict)

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        **event: Any,
    ) -> None:
        """Pass an event on; an attachment passes when it is complete."""
        test, is_whole = (test_id, event.get("route_code")), event.pop("eof", False)
        if file_name is not None:
            held = self._held[test]
            held.setdefault(file_name, _Attachment()).add(file_bytes or b"", event)
            if is_whole:
                self._release(test_id, file_name, held.pop(file_name))
            if test_status is None:
                return
        if test_status not in INTERIM:
            for name, attachment in self._held.pop(test, {}).items():
                self._release(test_id, name, attachment)
        event.pop("mime_type", None)
        self._target.status(test_id=test_id, test_status=test_status, **event)

    def _release(self, test_id: str | None, file_name: str, attachment: _Attachment) -> None:
        content = hide(bytes(attachment.content), self._secrets)
        for start in range(0, len(content) or 1, _PACKET_BYTES):
            piece = content[start : start + _PACKET_BYTES]
            self._target.status(
                test_id=test_id,
                file_name=file_name,
                file_bytes=piece,
                eof=start + _PACKET_BYTES >= len(content),
                **attachment.event,
            )


def hide(content: bytes, secrets: Iterable[str] = ()) -> bytes:
    """Return ``content`` with ``secrets``, tokens and passwords replaced."""
    for secret in secrets:
        for form in _forms(secret):
            content = content.replace(form, HIDDEN.encode())
    for pattern in _PATTERNS:
        content = pattern.sub(_replacement, content)
    return content


def _forms(secret: str) -> set[bytes]:
    """Return a secret as it is written in a text, in JSON, and in the ``repr`` of either."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    printed = {repr(text)[1:-1] for text in texts} | {ascii(text)[1:-1] for text in texts}
    printed |= {repr(text.encode())[2:-1] for text in texts}
    return {text.encode() for text in texts | printed}


def _replacement(match: re.Match[bytes]) -> bytes:
    parts = match.groupdict()
    quote = parts.get("quote", b"")
    return parts.get("key", b"") + quote + HIDDEN.encode() + quote
