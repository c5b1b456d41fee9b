"""Check the list of packages of an image against what a run states."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from refstack_client.errors import InputError


def check(sbom: bytes, images: Iterable[dict[str, Any]], versions: dict[str, str]) -> str:
    """Return what a list of packages lists.

    :param versions: of Tempest and its plugins, as the run states them
    :raises InputError: it is not the one an image of the run had, or lists other versions
    """
    digest = hashlib.sha256(sbom).hexdigest()
    if digest not in {each["sbom"] for each in images}:
        raise InputError("it is not that of an image in which the run ran")
    listed = {each["name"]: each["version"] for each in json.loads(sbom)["components"]}
    for name, version in versions.items():
        if listed.get(name) != version:
            raise InputError(f"it lists {name} {listed.get(name)}, the run had {version}")
    return f"{len(listed)} packages, Tempest and its plugins as the run had them"
