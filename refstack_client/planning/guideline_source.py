"""Guidelines by id, by file or by address."""

import functools
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from capabilities import catalogue, reader
from capabilities.finding import Finding
from capabilities.guideline import Guideline
from refstack_client.errors import InputError

SECONDS_TO_FETCH = 30


def content(name: str) -> bytes:
    """Return the file of a guideline: a shipped one, a path, or an http(s) address.

    :raises GuidelineError: as for :func:`capabilities.catalogue.content`
    :raises InputError: what the address names could not be fetched
    """
    return _fetch(name) if _is_address(name) else catalogue.content(name)


def load(name: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Return a guideline and what is odd about it; errors as for :func:`content`."""
    if _is_address(name):
        return reader.parse(_fetch(name), PurePosixPath(urlsplit(name).path).name or name)
    return catalogue.load(name)


def _is_address(name: str) -> bool:
    return name.startswith(("http://", "https://"))


@functools.cache
def _fetch(address: str) -> bytes:
    import requests  # noqa: PLC0415 - only this needs it, and it takes a tenth of a second

    try:
        response = requests.get(address, timeout=SECONDS_TO_FETCH)
        response.raise_for_status()
    except requests.RequestException as error:
        raise InputError(
            f"{address} could not be fetched: {error}",
            hint="download the file and give its path instead",
        ) from error
    return response.content
