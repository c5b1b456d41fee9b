"""Bring documents of the older schemas into the shape of 2.0, as far as they say the same.

1.2 (2015.03-05), 1.5 (2015.07, 2016.01) and 1.6 (2016.08-2017.09) have components called
``compute`` and ``object`` and a platform made of both. 1.0, the core lists of 2013 and 2014, has
neither, only capabilities that are core or not. Shapes decide, not versions: 1.2 lists tests, later
files map them. Keys nobody knows are kept where they stand.
"""

from collections.abc import Mapping
from typing import Any

from capabilities.finding import Severity
from capabilities.guideline import Status
from capabilities.json_document import JsonDocument, join

Document = dict[str, Any]

_METADATA = ("id", "reference", "source")
_APPROVAL = ("target_approval", "replaces", "releases", "status")
_SCORING = ("cutoff_score", "criteria")
_PLATFORMS = {
    "platform": (
        "OpenStack Powered Platform",
        "A whole cloud: compute with networking, images and volumes, and object storage",
    ),
    "compute": (
        "OpenStack Powered Compute",
        "Compute with identity, images, networking and volumes",
    ),
    "object": ("OpenStack Powered Storage", "Object storage with identity"),
}
_CORE = "core"


def convert(document: Mapping[str, Any], reading: JsonDocument) -> Document:
    """Return ``document`` (schema 1.x) in the shape of schema 2.0.

    :param reading: checks shapes and is told what had to be repaired
    :raises GuidelineError: something has a shape no schema knows
    """
    listed = reading.mapping(document, "", "capabilities")
    capabilities = {name: _capability(listed, name, reading) for name in listed}
    legacy = "components" not in document
    components = _core(capabilities) if legacy else _components(document, capabilities, reading)
    known = {"schema", "release", "capabilities", "components", "platform", "designated-sections"}
    known |= {"test-repositories", *_METADATA, *_APPROVAL, *_SCORING}
    return {
        "metadata": _metadata(document),
        "platforms": _platforms(document, reading, legacy=legacy),
        "components": components,
        "capabilities": capabilities,
        "designated_sections": _sections(document, reading),
        "test_repositories": _repositories(document, reading),
        **{key: value for key, value in document.items() if key not in known},
    }


def original_pointer(pointer: str, document: Mapping[str, Any]) -> str:
    """Return where in a 1.x ``document`` stands what ``pointer`` names in the converted one."""
    if "components" in document and pointer.startswith("/components/"):
        return pointer.replace("/capabilities/", "/", 1)
    return pointer


def _metadata(document: Mapping[str, Any]) -> Document:
    identity = {"id": document.get("id", document.get("release", ""))}
    approval = {key: document[key] for key in _APPROVAL if key in document}
    if "release" in document:
        approval.setdefault("releases", [document["release"]])
    return {
        **identity,
        "schema": "2.0",
        **{key: document[key] for key in _METADATA if key in document and key != "id"},
        "scoring": {key: document[key] for key in _SCORING if key in document},
        "os_trademark_approval": approval,
    }


def _platforms(document: Mapping[str, Any], reading: JsonDocument, *, legacy: bool) -> Document:
    if legacy:
        name, _ = _PLATFORMS["platform"]
        components = {name: ("What was core", [_CORE])}
    else:
        platform = reading.mapping(document, "", "platform")
        whole = reading.strings(platform, "/platform", "required") or ["compute", "object"]
        parts = {"platform": whole, "compute": ["compute"], "object": ["object"]}
        components = {
            _PLATFORMS[key][0]: (_PLATFORMS[key][1], names) for key, names in parts.items()
        }
    return {
        name: {
            "description": description,
            "components": [{"name": component} for component in names],
        }
        for name, (description, names) in components.items()
    }


def _core(capabilities: Mapping[str, Document]) -> Document:
    core = [name for name, raw in capabilities.items() if raw.get("core")]
    return {_CORE: {"capabilities": {Status.REQUIRED: core}, "designated_sections": {}}}


def _components(
    document: Mapping[str, Any], capabilities: Mapping[str, Document], reading: JsonDocument
) -> Document:
    sections = reading.mapping(document, "", "designated-sections")
    parents = reading.mapping(document, "", "components")
    converted = {}
    for name in parents:
        raw = reading.mapping(parents, "/components", name)
        pointer = join("/components", name)
        lists = {status: reading.strings(raw, pointer, status) for status in Status}
        projects = {
            str(capabilities[each].get("project"))
            for ids in lists.values()
            for each in ids
            if each in capabilities
        }
        converted[name] = {
            "capabilities": lists,
            # 1.x designates sections for the whole guideline; a component's are its projects'.
            "designated_sections": {
                status: [
                    project
                    for project in reading.mapping(sections, "/designated-sections", status)
                    if project in projects
                ]
                for status in Status
            },
            **{key: value for key, value in raw.items() if key not in set(Status)},
        }
    return converted


def _capability(listed: Mapping[str, Any], name: str, reading: JsonDocument) -> Document:
    raw = reading.mapping(listed, "/capabilities", name)
    pointer = join("/capabilities", name)
    capability = dict(raw)
    if "required-since" in capability:  # this schema's own spelling
        capability["required_since"] = capability.pop("required-since")
    if isinstance(raw.get("tests"), list):
        tests = reading.strings(raw, pointer, "tests")
        flagged = reading.strings(raw, pointer, "flagged")
        capability["tests"] = _listed_tests(tests, flagged, pointer, reading)
        capability.pop("flagged", None)
    return capability


def _listed_tests(
    tests: list[str], flagged: list[str], pointer: str, reading: JsonDocument
) -> Document:
    """Return a list of test names as a mapping; flagged ones are named once more."""
    converted: Document = {}
    for index, text in enumerate(tests):
        where = f"{pointer}/tests/{index}"
        name = text
        if "/" in name:
            name = name.replace("/", ".")
            reading.report("slash-in-name", Severity.WARNING, where, f"{text} is read as {name}")
        if name in converted:
            reading.report("listed-twice", Severity.WARNING, where, f"{name} is listed twice")
        converted[name] = {}
    for index, text in enumerate(flagged):
        name = text.replace("/", ".")
        if name in converted:
            converted[name] = {"flagged": {"reason": "", "action": "", "date": ""}}
        else:
            reading.report(
                "flagged-unlisted",
                Severity.WARNING,
                f"{pointer}/flagged/{index}",
                f"{name} is flagged but not among the tests",
            )
    return converted


def _sections(document: Mapping[str, Any], reading: JsonDocument) -> Document:
    """Swap the axes: 1.x has projects by status, 2.0 statuses by project."""
    swapped: Document = {}
    by_status = reading.mapping(document, "", "designated-sections")
    for status in by_status:
        for project, sections in reading.mapping(by_status, "/designated-sections", status).items():
            swapped.setdefault(project, {})[status] = sections
    return swapped


def _repositories(document: Mapping[str, Any], reading: JsonDocument) -> Document:
    repositories = reading.mapping(document, "", "test-repositories")
    found = {
        name: reading.mapping(repositories, "/test-repositories", name) for name in repositories
    }
    return {
        name: {
            "repository": raw.get("url", ""),
            "reference": raw.get("git-sha", ""),
            **{key: value for key, value in raw.items() if key not in ("url", "git-sha")},
        }
        for name, raw in found.items()
    }
