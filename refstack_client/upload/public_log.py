"""The public log of a collector over HTTP, and in an export of its pages."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refstack_client.errors import CloudError, InputError
from refstack_client.upload import checkpoint, http
from refstack_client.upload.checkpoint import Checkpoint, VerifierKey
from refstack_client.upload.http import Call, Notify, Server

CHECKPOINT, KEY, ENTRIES = "checkpoint", "log.key", "log.json"
"""The files of an export."""


def key(server: Server, notify: Notify) -> VerifierKey:
    """Return the key that the server states.

    :raises CloudError: the server cannot be reached
    :raises InputError: its response is not a key
    """
    return checkpoint.verifier_key(_text(server, "/v2/log/key", {}, notify))


def newest(server: Server, witnesses: int, notify: Notify) -> Checkpoint:
    """Return the newest checkpoint that so many witnesses signed; errors as :func:`key`."""
    parameters = {"witnesses": str(witnesses)} if witnesses else {}
    return checkpoint.parse(_text(server, "/v2/log/checkpoint", parameters, notify))


def consistency_proof(server: Server, first: int, second: int, notify: Notify) -> Sequence[bytes]:
    """Return the proof that the log of a size begins with an earlier one; errors as :func:`key`."""
    parameters = {"first": str(first), "second": str(second)}
    text = _text(server, "/v2/log/proofs/consistency", parameters, notify)
    try:
        return [base64.b64decode(found, validate=True) for found in json.loads(text)["hashes"]]
    except (binascii.Error, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CloudError(
            f"unexpected response from {server.url}: it is not a proof",
            hint="check that the URL is that of a collector",
        ) from error


def _text(server: Server, path: str, parameters: Mapping[str, str], notify: Notify) -> str:
    response = http.request(server, Call("GET", path, params=parameters), notify)
    if not response.ok:
        raise InputError(
            f"{server.url} refused GET {path}: {http.reason(response)}",
            hint="check that the URL is that of a collector",
        )
    return response.content[: checkpoint.LONGEST].decode(errors="replace")


def exported(directory: Path) -> tuple[Checkpoint, list[str]]:
    """Return the checkpoint of an export, and the texts of all entries.

    :raises InputError: it is not an export with a log
    """
    try:
        found = checkpoint.parse((directory / CHECKPOINT).read_text(encoding="utf-8"))
        entries: Any = json.loads((directory / ENTRIES).read_text(encoding="utf-8"))
        return found, [str(entry["text"]) for entry in entries]
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{directory} is not an export with a log: {error}",
            hint="name a directory that server export wrote",
        ) from error
