"""The files of pinned packages hold what setup.cfg needs, in one version each."""

import re
from pathlib import Path

import constraints
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", re.MULTILINE)


def pinned(name: str) -> dict[str, set[str]]:
    """Return the versions by package; there may be one for each version of Python."""
    found: dict[str, set[str]] = {}
    for package, version in PIN.findall((ROOT / name).read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        (constraints.VERIFY, constraints.verifying()),
        (constraints.SERVER, [*constraints.verifying(), *constraints.extra("server")]),
    ],
)
def test_a_file_with_hashes_has_every_package_that_is_needed(name, needed):
    found, versions = pinned(name), pinned("constraints.txt")
    assert names(needed) <= found.keys()
    assert {package: at for package, at in found.items() if not at <= versions[package]} == {}
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(PIN.findall(text)) == len(re.findall(r"==.* \\\n    --hash=sha256:", text))
    assert "tempest" not in found


def test_every_extra_is_pinned():
    found = pinned("constraints.txt")
    for extra in ("scoring", "server", "add-ons", "image", "docs"):
        assert names(constraints.extra(extra)) <= found.keys(), extra
