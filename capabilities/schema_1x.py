"""Convert documents of the schemas 1.x into the shape of schema 2.0.

1.2 (2015.03-05), 1.5 (2015.07, 2016.01) and 1.6 (2016.08-2017.09) have components named ``compute``
and ``object`` and a platform of both. 1.0, the core lists of 2013 and 2014, has neither, only
capabilities that are core or not. The shape of a file decides how it is converted, not its version:
1.2 has a list of tests, later files have a mapping. Unknown keys are kept.
"""

from collections.abc import Mapping

from capabilities.finding import Severity
from capabilities.guideline import Status
from capabilities.json_document import Json, JsonDocument, JsonObject, join

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


def convert(document: Mapping[str, Json], reading: JsonDocument) -> JsonObject:
    """Return ``document`` (schema 1.x) in the shape of schema 2.0.

    :param reading: checks the shapes and collects findings about what is converted with a repair
    :raises GuidelineError: a value has a type that no schema allows
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
        "capabilities": {**capabilities},
        "designated_sections": _sections(document, reading),
        "test_repositories": _repositories(document, reading),
        **{key: value for key, value in document.items() if key not in known},
    }


def original_pointer(pointer: str, document: Mapping[str, Json]) -> str:
    """Return the pointer into a 1.x ``document`` for a ``pointer`` into the converted one."""
    if "components" in document and pointer.startswith("/components/"):
        return pointer.replace("/capabilities/", "/", 1)
    return pointer


def _metadata(document: Mapping[str, Json]) -> JsonObject:
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


def _platforms(document: Mapping[str, Json], reading: JsonDocument, *, legacy: bool) -> JsonObject:
    if legacy:
        name, _ = _PLATFORMS["platform"]
        components = {name: ("The core capabilities", [_CORE])}
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


def _core(capabilities: Mapping[str, JsonObject]) -> JsonObject:
    core = [name for name, raw in capabilities.items() if raw.get("core")]
    return {_CORE: {"capabilities": {str(Status.REQUIRED): [*core]}, "designated_sections": {}}}


def _components(
    document: Mapping[str, Json], capabilities: Mapping[str, JsonObject], reading: JsonDocument
) -> JsonObject:
    sections = reading.mapping(document, "", "designated-sections")
    parents = reading.mapping(document, "", "components")
    converted: JsonObject = {}
    for name in parents:
        raw = reading.mapping(parents, "/components", name)
        pointer = join("/components", name)
        lists = {str(status): reading.strings(raw, pointer, status) for status in Status}
        projects = {
            str(capabilities[capability].get("project"))
            for ids in lists.values()
            for capability in ids
            if capability in capabilities
        }
        converted[name] = {
            "capabilities": {status: [*ids] for status, ids in lists.items()},
            # 1.x designates sections of the whole guideline: a component has its projects' own.
            "designated_sections": {
                str(status): [
                    project
                    for project in reading.mapping(sections, "/designated-sections", status)
                    if project in projects
                ]
                for status in Status
            },
            **{key: value for key, value in raw.items() if key not in set(Status)},
        }
    return converted


def _capability(listed: Mapping[str, Json], name: str, reading: JsonDocument) -> JsonObject:
    raw = reading.mapping(listed, "/capabilities", name)
    pointer = join("/capabilities", name)
    capability = dict(raw)
    if "required-since" in capability:  # the spelling of schema 1.x
        capability["required_since"] = capability.pop("required-since")
    if isinstance(raw.get("tests"), list):
        tests = reading.strings(raw, pointer, "tests")
        flagged = reading.strings(raw, pointer, "flagged")
        capability["tests"] = _listed_tests(tests, flagged, pointer, reading)
        capability.pop("flagged", None)
    return capability


def _listed_tests(
    tests: list[str], flagged: list[str], pointer: str, reading: JsonDocument
) -> JsonObject:
    """Return a list of test names, some of them listed as flagged too, as a mapping."""
    converted: JsonObject = {}
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
                f"{name} is flagged but not listed as a test",
            )
    return converted


def _sections(document: Mapping[str, Json], reading: JsonDocument) -> JsonObject:
    """Turn projects by status (1.x) into statuses by project (2.0)."""
    swapped: dict[str, JsonObject] = {}
    by_status = reading.mapping(document, "", "designated-sections")
    for status in by_status:
        for project, sections in reading.mapping(by_status, "/designated-sections", status).items():
            swapped.setdefault(project, {})[status] = sections
    return {**swapped}


def _repositories(document: Mapping[str, Json], reading: JsonDocument) -> JsonObject:
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
