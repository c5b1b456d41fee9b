"""The image of this checkout."""

from collections.abc import Iterator

import pytest
from support.engines import IMAGE, built, docker


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    yield built("client", IMAGE)
    docker("rmi", "--force", IMAGE, check=False)
