"""Write constraints.txt and the files of hashes: constraints.py UV DIRECTORY.

constraints.txt is one set of versions for the runner and every sandbox profile, for every supported
Python. requirements-verify.txt and requirements-server.txt are the parts that verification and the
collector need, with hashes.
"""

import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What only running tests, containers and sandboxes needs.
ONLY_FOR_RUNS = frozenset(
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
INSTALLED_WITH_HASHES = """\
#
# In a checkout of the project, into a virtual environment:
#
#     pip install --require-hashes -r {name}
#     pip install --no-deps .
#
# `make constraints` writes it anew; do not edit by hand.
"""
VERIFY = "requirements-verify.txt"
VERIFY_HEAD = """\
# What refstack-client needs to verify bundles and to judge, report and compare results: no Tempest,
# stestr, Docker SDK or OpenStack SDK.
"""
SERVER = "requirements-server.txt"
SERVER_HEAD = """\
# What the collector needs, and its image is built with: what verification needs, and the extra
# "server" of setup.cfg.
"""


def main() -> None:
    """Write the three files."""
    uv, directory = sys.argv[1], Path(sys.argv[2])
    profiles = sorted(ROOT.glob("refstack_client/sandbox/requirements/*.txt"))
    extras = [word for name in ("dev", "add-ons", "image") for word in ("--extra", name)]
    pinned = compiled(uv, [*extras, "setup.cfg", *map(str, profiles)])
    constraints = directory / "constraints.txt"
    constraints.write_text(CONSTRAINTS_HEAD + pinned, encoding="utf-8")
    for name, head, needed in (
        (VERIFY, VERIFY_HEAD, verifying()),
        (SERVER, SERVER_HEAD, [*verifying(), *extra("server")]),
    ):
        arguments = ["--generate-hashes", "-c", str(constraints), "-"]
        hashed = compiled(uv, arguments, "\n".join(needed))
        text = head + INSTALLED_WITH_HASHES.format(name=name) + hashed
        (directory / name).write_text(text, encoding="utf-8")


def verifying() -> list[str]:
    """Return the requirements of an installation that only verifies."""
    return [name for name in _read("options", "install_requires") if name not in ONLY_FOR_RUNS]


def extra(name: str) -> list[str]:
    """Return the requirements of an extra of setup.cfg."""
    return _read("options.extras_require", name)


def _read(section: str, option: str) -> list[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup[section][option].split()


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
