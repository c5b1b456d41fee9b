"""Write constraints.txt and requirements-verify.txt: constraints.py UV CONSTRAINTS VERIFY.

constraints.txt is one set of versions for the runner and every sandbox profile, for every supported
Python. requirements-verify.txt is the part that verification needs, with hashes.
"""

import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What only running tests, containers and sandboxes needs.
NOT_FOR_VERIFYING = frozenset(
    (
        "docker",
        "jsonschema",
        "openstacksdk",
        "psutil",
        "python-tempestconf",
        "referencing",
        "stestr",
        "tempest",
        "tenacity",
    )
)
CONSTRAINTS_HEAD = """\
# One coherent set of versions for the runner and the sandbox's services, as published on PyPI.
# `make constraints` writes it anew; do not edit by hand.
"""
VERIFY_HEAD = """\
# What refstack-client needs to verify bundles and to judge, report and compare results: no Tempest,
# stestr, Docker SDK or OpenStack SDK. In a checkout of the project, into a virtual environment:
#
#     pip install --require-hashes -r requirements-verify.txt
#     pip install --no-deps .
#
# `make constraints` writes it anew; do not edit by hand.
"""


def main() -> None:
    """Write both files."""
    uv, constraints, verify = sys.argv[1:]
    profiles = sorted(ROOT.glob("refstack_client/sandbox/requirements/*.txt"))
    extras = [word for name in ("dev", "add-ons", "image") for word in ("--extra", name)]
    pinned = compiled(uv, [*extras, "setup.cfg", *map(str, profiles)])
    Path(constraints).write_text(CONSTRAINTS_HEAD + pinned, encoding="utf-8")
    hashed = compiled(uv, ["--generate-hashes", "-c", constraints, "-"], verifying())
    Path(verify).write_text(VERIFY_HEAD + hashed, encoding="utf-8")


def verifying() -> str:
    """Return the requirements of an installation that only verifies, one a line."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    needed = setup["options"]["install_requires"].split()
    return "\n".join(name for name in needed if name not in NOT_FOR_VERIFYING)


def compiled(uv: str, arguments: list[str], requirements: str = "") -> str:
    """Return pinned versions; ``requirements`` is what ``-`` among the arguments stands for."""
    outcome = subprocess.run(
        [
            *(uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--no-annotate", "--no-header"),
            *arguments,
        ],
        cwd=ROOT,
        check=True,
        input=requirements,
        stdout=subprocess.PIPE,
        text=True,
    )
    return outcome.stdout


if __name__ == "__main__":
    main()
