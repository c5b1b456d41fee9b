"""What the tests of the container share."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BASE = "python:3.11-slim-bookworm"
IMAGE = "refstack-client:test"


def docker(*arguments: str, check: bool = True, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, check=check, timeout=600, **more
    )
