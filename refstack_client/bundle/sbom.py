"""Check the list of packages of an image (CycloneDX) against what a run states."""

import hashlib
from collections.abc import Iterable, Mapping

from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonValue


def check(sbom: bytes, images: Iterable[Mapping[str, object]], versions: Mapping[str, str]) -> str:
    """Return a sentence on what the list contains.

    :param images: the images of the run, each with the SHA-256 of its list as ``sbom``
    :param versions: of Tempest and its plugins, as the run states them
    :raises InputError: no image of the run had this list, or it lists other versions
    """
    digest = hashlib.sha256(sbom).hexdigest()
    if digest not in {image["sbom"] for image in images if "sbom" in image}:
        raise InputError("it is not that of an image in which the run ran")
    components = JsonValue.parse(sbom, "sbom.json").member("components")
    listed = {
        component.member("name").text(): component.optional("version", JsonValue.text, "no version")
        for component in components.items()
    }
    for name, version in versions.items():
        if listed.get(name) != version:
            raise InputError(f"it lists {name} {listed.get(name)}, the run had {version}")
    return f"{len(listed)} packages, Tempest and its plugins as the run had them"
