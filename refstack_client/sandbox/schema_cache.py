"""Empty databases as a service's migrations leave them, kept beside what is installed.

Migrations take longer than all else that a new sandbox needs, and always come to the same.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from refstack_client.sandbox.profiles import Service

_HERE = Path(__file__).parent


def give(prefix: Path, service: Service, data: Path) -> bool:
    """Copy what is kept for a service to ``data``; return whether there was anything.

    :param prefix: of the environment it runs from
    """
    kept = _place(prefix, service)
    if not service.databases or not kept.exists():
        return False
    for path in kept.iterdir():
        shutil.copy(path, data / path.name)
    return True


def keep(prefix: Path, service: Service, data: Path) -> None:
    """Keep a service's databases, which nothing but its migrations has written to.

    An environment that cannot be written to, of an image, goes without.
    """
    kept = _place(prefix, service)
    if kept.exists() or not service.databases:
        return
    with contextlib.suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as place:
            made = Path(place) / kept.name
            made.mkdir()
            for name in service.databases:
                for path in data.glob(f"{name}.sqlite*"):
                    shutil.copy(path, made / path.name)
            os.replace(made, kept)


def _place(prefix: Path, service: Service) -> Path:
    """Return where they are; another place whenever this code or the migrations change."""
    steps = repr([step for step in service.steps if step.is_schema])
    digest = hashlib.sha256(steps.encode())
    for path in sorted((_HERE / "programs").glob("*.py")):
        digest.update(path.read_bytes())
    return prefix / "golden" / f"{service.name}-{digest.hexdigest()[:12]}"
