"""Write the shipped guidelines from the published files: ship_guidelines.py PUBLISHED.

PUBLISHED holds ``guidelines/``, ``add-ons/``, ``lists/`` and ``scs/`` as they were published. The
shipped files contain only facts: ids, names, aliases, statuses, weights, designated sections, and
flags by code and date. The descriptions are this project's own, from
``capabilities/data/descriptions.json``.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from capabilities import schema_1x
from capabilities.json_document import JsonDocument

DATA = Path(__file__).parent.parent / "capabilities" / "data"
FLAG_CODES = {
    "D400": "it does not meet the criteria",
    "D401": "the test has a bug that its project accepted",
    "D402": "the code has a bug that its project accepted",
    "D403": "it needs a capability that is not required",
    "D404": "under discussion",
    "D405": "it tests a choice of implementation that is not widely deployed",
    "D406": "the test was removed upstream",
}
RECONSTRUCTED = "2022.11"
# The capability of a test of 2022.11 that 2020.06 does not have, inferred from its module.
MODULES = {
    "compute.security_groups": ("compute-security-groups-CRUD", "nova"),
    "compute.servers.test_server_tags": ("compute-servers-tags-CRUD", "nova"),
    "identity.v3.test_api_discovery": ("identity-v3-api-discovery", "keystone"),
    "identity.v3.test_application_credentials": ("identity-v3-application-credentials", "keystone"),
    "identity.v3.test_domains": ("identity-v3-default-domain", "keystone"),
    "identity.v3.test_users": ("identity-v3-security-compliance", "keystone"),
    "network.test_dhcp_ipv6": ("networks-dhcp-ipv6", "neutron"),
    "network.test_floating_ips": ("networks-floating-ips-CRUD", "neutron"),
    "network.test_routers": ("networks-l3-router", "neutron"),
    "object_storage.test_account_bulk": ("objectstore-account-bulk", "swift"),
    "object_storage.test_account_services": ("objectstore-account-list", "swift"),
    "volume.test_volumes_snapshots_list": ("volumes-v3-snapshot-list", "cinder"),
}
LIST_LINE = re.compile(r"(?P<name>[^\[\s]+)\[(?P<id>id-[0-9a-f-]{36})\]")
Document = dict[str, Any]


def main() -> None:
    """Write every shipped file."""
    published = Path(sys.argv[1])
    for path in sorted((published / "guidelines").glob("2*.json")):
        ship(path.stem, facts(path.stem, load(path)))
    for path in sorted((published / "add-ons").glob("*.2*.json")):
        ship(path.stem, facts(path.stem, load(path)))
    ship(RECONSTRUCTED, reconstructed(published / "lists"))
    lines = (published / "scs" / "tempest-tests-non-admin.lst").read_text().split()
    (DATA / "guidelines" / "scs-0128.txt").write_text("\n".join(sorted(lines)) + "\n")


def load(path: Path) -> Document:
    """Read a guideline; one of schema 1.x is converted."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if "metadata" in document:
        return document
    return schema_1x.convert(document, JsonDocument(str(path)))


def ship(name: str, document: Document) -> None:
    """Write a shipped file."""
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (DATA / "guidelines" / f"{name}.json").write_text(text, encoding="utf-8")


def facts(name: str, document: Document) -> Document:
    """Return the facts of a guideline."""
    metadata = document["metadata"]
    scoring = metadata.get("scoring", {})
    approval = dict(metadata["os_trademark_approval"])
    approval["target_approval"] = re.search(r"\d{4}\.\d{2}", name)[0]
    kind = "add-ons" if "add-ons" in document else "platforms"
    return {
        "metadata": {
            "id": name,
            "schema": "2.0",
            "scoring": {
                **(
                    {"cutoff_score": int(scoring["cutoff_score"])}
                    if "cutoff_score" in scoring
                    else {}
                ),
                "criteria": {
                    key: {"name": value["name"], "weight": int(value["weight"])}
                    for key, value in sorted(scoring.get("criteria", {}).items())
                    if "weight" in value
                },
            },
            "os_trademark_approval": approval,
        },
        kind: {
            platform: {key: value for key, value in raw.items() if key != "description"}
            for platform, raw in document[kind].items()
        },
        "components": {
            key: {
                "capabilities": raw["capabilities"],
                "designated_sections": {
                    status: list(projects)
                    for status, projects in raw["designated_sections"].items()
                    if projects
                },
            }
            for key, raw in document["components"].items()
        },
        "capabilities": {key: capability(raw) for key, raw in document["capabilities"].items()},
        "designated_sections": sections(document.get("designated_sections", {})),
        "test_repositories": {
            key: {k: raw[k] for k in ("repository", "reference") if k in raw}
            for key, raw in document.get("test_repositories", {}).items()
        },
    }


