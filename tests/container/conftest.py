"""A real engine, and the image of this checkout in it."""

import os
from collections.abc import Iterator

import pytest
from engines import BASE, IMAGE, ROOT, docker


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The image of this checkout; without an engine, or its base, the test is skipped."""
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
    docker("build", "--network", "host", "--tag", IMAGE, str(ROOT))
    yield IMAGE
    docker("rmi", "--force", IMAGE, check=False)
