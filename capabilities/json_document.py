"""A JSON file that is being read: shapes are checked, oddities reported, errors have a position."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Any value of a JSON document."""
JsonObject: TypeAlias = dict[str, Json]

_Container = TypeVar("_Container", JsonObject, list[Json])

# Spellings of one key in published files, the correct one first.
_SPELLINGS = {
    "achievements": ("achievements", "acheivements"),
    "description": ("description", "descriptin", "Description"),
    "required_since": ("required_since", "required-since"),
    # The schema has "flag"; every published file has "flagged".
    "flagged": ("flagged", "flag"),
}


class _DuplicateKey(dict[str, Json]):
    """An object that has ``key`` more than once."""

    key = ""


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    duplicate = _DuplicateKey(found)
    duplicate.key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    return duplicate


class JsonDocument:
    """A file that is being read: its name for messages, and the findings so far."""

    def __init__(self, source: str):
        """Start without findings; ``source`` names the file in messages."""
        self.source = source
        self.findings: list[Finding] = []
        self.original_pointer: Callable[[str], str] = lambda pointer: pointer

    def text(self, content: bytes) -> str:
        """Return ``content`` as text, without a byte order mark.

        :raises GuidelineError: it is not UTF-8
        """
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise GuidelineError(
                f"{self.source}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8"
            ) from error

    def json(self, content: bytes) -> JsonObject:
        """Return ``content`` as a JSON object.

        :raises GuidelineError: it is not valid JSON, not an object, nested too deeply, or has a
            key twice
        """
        try:
            document = json.loads(self.text(content), object_pairs_hook=_object)
            self._refuse_duplicate_keys(document, "")
        except RecursionError as error:
            raise GuidelineError(f"{self.source}: nested too deeply to be a guideline") from error
        except json.JSONDecodeError as error:
            raise GuidelineError(
                f"{self.source}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}",
                hint="correct the file at that line and column",
            ) from error
        except ValueError as error:  # a number of thousands of digits
            raise GuidelineError(f"{self.source}: not valid JSON: {error}") from error
        if not isinstance(document, dict):
            raise GuidelineError(f"{self.source}: not a JSON object")
        return document

    def _refuse_duplicate_keys(self, value: Json, pointer: str) -> None:
        if isinstance(value, _DuplicateKey):
            raise GuidelineError(
                f'{self.source}: {join(pointer, value.key)}: duplicate key "{value.key}"',
                hint="remove one of the two: JSON readers differ in which one they use",
            )
        if isinstance(value, dict):
            for key, inner in value.items():
                self._refuse_duplicate_keys(inner, join(pointer, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._refuse_duplicate_keys(inner, f"{pointer}/{index}")

    def mapping(self, parent: Mapping[str, Json], pointer: str, key: str) -> JsonObject:
        """Return the object at ``key``, empty where there is none.

        :param pointer: JSON pointer of ``parent``
        :raises GuidelineError: another type is there
        """
        return self._typed(parent, pointer, key, dict, "an object")

    def listing(self, parent: Mapping[str, Json], pointer: str, key: str) -> list[Json]:
        """Return the list at ``key``, empty where there is none.

        :param pointer: JSON pointer of ``parent``
        :raises GuidelineError: another type is there
        """
        return self._typed(parent, pointer, key, list, "a list")

    def _typed(
        self,
        parent: Mapping[str, Json],
        pointer: str,
        key: str,
        kind: Callable[[], _Container],
        noun: str,
    ) -> _Container:
        value = parent.get(key)
        empty = kind()
        if value is None:
            return empty
        if not isinstance(value, type(empty)):
            raise GuidelineError(f"{self.source}: {join(pointer, key)}: expected {noun}")
        return value

    def spelled(self, parent: Mapping[str, Json], pointer: str, key: str) -> Json:
        """Return the value of ``key`` under any known spelling, and report a wrong spelling.

        None where there is none.
        """
        correct, *wrong = _SPELLINGS[key]
        for spelling in wrong:
            if spelling in parent:
                self.report(
                    "misspelt-key",
                    Severity.WARNING,
                    join(pointer, spelling),
                    f'"{spelling}" is read as "{correct}"',
                )
                return parent.get(correct, parent[spelling])
        return parent.get(correct)

    def report(self, code: str, severity: Severity, pointer: str, message: str) -> None:
        """Add a finding; ``pointer`` is turned into one of the file as it was published."""
        where = self.original_pointer(pointer)
        self.findings.append(Finding(code, severity, where, message))

    def number(self, parent: Mapping[str, Json], pointer: str, key: str) -> int | None:
        """Return a whole number, None where there is none; report one written as a string.

        :raises GuidelineError: it is not a whole number
        """
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

    def strings(self, parent: Mapping[str, Json], pointer: str, key: str) -> list[str]:
        """Return a list of strings; report other scalars in it, which are read as strings.

        :raises GuidelineError: it is not a list, or has lists, objects or null in it
        """
        found = []
        for index, value in enumerate(self.listing(parent, pointer, key)):
            where = f"{join(pointer, key)}/{index}"
            if isinstance(value, dict | list) or value is None:
                raise GuidelineError(f"{self.source}: {where}: expected a string")
            if not isinstance(value, str):
                self.report("not-a-text", Severity.WARNING, where, f"{value} is read as a string")
            found.append(str(value))
        return found


def join(pointer: str, key: str) -> str:
    """Return the JSON pointer (RFC 6901) of ``key`` in the object at ``pointer``."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
