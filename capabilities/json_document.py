"""A JSON file being read: its shapes are checked, what is odd is reported, errors say where."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity

# Spellings of one key seen in published files, the right one first.
_SPELLINGS = {
    "achievements": ("achievements", "acheivements"),
    "description": ("description", "descriptin", "Description"),
    "required_since": ("required_since", "required-since"),
    # The schema says "flag"; every published file says "flagged".
    "flagged": ("flagged", "flag"),
}


class _Doubled(dict):
    """An object in which ``key`` stands twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    doubled.key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    return doubled


class JsonDocument:
    """One file being read: where it came from and what was found in it."""

    def __init__(self, source: str):
        self.source = source
        self.findings: list[Finding] = []
        self.original_pointer: Callable[[str], str] = lambda pointer: pointer

    # -- JSON and shapes ------------------------------------------------------------------------

    def text(self, content: bytes) -> str:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise GuidelineError(
                f"{self.source}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8"
            ) from error

    def json(self, content: bytes) -> dict[str, Any]:
        try:
            document = json.loads(self.text(content), object_pairs_hook=_object)
            self._refuse_doubles(document, "")
        except RecursionError as error:
            raise GuidelineError(f"{self.source}: nested too deeply to be a guideline") from error
        except json.JSONDecodeError as error:
            raise GuidelineError(
                f"{self.source}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}",
                hint="correct the file at that line and column",
            ) from error
        if not isinstance(document, dict):
            raise GuidelineError(f"{self.source}: not a JSON object")
        return document

    def _refuse_doubles(self, value: Any, pointer: str) -> None:
        if isinstance(value, _Doubled):
            raise GuidelineError(
                f'{self.source}: {join(pointer, value.key)}: the key "{value.key}" stands twice',
                hint="remove one of the two: a JSON reader would keep either",
            )
        pairs = value.items() if isinstance(value, dict) else ()
        for key, inner in pairs:
            self._refuse_doubles(inner, join(pointer, key))
        for index, inner in enumerate(value if isinstance(value, list) else ()):
            self._refuse_doubles(inner, f"{pointer}/{index}")

    def mapping(self, parent: Mapping[str, Any], pointer: str, key: str) -> dict[str, Any]:
        return self._shaped(parent, pointer, key, dict, "an object")

    def listing(self, parent: Mapping[str, Any], pointer: str, key: str) -> list[Any]:
        return self._shaped(parent, pointer, key, list, "a list")

    def _shaped(self, parent, pointer, key, kind, noun):
        value = parent.get(key)
        if value is None:
            return kind()
        if not isinstance(value, kind):
            raise GuidelineError(f"{self.source}: {join(pointer, key)}: expected {noun}")
        return value

    def spelled(self, parent: Mapping[str, Any], pointer: str, key: str, default: Any) -> Any:
        """Return the value of ``key`` under any spelling of it, reporting the wrong ones."""
        right, *wrong = _SPELLINGS[key]
        for spelling in wrong:
            if spelling in parent:
                self.report(
                    "misspelt-key",
                    Severity.WARNING,
                    join(pointer, spelling),
                    f'"{spelling}" is read as "{right}"',
                )
                return parent.get(right, parent[spelling])
        return parent.get(right, default)

    def report(self, code: str, severity: Severity, pointer: str, message: str) -> None:
        where = self.original_pointer(pointer)
        self.findings.append(Finding(code, severity, where, message))

    def number(self, parent: Mapping[str, Any], pointer: str, key: str) -> int | None:
        """Return a whole number; one written as a text is read and reported."""
        value = parent.get(key)
        if isinstance(value, str) and value.strip().lstrip("-").isdigit():
            where = join(pointer, key)
            self.report(
                "text-for-number", Severity.WARNING, where, f'"{value}" is read as a number'
            )
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise GuidelineError(f"{self.source}: {join(pointer, key)}: expected a whole number")

    def strings(self, parent: Mapping[str, Any], pointer: str, key: str) -> list[str]:
        """Return a list of texts; other scalars in it are read as texts and reported."""
        found = []
        for index, value in enumerate(self.listing(parent, pointer, key)):
            where = f"{join(pointer, key)}/{index}"
            if isinstance(value, dict | list) or value is None:
                raise GuidelineError(f"{self.source}: {where}: expected a text")
            if not isinstance(value, str):
                self.report("not-a-text", Severity.WARNING, where, f"{value} is read as a text")
            found.append(str(value))
        return found


def join(pointer: str, key: str) -> str:
    """Return the JSON pointer (RFC 6901) of ``key`` in what ``pointer`` names."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
