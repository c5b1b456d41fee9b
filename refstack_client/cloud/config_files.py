"""Check the files that configure clouds before openstacksdk reads them.

openstacksdk leaves out a file that it cannot read or parse, and then knows no cloud.
"""

import os
from pathlib import Path

import yaml
from openstack.config import loader

from capabilities import file_content
from refstack_client.errors import CloudError

_MOST_BYTES = 1_000_000
_VARIABLES = (
    ("OS_CLIENT_CONFIG_FILE", loader.CONFIG_FILES),
    ("OS_CLIENT_SECURE_FILE", loader.SECURE_FILES),
)
"""The variable that names a file, and the places of openstacksdk without it."""


def check() -> None:
    """Check the clouds.yaml and secure.yaml that openstacksdk would read.

    :raises CloudError: one cannot be read or parsed, or has another form
    """
    for variable, places in _VARIABLES:
        named = os.environ.get(variable)
        if found := next(filter(os.path.exists, (named or "", *places)), None):
            _check(Path(found))


def missing() -> str:
    """Return the clouds.yaml that a variable names and that does not exist; "" if it exists."""
    ((variable, _), _) = _VARIABLES
    named = os.environ.get(variable, "")
    return "" if os.path.exists(named) else named


def _check(path: Path) -> None:
    try:
        document = yaml.safe_load(file_content.read(path, _MOST_BYTES).decode())
    except OSError as error:
        raise CloudError(
            f"cannot read {path}: {error.strerror}", hint="check the file and its permissions"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise CloudError(
            f"{path} is not valid YAML: {' '.join(str(error).split())}",
            hint="correct the file at that line and column",
        ) from error
    for pointer, value in _mappings(document):
        if not isinstance(value, dict):
            raise CloudError(
                f"{path}: {pointer} must be a mapping",
                hint="a clouds.yaml has clouds:, below it the name of each cloud, and below that "
                "auth: and region_name:",
            )


def _mappings(document: object) -> list[tuple[str, object]]:
    """Return the values that must be mappings, each after its JSON pointer."""
    found: list[tuple[str, object]] = [("/", document)]
    clouds = document.get("clouds", {}) if isinstance(document, dict) else {}
    found.append(("/clouds", clouds))
    for name, cloud in clouds.items() if isinstance(clouds, dict) else ():
        found.append((f"/clouds/{name}", cloud))
        if isinstance(cloud, dict) and "auth" in cloud:
            found.append((f"/clouds/{name}/auth", cloud["auth"]))
    return found
