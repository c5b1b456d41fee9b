"""Guidelines by id, by path or by URL."""

import functools
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from capabilities import catalogue, reader
from capabilities.finding import Finding
from capabilities.guideline import Guideline
from refstack_client.errors import InputError

SECONDS_TO_FETCH = 30


def content(name: str, *, verify: bool = True) -> bytes:
    """Return the file of a guideline: a shipped one by id, a path, or an http(s) URL.

    :param verify: False accepts any certificate of the server
    :raises GuidelineError: as for :func:`capabilities.catalogue.content`
    :raises InputError: the URL could not be fetched
    """
    return _fetch(name, verify) if is_url(name) else catalogue.content(name)


def load(name: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Return a guideline and the findings about it; errors as for :func:`content`."""
    if is_url(name):
        return reader.parse(_fetch(name), PurePosixPath(urlsplit(name).path).name or name)
    return catalogue.load(name)


def is_url(name: str) -> bool:
    """Return whether a guideline is named by its URL."""
    return name.startswith(("http://", "https://"))


@functools.cache
def _fetch(url: str, verify: bool = True) -> bytes:
    # Their import takes a tenth of a second.
    import requests  # noqa: PLC0415

    from refstack_client.bounded_http import BoundedAdapter  # noqa: PLC0415

    try:
        with requests.Session() as session:
            session.mount("http://", BoundedAdapter(SECONDS_TO_FETCH))
            session.mount("https://", BoundedAdapter(SECONDS_TO_FETCH))
            response = session.get(url, timeout=SECONDS_TO_FETCH, verify=verify)
        response.raise_for_status()
    except requests.RequestException as error:
        raise InputError(
            f"{url} could not be fetched: {error}",
            hint="download the file and give its path instead",
        ) from error
    return response.content
