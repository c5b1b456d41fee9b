"""Record in which container image a run ran, for the bundle.

The build puts two files into the image: ``image.json`` names the base image, ``sbom.json`` is a
CycloneDX list of all packages. An image cannot contain its own digest. ``container run`` passes it,
and so may ``docker run -e REFSTACK_IMAGE=NAME@DIGEST``.
"""

import hashlib
import os
import platform
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from refstack_client.files import IMAGE_DATA, read_json
from refstack_client.outcomes.run_directory import Run

VARIABLE = "REFSTACK_IMAGE"
_PACKAGES = ("python-subunit", "refstack-client", "stestr", "tempest")


def image(built: Path = IMAGE_DATA) -> dict[str, object] | None:
    """Return what attempts.jsonl records of the image; None outside of a container image."""
    document = read_json(built / "image.json", default=None)
    if document is None:
        return None
    name, _, digest = os.environ.get(VARIABLE, "").partition("@")
    versions = {package: metadata.version(package) for package in _PACKAGES}
    return {
        "name": name or None,
        "digest": digest or None,
        "base": document["base"],
        "versions": {"python": platform.python_version(), **versions},
        "sbom": hashlib.sha256((built / "sbom.json").read_bytes()).hexdigest(),
    }


def keep_sbom(run: Run, built: Path = IMAGE_DATA) -> None:
    """Copy the list of packages of the image, if there is one, to the run directory."""
    if (built / "sbom.json").exists():
        shutil.copyfile(built / "sbom.json", run.sbom)


def keep_first_sbom(runs: Iterable[Run], merged: Run) -> None:
    """Copy the first list of packages among those of ``runs`` to the merged run."""
    sbom = next((run.sbom for run in runs if run.sbom.exists()), None)
    if sbom:
        shutil.copyfile(sbom, merged.sbom)
