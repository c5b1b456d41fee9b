"""Write facts about published Tempest releases into refstack_client/data.

``known_packages.json`` has the digest of the source of each release, ``known_tests.json`` the names
of the methods that have each idempotent ID in one of them.

``known_packages.py [NAME==VERSION ...]`` adds releases; without arguments those that
constraints.txt pins, with ``--all`` those that are in the table. Each is downloaded as a wheel.
"""

import ast
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from refstack_client.tempest import package_digest

ROOT = Path(__file__).parent.parent
DATA = ROOT / "refstack_client" / "data"
PACKAGES, TESTS = DATA / "known_packages.json", DATA / "known_tests.json"
NAMES = ("tempest", "designate-tempest-plugin", "heat-tempest-plugin")


def main(wanted: list[str]) -> None:
    """Add releases to the tables."""
    packages: dict[str, dict[str, str]] = read(PACKAGES)
    tests: dict[str, list[str]] = read(TESTS)
    if wanted == ["--all"]:
        wanted = [f"{name}=={version}" for name in packages for version in packages[name]]
    for requirement in wanted or pinned():
        name, _, version = requirement.partition("==")
        with tempfile.TemporaryDirectory() as directory, wheel(requirement, directory) as packed:
            digest = package_digest.of_files(packed.namelist(), packed.read)
            for identifier, method in methods(packed):
                tests[identifier] = sorted({*tests.get(identifier, ()), method})
        packages.setdefault(name, {})[version] = digest
        sys.stdout.write(f"{requirement}: {digest}\n")
    PACKAGES.write_text(json.dumps(packages, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    TESTS.write_text(json.dumps(tests, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def read(path: Path) -> dict:
    """Return the table in a file, an empty one if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def pinned() -> list[str]:
    """Return what constraints.txt pins of :data:`NAMES`."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in NAMES]


def wheel(requirement: str, directory: str) -> zipfile.ZipFile:
    """Download a published release."""
    command = ("-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:")
    subprocess.run([sys.executable, *command, "-d", directory, requirement], check=True)
    (path,) = Path(directory).glob("*.whl")
    return zipfile.ZipFile(path)


def methods(packed: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield idempotent ID and name of each test method in the source of a wheel."""
    for name in packed.namelist():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(packed.read(name))):
            if isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if identifier := identifier_of(decorator):
                        yield identifier, node.name


def identifier_of(decorator: ast.expr) -> str:
    """Return the ID that a decorator gives to a test, "" for another decorator."""
    if not isinstance(decorator, ast.Call) or not decorator.args:
        return ""
    called = getattr(decorator.func, "attr", getattr(decorator.func, "id", ""))
    value = getattr(decorator.args[0], "value", "")
    return value if called == "idempotent_id" and isinstance(value, str) else ""


if __name__ == "__main__":
    main(sys.argv[1:])
