"""Read a published guideline file into the model.

Readers accept common errors in published files and report them as findings. A file that cannot be
read is a :class:`GuidelineError` with the position of the fault.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

from capabilities import file_content, flat_list, schema_1x
from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test
from capabilities.json_document import Json, JsonDocument, JsonObject, join

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DATED = re.compile(r"(?:[a-z-]+\.)?\d{4}\.\d{2}")


def read(path: Path) -> tuple[Guideline, tuple[Finding, ...]]:
    """Read the guideline in the file ``path``, of any schema from 1.0 to 2.0, add-ons included.

    :raises GuidelineError: the file cannot be read, is not valid JSON, or is not a guideline
    """
    guideline, findings = parse(content(path), str(path))
    return replace(guideline, file=path), findings


def content(path: Path) -> bytes:
    """Return the bytes of a guideline file.

    :raises GuidelineError: it cannot be read
    """
    try:
        return file_content.read(path)
    except OSError as error:
        raise GuidelineError(
            f"{path}: {error.strerror}", hint="give the id of a guideline or the path of its file"
        ) from error


def parse(content: bytes, source: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Read a guideline from the bytes of its file.

    :param source: name of the file, for messages; one that ends in .json is never read as a list
    :raises GuidelineError: as for :func:`read`
    """
    reading = _GuidelineDocument(source)
    if not source.endswith(".json") and content.lstrip()[:1] not in (b"{", b"["):
        return flat_list.parse(reading.text(content), Path(source).stem, source)
    published = reading.json(content)
    document = _in_shape_of_2_0(published, reading)
    guideline = reading.guideline(document, hashlib.sha256(content).hexdigest())
    return guideline, tuple(reading.findings)


def document(content: bytes, source: str) -> JsonObject:
    """Return a guideline file as a document of schema 2.0, all of it and in its order.

    :raises GuidelineError: as for :func:`read`, and for a list of tests
    """
    guideline, _ = parse(content, source)  # a file that cannot be read is not converted either
    if guideline.schema == flat_list.SCHEMA:
        raise GuidelineError(
            f"{source}: a list of tests has no capabilities to convert",
            hint="use the list itself wherever a command takes a guideline",
        )
    reading = JsonDocument(source)
    return _in_shape_of_2_0(reading.json(content), reading)


def _in_shape_of_2_0(published: JsonObject, reading: JsonDocument) -> JsonObject:
    metadata = reading.mapping(published, "", "metadata")
    schema = str(metadata.get("schema") or published.get("schema") or "")
    if schema.startswith("2."):
        return published
    if schema.startswith("1."):
        document = schema_1x.convert(published, reading)
        reading.original_pointer = lambda pointer: schema_1x.original_pointer(pointer, published)
        return document
    found = f"schema {schema}" if schema else "no schema version"
    raise GuidelineError(
        f"{reading.source}: {found}: only the schemas 1.0 to 2.0 can be read",
        hint="a guideline names its schema in /metadata/schema or, before 2018, in /schema",
    )


