"""Write refstack_client/data/known_packages.json: the contents of published Tempest releases.

``known_packages.py [NAME==VERSION ...]`` adds releases to the table; without arguments those that
constraints.txt pins. Each is downloaded as a wheel.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from refstack_client.tempest import package_digest

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "refstack_client" / "data" / "known_packages.json"
NAMES = ("tempest", "designate-tempest-plugin", "heat-tempest-plugin")


def main(wanted: list[str]) -> None:
    """Add releases to the table."""
    table: dict[str, dict[str, str]] = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for requirement in wanted or pinned():
        name, _, version = requirement.partition("==")
        table.setdefault(name, {})[version] = of_wheel(requirement)
        sys.stdout.write(f"{requirement}: {table[name][version]}\n")
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def pinned() -> list[str]:
    """Return what constraints.txt pins of :data:`NAMES`."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in NAMES]


def of_wheel(requirement: str) -> str:
    """Return the digest of a published release."""
    with tempfile.TemporaryDirectory() as directory:
        command = ("-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:")
        subprocess.run([sys.executable, *command, "-d", directory, requirement], check=True)
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            return package_digest.of_files(packed.namelist(), packed.read)


if __name__ == "__main__":
    main(sys.argv[1:])
