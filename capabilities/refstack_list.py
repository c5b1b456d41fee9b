"""Lists of tests as RefStack's servers export them: ``/v1/guidelines/NAME/tests?target=…``."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from capabilities import programme
from capabilities.guideline import Guideline, Status

PROGRAMMES = {"object": "storage"}
"""Programmes by RefStack v1's names, where they differ from the guidelines' names."""

_PATH = re.compile(r"/v1/guidelines/([\w.-]+)/tests")
_JSON = ".json"
_TRUE = ("true", "yes", "1")


def lines(guideline: Guideline, query: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tests of a programme, sorted, as ``name[id-…]``, once for each capability.

    :param query: ``target`` is the programme (default: platform or the only one), ``type`` statuses
        of capabilities separated by commas (default: all), ``alias`` and ``flag`` whether other
        names and flagged tests are listed (default: true)
    :raises UnknownNameError: the guideline has no such programme
    :raises ValueError: there is no such status
    """
    target = query.get("target", "")
    chosen = (
        programme.find(guideline, PROGRAMMES.get(target, target))
        if target
        else programme.default(guideline, "platform")
    )
    names = query.get("type", "")
    statuses = [Status(name.strip()) for name in names.split(",")] if names else tuple(Status)
    with_flagged, with_aliases = _is_true(query.get("flag", "")), _is_true(query.get("alias", ""))
    tests = (
        test
        for status in statuses
        for capability in chosen.capabilities(status)
        for test in capability.tests
        if test.flag is None or with_flagged
    )
    return tuple(
        sorted(
            f"{name}[{test.idempotent_id}]" if test.idempotent_id else name
            for test in tests
            for name in dict.fromkeys(test.names if with_aliases else (test.name,))
        )
    )


def of_url(url: str) -> tuple[str, Mapping[str, str]] | None:
    """Return the id of the guideline and the query of the URL of such a list; None for another."""
    parts = urlsplit(url)
    found = _PATH.search(parts.path)
    if found is None:
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return found[1].removesuffix(_JSON), query


def _is_true(text: str) -> bool:
    return not text or text.lower() in _TRUE
