"""Write constraints.txt anew: constraints.py UV FILE.

One set of versions for the runner and for every sandbox profile, for every supported Python.
"""

import subprocess
import sys
from pathlib import Path

HEADER = """\
# One coherent set of versions for the runner and the sandbox's services, as published on PyPI.
# `make constraints` writes it anew; do not edit by hand.
"""


def main() -> None:
    uv, target = sys.argv[1:]
    root = Path(__file__).parent.parent
    profiles = sorted(root.glob("refstack_client/sandbox/requirements/*.txt"))
    outcome = subprocess.run(
        [
            *(uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--no-annotate", "--no-header", "--extra", "dev", "--extra", "add-ons"),
            *("--extra", "image"),
            *("setup.cfg", *map(str, profiles)),
        ],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    Path(target).write_text(HEADER + outcome.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
