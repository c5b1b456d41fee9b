"""A cache of the empty databases that a service's migrations create.

Migrations take longer than all other steps of a new sandbox together, and their result is always
the same. The cache is in the virtual environment, so it goes away with an upgrade.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from refstack_client.sandbox.service_model import Service

_HERE = Path(__file__).parent


def restore(prefix: Path, service: Service, data: Path) -> bool:
    """Copy the databases of ``service`` from the cache to ``data``; return whether it has any.

    :param prefix: the virtual environment that the service runs from
    """
    cached = _directory(prefix, service)
    if not service.databases or not cached.exists():
        return False
    for path in cached.iterdir():
        shutil.copy(path, data / path.name)
    return True


def save(prefix: Path, service: Service, data: Path) -> None:
    """Copy the databases of ``service``, which only its migrations have written to, to the cache.

    A virtual environment that cannot be written to, as in a container image, stays without one.

    :param prefix: the virtual environment that the service runs from
    """
    cached = _directory(prefix, service)
    if cached.exists() or not service.databases:
        return
    with contextlib.suppress(OSError):
        cached.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as temporary:
            incomplete = Path(temporary) / cached.name
            incomplete.mkdir()
            for name in service.databases:
                for path in data.glob(f"{name}.sqlite*"):
                    shutil.copy(path, incomplete / path.name)
            os.replace(incomplete, cached)


def _directory(prefix: Path, service: Service) -> Path:
    """Return where its databases are; it changes whenever this code or the migrations do."""
    steps = repr([step for step in service.steps if step.is_schema])
    digest = hashlib.sha256(steps.encode())
    for path in sorted((_HERE / "programs").glob("*.py")):
        digest.update(path.read_bytes())
    return prefix / "schemas" / f"{service.name}-{digest.hexdigest()[:12]}"
