"""A value of a JSON document that knows its place, so that an error names file and pointer."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from capabilities.json_document import join
from refstack_client.errors import InputError

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
JsonObject = dict[str, object]
"""A JSON object that is to be written."""


@dataclass(frozen=True)
class JsonValue:
    """A value, the file it was read from and its JSON pointer (RFC 6901) in that file.

    Every reader raises :class:`InputError` where the value has another type.
    """

    value: object
    source: str
    pointer: str = ""

    @classmethod
    def parse(cls, content: bytes | str, source: str) -> "JsonValue":
        """Return the whole document in ``content``.

        :param source: name of the file, for messages
        :raises InputError: it is not JSON in UTF-8, or a member of an object occurs twice
        """
        try:
            return cls(loads(content), source)
        except RecursionError as error:
            raise InputError(f"{source}: the JSON is nested too deeply") from error
        except ValueError as error:
            raise InputError(f"{source}: not valid JSON: {error}") from error

    def error(self, message: str) -> InputError:
        """Return the error that ``message`` describes, with file and pointer before it."""
        where = f"{self.source}: {self.pointer}" if self.pointer else self.source
        return InputError(f"{where}: {message}")

    def has(self, key: str) -> bool:
        """Return whether this object has a member ``key`` that is not null."""
        return self.object().get(key) is not None

    def member(self, key: str) -> "JsonValue":
        """Return the member ``key`` of this object."""
        found = self.object()
        if key not in found:
            raise self.error(f'"{key}" is missing')
        return JsonValue(found[key], self.source, join(self.pointer, key))

    def optional(self, key: str, read: Callable[["JsonValue"], T], default: T) -> T:
        """Return ``read`` of the member ``key``, or ``default`` where it is absent or null."""
        return read(self.member(key)) if self.has(key) else default

    def members(self) -> Iterator[tuple[str, "JsonValue"]]:
        """Yield name and value of each member of this object."""
        for key, value in self.object().items():
            yield key, JsonValue(value, self.source, join(self.pointer, key))

    def items(self) -> Iterator["JsonValue"]:
        """Yield the items of this list."""
        if not isinstance(self.value, list):
            raise self.error("must be a list")
        for index, item in enumerate(self.value):
            yield JsonValue(item, self.source, f"{self.pointer}/{index}")

    def text(self) -> str:
        """Return this string."""
        if not isinstance(self.value, str):
            raise self.error("must be a string")
        return self.value

    def text_or_none(self) -> str | None:
        """Return this string, or None for null."""
        return None if self.value is None else self.text()

    def choice(self, kind: type[E]) -> E:
        """Return the member of ``kind`` that this string names."""
        try:
            return kind(self.text())
        except ValueError as error:
            raise self.error(f"must be one of {', '.join(kind)}") from error

    def number(self) -> int:
        """Return this whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.error("must be a whole number")
        return self.value

    def natural(self) -> int:
        """Return this whole number of 0 or more."""
        if self.number() < 0:
            raise self.error("must be 0 or more")
        return self.number()

    def decimal(self) -> float:
        """Return this number."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.error("must be a number")
        return float(self.value)

    def boolean(self) -> bool:
        """Return this boolean."""
        if not isinstance(self.value, bool):
            raise self.error("must be true or false")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Return this list of strings."""
        return tuple(item.text() for item in self.items())

    def text_by_name(self) -> dict[str, str]:
        """Return this object, whose members are all strings."""
        return {name: value.text() for name, value in self.members()}

    def object(self) -> Mapping[str, object]:
        """Return this object as it was read."""
        if not isinstance(self.value, dict):
            raise self.error("must be an object")
        return self.value


def loads(content: bytes | str) -> object:
    """Return what is in a JSON document.

    :raises ValueError: it is not JSON; a member of an object occurs twice, of which readers take
        either; or a text has half of a surrogate pair, which no file and no database takes
    :raises RecursionError: it is nested too deeply
    """
    if isinstance(content, bytes):
        content = content.decode(json.detect_encoding(content))
    found = json.loads(content, object_pairs_hook=_unique)
    if _SURROGATE.search(content):
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _unique(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member occurs twice in an object")
    return found