class _GuidelineDocument(JsonDocument):
    """A document in the shape of schema 2.0 that is read into the model."""

    def guideline(self, document: JsonObject, digest: str) -> Guideline:
        metadata = self.mapping(document, "", "metadata")
        scoring = self.mapping(metadata, "/metadata", "scoring")
        approval = self.mapping(metadata, "/metadata", "os_trademark_approval")
        listed = self.mapping(document, "", "capabilities")
        capabilities = {key: self.capability(listed, key) for key in listed}
        listed = self.mapping(document, "", "components")
        components = {key: self.component(listed, key, capabilities) for key in listed}
        if not any(
            test.idempotent_id for capability in capabilities.values() for test in capability.tests
        ):
            self._report_no_ids()
        self._report_duplicates(capabilities)
        if not capabilities or not components:
            raise GuidelineError(
                f"{self.source}: no capabilities and components",
                hint="give the file of a guideline, not a worksheet or a schema",
            )
        guideline_id = str(metadata.get("id", ""))
        self._check_name(guideline_id)
        return Guideline(
            id=guideline_id,
            schema=str(metadata["schema"]),
            status=str(approval.get("status", "")),
            releases=tuple(self.strings(approval, "/metadata/os_trademark_approval", "releases")),
            platforms=tuple(
                self.platform(parent, kind, name, components)
                for kind in ("platforms", "add-ons")
                for parent in (self.mapping(document, "", kind),)
                for name in parent
            ),
            components=components,
            capabilities=capabilities,
            digest=digest,
            replaces=str(approval.get("replaces") or ""),
            weights=self.weights(scoring),
            cutoff=self.number(scoring, "/metadata/scoring", "cutoff_score"),
            note=str(metadata.get("reconstructed", "")),
        )

    def weights(self, scoring: JsonObject) -> dict[str, int]:
        where = "/metadata/scoring/criteria"
        criteria = self.mapping(scoring, "/metadata/scoring", "criteria")
        found = {
            key: self.number(self.mapping(criteria, where, key), join(where, key), "weight")
            for key in criteria
        }
        return {key: weight for key, weight in found.items() if weight is not None}

    def _report_duplicates(self, capabilities: Mapping[str, Capability]) -> None:
        """Report ids with two names, and tests that are listed in two capabilities."""
        seen: dict[str, tuple[str, str]] = {}
        for capability in capabilities.values():
            for test in capability.tests:
                name, home = seen.setdefault(test.key, (test.name, capability.id))
                where = join(f"/capabilities/{capability.id}/tests", test.name)
                if name != test.name:
                    message = f"{name} has the same id"
                    self.report("one-id-two-names", Severity.NOTE, where, message)
                elif home != capability.id:
                    message = f"also listed in {home}: counted once"
                    self.report("in-two-capabilities", Severity.NOTE, where, message)

    def _check_name(self, guideline_id: str) -> None:
        stem = Path(self.source).stem
        if _DATED.fullmatch(stem) and stem != guideline_id:
            message = f"the file is named {stem}, but the guideline's id is {guideline_id}"
            self.report("id-not-file-name", Severity.WARNING, "/metadata/id", message)

    def _report_no_ids(self) -> None:
        """Guidelines before 2015.07 have no ids at all: report that once, not for every test."""
        self.findings = [finding for finding in self.findings if finding.code != "no-idempotent-id"]
        message = "no test has an idempotent ID: all are matched by name"
        self.report("no-idempotent-ids", Severity.NOTE, "/capabilities", message)

    def platform(
        self, parent: JsonObject, kind: str, name: str, components: Mapping[str, Component]
    ) -> Platform:
        pointer = join(f"/{kind}", name)
        raw = self.mapping(parent, f"/{kind}", name)
        wanted = []
        for index, entry in enumerate(self.listing(raw, pointer, "components")):
            source = entry.get("source") if isinstance(entry, dict) else None
            component = str(entry.get("name")) if isinstance(entry, dict) else str(entry)
            if component not in components and source:
                self.report(
                    "component-elsewhere",
                    Severity.NOTE,
                    f"{pointer}/components/{index}",
                    f"{component} is defined in {source}, which is not read",
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
            description=str(raw.get("description", "")) or _description("platforms", name),
            components=tuple(wanted),
            requires=tuple(
                (str(entry.get("name", "")), str(entry.get("source", "")))
                for entry in required
                if isinstance(entry, dict)
            ),
        )

    def component(
        self, parent: JsonObject, key: str, capabilities: Mapping[str, Capability]
    ) -> Component:
        pointer = join("/components", key)
        raw = self.mapping(parent, "/components", key)
        listed = self.mapping(raw, pointer, "capabilities")
        for status in set(listed) - set(Status):
            self.report(
                "unknown-status",
                Severity.WARNING,
                f"{pointer}/capabilities/{status}",
                f'"{status}" is not a valid status of a capability',
            )
        by_status = {}
        for status in Status:
            ids = self.strings(listed, f"{pointer}/capabilities", status)
            for index, capability in enumerate(ids):
                if capability not in capabilities:
                    removed = status is Status.REMOVED
                    self.report(
                        "undefined-capability",
                        Severity.NOTE if removed else Severity.ERROR,
                        f"{pointer}/capabilities/{status}/{index}",
                        f"{capability} is listed as {status} but not defined",
                    )
            by_status[status] = tuple(name for name in ids if name in capabilities)
        sections = self.mapping(raw, pointer, "designated_sections")
        return Component(
            id=key,
            capabilities=by_status,
            designated_sections={
                status: tuple(self.strings(sections, f"{pointer}/designated_sections", status))
                for status in Status
            },
        )

    def capability(self, parent: JsonObject, key: str) -> Capability:
        pointer = join("/capabilities", key)
        raw = self.mapping(parent, "/capabilities", key)
        tests = self.mapping(raw, pointer, "tests")
        return Capability(
            id=key,
            description=str(
                self.spelled(raw, pointer, "description") or _description("capabilities", key)
            ),
            project=str(raw.get("project", "")),
            admin=bool(raw.get("admin", False)),
            achievements=self.achievements(raw, pointer),
            required_since=str(self.spelled(raw, pointer, "required_since") or ""),
            tests=tuple(self.test(tests, f"{pointer}/tests", name) for name in tests),
        )

    def achievements(self, raw: JsonObject, pointer: str) -> tuple[str, ...]:
        value = self.spelled(raw, pointer, "achievements")
        return tuple(self.strings({"achievements": value}, pointer, "achievements"))

    def test(self, tests: JsonObject, parent: str, name: str) -> Test:
        pointer = join(parent, name)
        raw = self.mapping(tests, parent, name)
        flag = self.spelled(raw, pointer, "flagged")
        return Test(
            name=name,
            idempotent_id=self.idempotent_id(raw.get("idempotent_id"), pointer),
            aliases=tuple(self.strings(raw, pointer, "aliases")),
            flag=_flag(flag),
        )

    def idempotent_id(self, value: Json, pointer: str) -> str | None:
        text = str(value or "").strip().lower()
        where = f"{pointer}/idempotent_id"
        if re.fullmatch(f"id-{_UUID}", text):
            return text
        attributed = re.fullmatch(f"(id-{_UUID}),.*", text)
        if attributed:
            message = f'"{text}" is read as {attributed[1]}'
            self.report("id-with-attributes", Severity.WARNING, where, message)
            return attributed[1]
        if re.fullmatch(_UUID, text):
            self.report("bare-uuid", Severity.NOTE, where, f"{text} is read as id-{text}")
            return f"id-{text}"
        self.report(
            "no-idempotent-id",
            Severity.WARNING,
            where,
            f'"{text}" is not a valid idempotent ID: the test is matched by its name'
            if text
            else "no idempotent ID",
        )
        return None


def _flag(value: Json) -> Flag | None:
    if isinstance(value, dict):
        return Flag(*(str(value.get(key, "")) for key in ("reason", "action", "date")))
    return Flag(str(value)) if value else None


def _description(kind: str, name: str) -> str:
    """Return the project's own description: shipped guidelines have facts alone and use these."""
    return _descriptions()[kind].get(name, "")


@functools.cache
def _descriptions() -> Mapping[str, Mapping[str, str]]:
    return json.loads((resources.files("capabilities") / "data" / "descriptions.json").read_text())
