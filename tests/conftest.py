"""Fixtures for all tests: reference data, streams, working directories, a real cloud."""

import gzip
import os
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.certifying import SANDBOX_ROOT, remove_tenants
from support.streams import StreamWriter

from refstack_client.sandbox import lifecycle, services, state
from refstack_client.sandbox.state import Sandbox

# A test does not fail because other programs keep the machine busy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# In the background of a script it is ignored, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
# Published guidelines and worksheets, which are not part of the project.
SHARED = Path(os.environ.get("REFSTACK_SHARED", ROOT.parent / "shared"))
# Markers of tests that "make test" leaves out, and the target that runs them.
TARGETS = {"platform": "make test-platform", "long": "make test-all"}
deselected: Counter[str] = Counter()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count the tests that a marker leaves out."""
    for item in items:
        marker = next((marker for marker in TARGETS if item.get_closest_marker(marker)), "")
        deselected[marker] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the target that runs the tests which were left out."""
    for marker, target in TARGETS.items():
        if number := deselected[marker]:
            tests = "test" if number == 1 else "tests"
            line = f"NOT RUN: {number} {tests} marked {marker}: {target}"
            terminalreporter.write_line(line)


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Return the path of a file of the reference data. Skip the test if there is no such file."""

    def find(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.exists():
            pytest.skip(f"no reference data {name} (set REFSTACK_SHARED to its directory)")
        return path

    return find


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the files of ``tests/data``, decompressed."""
    directory = tmp_path_factory.mktemp("samples")
    for path in (ROOT / "tests" / "data").glob("*.gz"):
        (directory / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return directory


@pytest.fixture(autouse=True)
def _no_credentials_of_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the caller's credentials and settings from the tests."""
    for name in [key for key in os.environ if key.startswith(("OS_", "REFSTACK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def new_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Return a function that names a new sandbox, which is removed after the test."""
    sandboxes: list[Sandbox] = []

    def make(profile: str = "storage", *, guests: bool = False) -> Sandbox:
        name = f"test-{uuid.uuid4().hex[:8]}"
        sandboxes.append(state.find(SANDBOX_ROOT, name, profile, guests=guests))
        return sandboxes[-1]

    yield make
    for sandbox in sandboxes:
        lifecycle.wipe(sandbox)


@pytest.fixture(scope="session")
def _session_sandbox() -> Iterator[Sandbox]:
    sandbox = state.find(SANDBOX_ROOT, f"test-{uuid.uuid4().hex[:8]}", "storage")
    try:
        lifecycle.up(sandbox, None, lambda line: None)
        yield sandbox
    finally:
        lifecycle.wipe(sandbox)


@pytest.fixture
def sandbox(
    _session_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Sandbox:
    """Return a running Keystone and Swift, without the tenants of an earlier test that failed.

    What an earlier test stopped is started again.
    """
    if not services.is_up(_session_sandbox):
        lifecycle.up(_session_sandbox, None, lambda line: None)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(_session_sandbox.clouds_yaml))
    if request.session.testsfailed:
        remove_tenants()
    return _session_sandbox


@pytest.fixture(scope="session")
def browser() -> str:
    """Return the path of a browser. Skip the test if there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if program := shutil.which(name):
            return program
    pytest.skip("no chromium on this machine (Debian: apt install chromium)")


@pytest.fixture
def writer() -> StreamWriter:
    return StreamWriter()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the test in a directory with a space in its name. Return the directory's parent.

    The parent also has ``tmp`` for temporary files, which a command leaves empty.
    """
    (tmp_path / "a place").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "a place")
    return tmp_path
