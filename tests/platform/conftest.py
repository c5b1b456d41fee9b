import uuid
from collections.abc import Iterator

import pytest
from support.certifying import SANDBOX_ROOT

from refstack_client.sandbox import lifecycle, state
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.state import Sandbox


@pytest.fixture(scope="module")
def proxied_platform() -> Iterator[Sandbox]:
    """Return a platform with a fault proxy, which the tests of a module share."""
    sandbox = state.find(SANDBOX_ROOT, f"test-{uuid.uuid4().hex[:8]}", "platform")
    try:
        lifecycle.up(sandbox, None, lambda line: None, Faults())
        yield sandbox
    finally:
        lifecycle.wipe(sandbox)
