"""The virtual environment a sandbox's services run from."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import fasteners

from refstack_client.errors import MachineError
from refstack_client.files import IMAGE_DATA

_HERE = Path(__file__).parent
CONSTRAINTS = _HERE / "constraints.txt"


def ensure(root: Path, profile: str, talk: Callable[[str], None]) -> Path:
    """Return the Python of the environment for ``profile``, made under ``root`` when absent.

    The directory is named for what is installed, so an upgrade makes a new one and a running
    sandbox keeps its own. A half-made environment is made anew.

    :raises MachineError: Python's venv is absent, or the packages could not be installed
    """
    requirements = _HERE / "requirements" / f"{profile}.txt"
    digest = hashlib.sha256(
        requirements.read_bytes() + CONSTRAINTS.read_bytes() + sys.version.encode()
    ).hexdigest()
    name = f"{profile}-{digest[:12]}"
    built = IMAGE_DATA / "environments" / name
    if (built / "complete").exists():
        return built / "bin" / "python"
    directory = root / "environments" / name
    python = directory / "bin" / "python"
    complete = directory / "complete"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(directory.with_suffix(".lock")):
        if not complete.exists():
            talk(f"installing the services of the {profile} sandbox, once")
            shutil.rmtree(directory, ignore_errors=True)
            try:
                _create(directory)
                _install(python, requirements)
            except (subprocess.CalledProcessError, OSError) as error:
                raise MachineError(
                    f"the services of the {profile} sandbox could not be installed: {_last(error)}",
                    hint="check that this machine reaches a Python package index (pip download "
                    "keystone) and has 500 MB free, then run the command again",
                ) from error
            complete.touch()
    return python


def _create(directory: Path) -> None:
    try:
        venv.EnvBuilder(with_pip=_uv() is None, symlinks=True).create(directory)
    except subprocess.CalledProcessError as error:
        raise MachineError(
            "Python cannot make virtual environments here",
            hint="install your distribution's venv package (Debian, Ubuntu: python3-venv)",
        ) from error


def _install(python: Path, requirements: Path) -> None:
    wanted = ["-r", str(requirements), "-c", str(CONSTRAINTS)]
    uv = _uv()
    if uv:
        command = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run([*command, *wanted], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _last(error: Exception) -> str:
    output = getattr(error, "stderr", None) or b""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else str(error)