def capability(raw: Document) -> Document:
    """Return the facts of a capability."""
    return {
        "achievements": sorted(raw.get("achievements") or raw.get("acheivements") or []),
        "admin": bool(raw.get("admin", False)),
        "project": raw.get("project", ""),
        "required_since": raw.get("required_since") or raw.get("required-since") or "",
        "tests": {name: test(raw["tests"][name]) for name in sorted(raw["tests"])},
    }


def test(raw: Document) -> Document:
    """Return the facts of a test."""
    shipped: Document = {}
    identifier = str(raw.get("idempotent_id") or "")
    if identifier:
        shipped["idempotent_id"] = "id-" + identifier.removeprefix("id-").partition(",")[0]
    if raw.get("aliases"):
        shipped["aliases"] = list(raw["aliases"])
    flag = raw.get("flagged") or raw.get("flag")
    if flag:
        code = re.search(r"D4\d\d", flag.get("reason", ""))
        shipped["flagged"] = {
            "reason": f"[{code[0]}] {FLAG_CODES[code[0]]}" if code else "no code was recorded",
            "date": flag.get("date", ""),
        }
    return shipped


def sections(by_project: Document) -> Document:
    """Return the designated sections without their texts."""
    shipped: Document = defaultdict(dict)
    for project, statuses in by_project.items():
        for status, raw in statuses.items():
            named = raw.get("sections", {}) if isinstance(raw, dict) else {}
            shipped[project][status] = {
                "sections": {
                    name: {"designated": bool(section.get("designated"))}
                    for name, section in named.items()
                }
                if isinstance(named, dict)
                else {}
            }
    return dict(shipped)


def reconstructed(lists: Path) -> Document:
    """Reconstruct 2022.11, whose own file is lost, from its exported test lists.

    Its tests are certain. Capabilities are those of 2020.06 for ids that it has, else inferred from
    the module. There are no scores. Designated sections are those of 2020.06.
    """
    earlier = json.loads((DATA / "guidelines" / "2020.06.json").read_text())
    home = {
        raw["idempotent_id"]: (key, name)
        for key, capability in earlier["capabilities"].items()
        for name, raw in capability["tests"].items()
    }
    listed = {kind: names_by_id(lists / f"{kind}.2022.11.txt") for kind in ("compute", "object")}
    capabilities: Document = {}
    components: Document = {}
    for kind, component in (("compute", "os_powered_compute"), ("object", "os_powered_storage")):
        required = []
        for identifier, names in sorted(listed[kind].items(), key=lambda item: item[1]):
            key, project, name = place(identifier, names, home, earlier)
            if key not in capabilities:
                known = earlier["capabilities"].get(key, {})
                capabilities[key] = {
                    "achievements": [],
                    "admin": known.get("admin", False),
                    "project": project,
                    "required_since": known.get("required_since", ""),
                    "tests": {},
                }
            aliases = [alias for alias in names if alias != name]
            capabilities[key]["tests"][name] = {
                "idempotent_id": identifier,
                **({"aliases": aliases} if aliases else {}),
            }
            if key not in required:
                required.append(key)
        components[component] = {
            "capabilities": {
                "required": sorted(required),
                "advisory": [],
                "deprecated": [],
                "removed": [],
            },
            "designated_sections": earlier["components"][component]["designated_sections"],
        }
    return {
        "metadata": {
            "id": RECONSTRUCTED,
            "schema": "2.0",
            "reconstructed": "from the exported test lists: the tests are certain; capabilities "
            "are 2020.06's where it knows the id, else inferred from the module; no scores; "
            "designated sections are 2020.06's",
            "scoring": {"criteria": {}},
            "os_trademark_approval": {
                "target_approval": RECONSTRUCTED,
                "replaces": "2022.06",
                "releases": ["xena", "yoga", "zed", "antelope"],
                "status": "draft",
            },
        },
        "platforms": earlier["platforms"],
        "components": components,
        "capabilities": dict(sorted(capabilities.items())),
        "designated_sections": earlier["designated_sections"],
        "test_repositories": {},
    }


def names_by_id(path: Path) -> dict[str, list[str]]:
    """Return the names in an exported list by idempotent ID."""
    names: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text().splitlines():
        match = LIST_LINE.fullmatch(line.strip())
        if match and match["name"] not in names[match["id"]]:
            names[match["id"]].append(match["name"])
    return names


def place(identifier: str, names: list[str], home: dict, earlier: Document) -> tuple[str, str, str]:
    """Return the capability, the project and the name at approval of a listed test."""
    if identifier in home:
        key, name = home[identifier]
        return key, earlier["capabilities"][key]["project"], name if name in names else names[0]
    module = names[0].removeprefix("tempest.api.")
    key, project = next(place for prefix, place in MODULES.items() if module.startswith(prefix))
    return key, project, names[0]


if __name__ == "__main__":
    main()
