"""Which image a run came from, as its build and whoever started it told: for the bundle.

The build leaves two files in the image: ``image.json`` names the base it stands on, ``sbom.json``
lists every package in it, as CycloneDX has it. An image cannot know its own digest: ``container
run`` tells it, and so may ``docker run -e REFSTACK_IMAGE=NAME@DIGEST``.
"""

import hashlib
import os
import platform
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from refstack_client.files import IMAGE_DATA, read_json
from refstack_client.outcomes.run_directory import Run

VARIABLE = "REFSTACK_IMAGE"
_PACKAGES = ("python-subunit", "refstack-client", "stestr", "tempest")


def image(built: Path = IMAGE_DATA) -> dict[str, Any] | None:
    """Return what is known of the image this runs in; None where it runs in none."""
    document = read_json(built / "image.json", default=None)
    if document is None:
        return None
    name, _, digest = os.environ.get(VARIABLE, "").partition("@")
    versions = {each: metadata.version(each) for each in _PACKAGES}
    return {
        "name": name or None,
        "digest": digest or None,
        "base": document["base"],
        "versions": {"python": platform.python_version(), **versions},
        "sbom": hashlib.sha256((built / "sbom.json").read_bytes()).hexdigest(),
    }


def keep_sbom(made: Run, built: Path = IMAGE_DATA) -> None:
    """Put the list of what is in the image, if this runs in one, into the run directory."""
    if (built / "sbom.json").exists():
        shutil.copyfile(built / "sbom.json", made.sbom)


def keep_first_sbom(runs: Iterable[Run], made: Run) -> None:
    found = next((each.sbom for each in runs if each.sbom.exists()), None)
    if found:
        shutil.copyfile(found, made.sbom)
