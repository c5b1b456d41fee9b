"""What the tests share: where things are, small guidelines and streams, and a real cloud."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.certifying import SANDBOX_ROOT
from support.streams import StreamWriter

from refstack_client.sandbox import lifecycle as sandbox_cloud
from refstack_client.sandbox.lifecycle import Sandbox

# A machine that is busy otherwise is no fault of a test.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

ROOT = Path(__file__).parent.parent
# Real streams and published files that are too large, or not ours, to be part of the project.
SHARED = Path(os.environ.get("REFSTACK_SHARED", ROOT.parent / "shared"))


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Return a file of the shared reference data, or skip where it is not at hand."""

    def find(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.exists():
            pytest.skip(f"reference data {name} is not at hand (REFSTACK_SHARED names where)")
        return path

    return find


@pytest.fixture(autouse=True)
def _no_credentials_of_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what the caller has configured out of the tests."""
    for name in [key for key in os.environ if key.startswith(("OS_", "REFSTACK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def new_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Make names for sandboxes of the test's own; they are removed after it."""
    made: list[Sandbox] = []

    def make(profile: str = "storage") -> Sandbox:
        name = f"test-{uuid.uuid4().hex[:8]}"
        made.append(sandbox_cloud.find(SANDBOX_ROOT, name, profile))
        return made[-1]

    yield make
    for sandbox in made:
        sandbox_cloud.wipe(sandbox)


@pytest.fixture(scope="session")
def _session_sandbox() -> Iterator[Sandbox]:
    sandbox = sandbox_cloud.find(SANDBOX_ROOT, f"test-{uuid.uuid4().hex[:8]}", "storage")
    try:
        sandbox_cloud.up(sandbox, None, lambda line: None)
        yield sandbox
    finally:
        sandbox_cloud.wipe(sandbox)


@pytest.fixture
def sandbox(_session_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A real Keystone and Swift, whole again if the test before broke something of it."""
    if not sandbox_cloud.is_up(_session_sandbox):
        sandbox_cloud.up(_session_sandbox, None, lambda line: None)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(_session_sandbox.clouds_yaml))
    return _session_sandbox


@pytest.fixture
def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no chromium on this machine to open the page with")


@pytest.fixture
def writer() -> StreamWriter:
    return StreamWriter()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to run in, with a space, and one for temporary files that must end up empty."""
    (tmp_path / "a place").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "a place")
    return tmp_path
