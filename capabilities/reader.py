"""Read a published guideline file into the model.

Readers tolerate what real files get wrong and report it as findings; a file nobody could read is a
:class:`GuidelineError` with the position of the fault.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from capabilities import schema1
from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity
from capabilities.guideline import (
    Capability,
    Component,
    Flag,
    Guideline,
    Platform,
    Status,
    Test,
)

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

# Spellings of one key seen in published files, the right one first.
_SPELLINGS = {
    "achievements": ("achievements", "acheivements"),
    "description": ("description", "descriptin", "Description"),
    "required_since": ("required_since", "required-since"),
    # The schema says "flag"; every published file says "flagged".
    "flagged": ("flagged", "flag"),
}


def read(path: Path) -> tuple[Guideline, tuple[Finding, ...]]:
    """Read the guideline in ``path``, of any schema from 1.0 to 2.0, add-ons included.

    :raises GuidelineError: the file is absent, is not JSON, or is no guideline
    """
    return parse(content(path), str(path))


def content(path: Path) -> bytes:
    """Return the bytes of a guideline file.

    :raises GuidelineError: it cannot be read
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise GuidelineError(
            f"{path}: {error.strerror}", hint="give the id of a guideline or the path of its file"
        ) from error


def parse(content: bytes, source: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Read a guideline from the bytes of its file; ``source`` names it in messages."""
    reading = _Reading(source)
    published = reading.json(content)
    document = _in_shape_of_2_0(published, reading)
    guideline = reading.guideline(document, hashlib.sha256(content).hexdigest())
    return guideline, tuple(reading.findings)


def _in_shape_of_2_0(published: dict[str, Any], reading: "_Reading") -> dict[str, Any]:
    metadata = reading.mapping(published, "", "metadata")
    schema = str(metadata.get("schema") or published.get("schema") or "")
    if schema.startswith("2."):
        return published
    if schema.startswith("1."):
        document = schema1.convert(published, reading.report)
        reading.original_pointer = lambda pointer: schema1.original_pointer(pointer, published)
        return document
    raise GuidelineError(
        f"{reading.source}: {f'schema {schema}' if schema else 'no schema version'}, but 1.0 to 2.0 "
        "are what can be read",
        hint="a guideline names its schema in /metadata/schema or, before 2018, in /schema",
    )


class _Reading:
    """One file being read: where it came from and what was found in it."""

    def __init__(self, source: str):
        self.source = source
        self.findings: list[Finding] = []
        self.original_pointer: Callable[[str], str] = lambda pointer: pointer

    # -- JSON and shapes ------------------------------------------------------------------------

    def json(self, content: bytes) -> dict[str, Any]:
        try:
            document = json.loads(content, object_pairs_hook=self._unique)
        except UnicodeDecodeError as error:
            raise GuidelineError(
                f"{self.source}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8"
            ) from error
        except json.JSONDecodeError as error:
            raise GuidelineError(
                f"{self.source}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}",
                hint="correct the file at that line and column",
            ) from error
        if not isinstance(document, dict):
            raise GuidelineError(f"{self.source}: a guideline is a JSON object, this is not")
        return document

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in pairs:
            if key in result:
                raise GuidelineError(
                    f'{self.source}: the key "{key}" stands twice in one object',
                    hint="remove one of the two: a JSON reader would keep either",
                )
            result[key] = value
        return result

    def mapping(self, parent: Mapping[str, Any], pointer: str, key: str) -> dict[str, Any]:
        return self._shaped(parent, pointer, key, dict, "an object")

    def listing(self, parent: Mapping[str, Any], pointer: str, key: str) -> list[Any]:
        return self._shaped(parent, pointer, key, list, "a list")

    def _shaped(self, parent, pointer, key, kind, noun):
        value = parent.get(key)
        if value is None:
            return kind()
        if not isinstance(value, kind):
            raise GuidelineError(f"{self.source}: {_join(pointer, key)}: expected {noun}")
        return value

    def spelled(self, parent: Mapping[str, Any], pointer: str, key: str, default: Any) -> Any:
        """Return the value of ``key`` under any spelling of it, reporting the wrong ones."""
        right, *wrong = _SPELLINGS[key]
        for spelling in wrong:
            if spelling in parent:
                self.report(
                    "misspelt-key",
                    Severity.WARNING,
                    _join(pointer, spelling),
                    f'"{spelling}" is read as "{right}"',
                )
                return parent.get(right, parent[spelling])
        return parent.get(right, default)

    def report(self, code: str, severity: Severity, pointer: str, message: str) -> None:
        where = self.original_pointer(pointer)
        self.findings.append(Finding(code, severity, where, message))

    # -- the guideline --------------------------------------------------------------------------

    def guideline(self, document, digest: str) -> Guideline:
        metadata = self.mapping(document, "", "metadata")
        approval = self.mapping(metadata, "/metadata", "os_trademark_approval")
        capabilities = {
            key: self.capability(document, key)
            for key in self.mapping(document, "", "capabilities")
        }
        components = {
            key: self.component(document, key, capabilities)
            for key in self.mapping(document, "", "components")
        }
        if not capabilities or not components:
            raise GuidelineError(
                f"{self.source}: no capabilities and components",
                hint="is this a guideline? worksheets and schemas cannot stand for one",
            )
        return Guideline(
            id=str(metadata.get("id", "")),
            schema=str(metadata["schema"]),
            status=str(approval.get("status", "")),
            releases=tuple(map(str, approval.get("releases") or ())),
            platforms=tuple(
                self.platform(document, kind, name, components)
                for kind in ("platforms", "add-ons")
                for name in self.mapping(document, "", kind)
            ),
            components=components,
            capabilities=capabilities,
            digest=digest,
        )

    def platform(
        self, document, kind: str, name: str, components: Mapping[str, Component]
    ) -> Platform:
        pointer = _join(f"/{kind}", name)
        raw = self.mapping(document[kind], f"/{kind}", name)
        wanted = []
        for index, entry in enumerate(self.listing(raw, pointer, "components")):
            source = entry.get("source") if isinstance(entry, dict) else None
            component = str(entry.get("name")) if isinstance(entry, dict) else str(entry)
            if component not in components and source:
                self.report(
                    "component-elsewhere",
                    Severity.NOTE,
                    f"{pointer}/components/{index}",
                    f"{component} is taken from {source}, which is not read here",
                )
            elif component not in components:
                raise GuidelineError(
                    f"{self.source}: {pointer}/components/{index}: "
                    f"the component {component} is not defined"
                )
            else:
                wanted.append(component)
        required = self.listing(raw, pointer, "required_platform_components")
        return Platform(
            name=name,
            description=str(raw.get("description", "")),
            components=tuple(wanted),
            requires=tuple(
                (str(entry.get("name", "")), str(entry.get("source", ""))) for entry in required
            ),
        )

    def component(self, document, key: str, capabilities: Mapping[str, Capability]) -> Component:
        pointer = _join("/components", key)
        raw = self.mapping(document["components"], "/components", key)
        listed = self.mapping(raw, pointer, "capabilities")
        for status in set(listed) - set(Status):
            self.report(
                "unknown-status",
                Severity.WARNING,
                f"{pointer}/capabilities/{status}",
                f'"{status}" is no status of a capability',
            )
        by_status = {}
        for status in Status:
            ids = tuple(map(str, self.listing(listed, f"{pointer}/capabilities", status)))
            for index, capability in enumerate(ids):
                if capability not in capabilities:
                    removed = status is Status.REMOVED
                    self.report(
                        "undefined-capability",
                        Severity.NOTE if removed else Severity.ERROR,
                        f"{pointer}/capabilities/{status}/{index}",
                        f"{capability} is listed as {status} but not defined",
                    )
            by_status[status] = tuple(each for each in ids if each in capabilities)
        sections = self.mapping(raw, pointer, "designated_sections")
        return Component(
            id=key,
            capabilities=by_status,
            designated_sections={
                status: tuple(map(str, sections.get(status) or ())) for status in Status
            },
        )

    def capability(self, document, key: str) -> Capability:
        pointer = _join("/capabilities", key)
        raw = self.mapping(document["capabilities"], "/capabilities", key)
        tests = self.mapping(raw, pointer, "tests")
        return Capability(
            id=key,
            description=str(self.spelled(raw, pointer, "description", "")),
            project=str(raw.get("project", "")),
            admin=bool(raw.get("admin", False)),
            achievements=tuple(self.spelled(raw, pointer, "achievements", ())),
            required_since=str(self.spelled(raw, pointer, "required_since", "")),
            tests=tuple(self.test(tests, f"{pointer}/tests", name) for name in tests),
        )

    def test(self, tests: Mapping[str, Any], parent: str, name: str) -> Test:
        pointer = _join(parent, name)
        raw = self.mapping(tests, parent, name)
        flag = self.spelled(raw, pointer, "flagged", None)
        return Test(
            name=name,
            idempotent_id=self.idempotent_id(raw.get("idempotent_id"), pointer),
            aliases=tuple(map(str, self.listing(raw, pointer, "aliases"))),
            flag=Flag(*(str(flag.get(key, "")) for key in ("reason", "action", "date")))
            if isinstance(flag, dict)
            else Flag(str(flag))
            if flag
            else None,
        )

    def idempotent_id(self, value: Any, pointer: str) -> str | None:
        text = str(value or "").strip().lower()
        where = f"{pointer}/idempotent_id"
        if re.fullmatch(f"id-{_UUID}", text):
            return text
        if re.fullmatch(_UUID, text):
            self.report("bare-uuid", Severity.NOTE, where, f"{text} is read as id-{text}")
            return f"id-{text}"
        self.report(
            "no-idempotent-id",
            Severity.WARNING,
            where,
            f'"{text}" is no id; the test is matched by its name' if text else "no id",
        )
        return None


def _join(pointer: str, key: str) -> str:
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
