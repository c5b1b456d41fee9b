"""The configuration of a cloud: from clouds.yaml, ``--os-cloud`` and ``OS_*`` variables.

openstacksdk's own loader reads it, so every kind of authentication that it knows works here.
"""

import getpass
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import keystoneauth1.exceptions
import openstack.config
import openstack.exceptions
import yaml
from openstack.config.cloud_region import CloudRegion

from refstack_client.errors import CloudError

_FILES = ("cacert", "cert", "key")
"""Keys of a cloud's configuration that hold paths."""

ConfigValue = str | bool | int | float | dict | list
"""A value in clouds.yaml."""


class NoCloudError(CloudError):
    """No option, variable or file names a cloud."""


@dataclass(frozen=True)
class PortableConfig:
    """The configuration of one cloud, for use on another machine.

    :param name: name of the cloud
    :param clouds_yaml: the document of a clouds.yaml with this cloud alone; it holds secrets
    :param files: the files that the document names, by their name on the other machine
    """

    name: str
    clouds_yaml: dict[str, dict[str, dict[str, ConfigValue]]] = field(repr=False)
    files: dict[str, Path]


def load_region(os_cloud: str | None) -> CloudRegion:
    """Load the configuration of a cloud.

    :param os_cloud: name of the cloud; None for ``OS_CLOUD`` or the ``OS_*`` variables
    :raises NoCloudError: no cloud is named
    :raises CloudError: the configuration or the password is missing or invalid
    """
    try:
        config = openstack.config.OpenStackConfig(pw_func=_prompt if sys.stdin.isatty() else None)
        clouds = sorted(set(config.get_cloud_names()) - {"defaults", "envvars"})
        name = os_cloud or os.environ.get("OS_CLOUD")
        hint = (
            f"use --os-cloud with one of {', '.join(clouds)}"
            if clouds
            else "source an openrc file, or use --os-cloud with a clouds.yaml "
            "(~/.config/openstack/clouds.yaml or $OS_CLIENT_CONFIG_FILE)"
        )
        if name and name not in (*clouds, "envvars"):
            raise CloudError(f"there is no cloud called {name} in clouds.yaml", hint=hint)
        if not name and "OS_AUTH_URL" not in os.environ:
            raise NoCloudError("no cloud is named, and OS_AUTH_URL is not set", hint=hint)
        return _with_password(config.get_one(cloud=os_cloud))
    except yaml.YAMLError as error:
        raise CloudError(
            f"clouds.yaml is not valid YAML: {' '.join(str(error).split())}",
            hint="correct the file at that line and column",
        ) from error
    except (
        openstack.exceptions.ConfigException,
        keystoneauth1.exceptions.ClientException,
    ) as error:
        raise CloudError(
            " ".join(str(error).split()).rstrip("."),
            hint="openstack --os-cloud NAME token issue shows whether the credentials are complete",
        ) from error


def portable(os_cloud: str | None, directory: str) -> PortableConfig:
    """Return the configuration of a cloud for another machine.

    :param directory: the directory on the other machine in which the files will be
    :raises CloudError: as :func:`load_region`
    """
    region = load_region(os_cloud)
    name = region.name or "environment"
    config = {key: value for key, value in region.config.items() if isinstance(value, ConfigValue)}
    files = {key: Path(str(config[key])).expanduser() for key in _FILES if config.get(key)}
    config.update({key: f"{directory}/{key}.pem" for key in files})
    return PortableConfig(
        name,
        {"clouds": {name: config}},
        {f"{key}.pem": path for key, path in files.items()},
    )


def _with_password(region: CloudRegion) -> CloudRegion:
    """Check that a password is there if the authentication needs one.

    The message of keystoneauth about a missing password does not name the password.
    """
    if "password" in region.config.get("auth_type", "") and not region.get_auth_args().get(
        "password"
    ):
        raise CloudError(
            f"the credentials of {region.name} have no password",
            hint="set it in clouds.yaml or OS_PASSWORD, or run this on a terminal to be asked",
        )
    return region


def _prompt(prompt: str | None = None) -> str:
    """Ask on the terminal for what the credentials lack: a password or a passcode."""
    try:
        return getpass.getpass(f"{(prompt or 'Password').rstrip(': ')}: ")
    except EOFError as error:
        raise CloudError(
            "no password was entered", hint="enter it, or set it in clouds.yaml or OS_PASSWORD"
        ) from error
