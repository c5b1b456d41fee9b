"""What the tests of containers share: a real engine, and the images of this checkout in it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASE = "python:3.11-slim-bookworm"
IMAGE = "refstack-client:test"


def docker(*arguments: str, check: bool = True, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, check=check, timeout=600, **more
    )


def built(target: str, name: str) -> str:
    """Build a target of this checkout's Dockerfile; without an engine, or its base, skip."""
    needed = bool(os.environ.get("REFSTACK_NEEDS_ENGINE"))
    try:
        if docker("version", check=needed).returncode:
            pytest.skip("no container engine answers (tools/engine.sh up starts one)")
        if docker("image", "inspect", BASE, check=needed).returncode:
            pytest.skip(f"the base image {BASE} is not at hand")
    except FileNotFoundError:
        if needed:
            raise
        pytest.skip("docker is not installed")
    docker("build", "--network", "host", "--target", target, "--tag", name, str(ROOT))
    return name
