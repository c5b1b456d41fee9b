"""The TLS certificate of a server."""

import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from refstack_client.cloud.access import SECONDS_TO_CONNECT


def days_valid(host: str, port: int, authority: str | bool) -> int:
    """Return for how many more days the certificate of a server is valid.

    :param authority: path of the file with the certificate authorities; True for those of the
        system
    :raises OSError: the server does not respond, or its certificate is not valid
    """
    context = ssl.create_default_context(cafile=authority if isinstance(authority, str) else None)
    with (
        socket.create_connection((host, port), timeout=SECONDS_TO_CONNECT) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate: Mapping[str, Any] = secured.getpeercert() or {}
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    return (ends - datetime.now(UTC)).days
