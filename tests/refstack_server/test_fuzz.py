"""Random requests, generated from the OpenAPI document."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
EXAMPLES = 12


def test_no_request_makes_the_server_fail(server, root):
    """The Foundation sends the requests: it may do everything, so that they reach handlers."""
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            *(program, "run", f"{server.url}/openapi.json", "--checks", "not_a_server_error"),
            *("--max-examples", str(EXAMPLES), "--seed", "20261121", "--workers", "2"),
            *("--header", f"Authorization: {root.token['Authorization']}", "--no-color"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=server.data,
    )
    assert done.returncode == 0, done.stdout[-6000:]
