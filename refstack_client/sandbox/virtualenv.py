"""The virtual environment that the services of a sandbox run from."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from refstack_client.errors import MachineError
from refstack_client.files import IMAGE_DATA
from refstack_client.sandbox.build_cache import build_once, last_line

_HERE = Path(__file__).parent
CONSTRAINTS = _HERE / "constraints.txt"


def ensure(root: Path, profile: str, report: Callable[[str], None]) -> Path:
    """Return the Python of the environment for ``profile``, created under ``root`` when absent.

    The name of the directory depends on what is installed, so an upgrade creates a new one and a
    running sandbox keeps its own. An incomplete environment is created again.

    :param profile: name of the requirements file
    :param report: receives a line of progress
    :raises MachineError: Python's venv is absent, or the packages cannot be installed
    """
    requirements = _HERE / "requirements" / f"{profile}.txt"
    digest = hashlib.sha256(
        requirements.read_bytes() + CONSTRAINTS.read_bytes() + sys.version.encode()
    ).hexdigest()
    name = f"{profile}-{digest[:12]}"
    prebuilt = IMAGE_DATA / "environments" / name
    if (prebuilt / "complete").exists():
        return prebuilt / "bin" / "python"
    directory = root / "environments" / name
    python = directory / "bin" / "python"

    def build() -> None:
        report(f"installing the services of the {profile} sandbox (first start only)")
        _create(directory)
        _install(python, requirements)

    try:
        build_once(directory, build)
    except (subprocess.CalledProcessError, OSError) as error:
        raise MachineError(
            f"cannot install the services of the {profile} sandbox in {directory}: "
            f"{last_line(error)}",
            hint="check that this machine reaches a Python package index (pip download keystone) "
            "and has 500 MB free, then run the command again",
        ) from error
    return python


def _create(directory: Path) -> None:
    try:
        venv.EnvBuilder(with_pip=_uv() is None, symlinks=True).create(directory)
    except subprocess.CalledProcessError as error:
        raise MachineError(
            "cannot create a virtual environment: Python has no working venv module",
            hint="install the venv package of your distribution (Debian, Ubuntu: python3-venv)",
        ) from error


def _install(python: Path, requirements: Path) -> None:
    packages = ["-r", str(requirements), "-c", str(CONSTRAINTS)]
    uv = _uv()
    if uv:
        command = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run([*command, *packages], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")
