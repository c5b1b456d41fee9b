"""The shipped guidelines as the server shows them; each file is read once."""

import functools
import re
from collections.abc import Mapping

from capabilities import catalogue, diff
from capabilities import history as histories
from capabilities import programme as programmes
from capabilities.diff import Change
from capabilities.errors import UnknownNameError
from capabilities.guideline import Guideline
from capabilities.history import Entry
from refstack_server.store.errors import NotFoundError

_MONTH = re.compile(r"\d{4}\.\d{2}$")
_CACHED = 64
"""The number of histories and of differences in memory."""


@functools.cache
def newest_first() -> list[str]:
    """Return the ids of the shipped guidelines, the newest first, lists without a date last.

    Of the same date, a base guideline is before the add-ons.
    """
    return sorted(catalogue.shipped(), key=_month, reverse=True)


def _month(guideline_id: str) -> str:
    found = _MONTH.search(guideline_id)
    return found[0] if found else ""


@functools.cache
def programme_keys() -> list[str]:
    """Return the keys of the programmes of all shipped guidelines."""
    return sorted(
        {
            programme.key
            for guideline_id in newest_first()
            for programme in programmes.programmes(guideline(guideline_id))
        }
    )


@functools.cache
def guideline(guideline_id: str) -> Guideline:
    """Return a shipped guideline; the id is never used as a path.

    :raises NotFoundError: there is no such guideline
    """
    if guideline_id not in catalogue.shipped():
        raise NotFoundError(f"Guideline {guideline_id} not found")
    return catalogue.load(guideline_id)[0]


@functools.lru_cache(_CACHED)
def changes(before: str, after: str) -> Mapping[str, tuple[Change, ...]]:
    """Return the changes of each programme that two shipped guidelines have, by its key.

    :raises NotFoundError: one of them does not exist
    """
    return diff.between_guidelines(guideline(before), guideline(after))


@functools.lru_cache(_CACHED)
def history(capability_id: str) -> tuple[Entry, ...]:
    """Return a capability in each shipped guideline that has it, the newest first.

    :raises NotFoundError: no shipped guideline has the capability
    """
    try:
        return histories.of(capability_id, map(guideline, newest_first()))
    except UnknownNameError as error:
        raise NotFoundError(f"Capability {capability_id} not found") from error
