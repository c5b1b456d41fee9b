"""The configuration of a cloud: from clouds.yaml, ``OS_*`` variables and options.

openstacksdk's own loader reads it, so every kind of authentication that it knows works here.
Region, interface and certificate authority take precedence over clouds.yaml if an option or a
variable names them, as they do for the ``openstack`` command.
"""

import getpass
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keystoneauth1.exceptions
import openstack.config
import openstack.exceptions
from keystoneauth1.identity.base import BaseIdentityPlugin
from openstack.config.cloud_region import CloudRegion

from refstack_client.cloud import config_files
from refstack_client.cloud.access import MOST_CHARACTERS, has_host
from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import CloudError

_FILES = ("cacert", "cert", "key")
"""Keys of a cloud's configuration that hold paths."""

ConfigValue = str | bool | int | float | dict | list
"""A value in clouds.yaml."""


_HINT = (
    "the documentation of openstacksdk describes clouds.yaml; an openrc file must set OS_AUTH_URL, "
    "OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, OS_USER_DOMAIN_NAME and OS_PROJECT_DOMAIN_NAME"
)


_ODD_ARGUMENT = re.compile(r"unexpected keyword argument '(\w+)'")
"""What a plugin of keystoneauth raises for a key below auth that it does not know."""


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


def load_region(selection: CloudSelection) -> CloudRegion:
    """Load the configuration of a cloud.

    :raises NoCloudError: no cloud is named
    :raises CloudError: the configuration or the password is missing or invalid
    """
    config_files.check(selection.name or os.environ.get("OS_CLOUD"))
    try:
        config = openstack.config.OpenStackConfig(pw_func=_prompt if sys.stdin.isatty() else None)
        name = selection.name or os.environ.get("OS_CLOUD")
        _check_name(name, sorted(set(config.get_cloud_names()) - {"defaults", "envvars"}))
        overrides = selection.overrides()
        if name and "region_name" not in overrides:
            _check_one_region(name, config.cloud_config["clouds"].get(name, {}))
        region = config.get_one(cloud=selection.name, **overrides)
        _check_credentials(region)
    except (
        openstack.exceptions.ConfigException,
        keystoneauth1.exceptions.ClientException,
    ) as error:
        raise CloudError(" ".join(str(error).split()).rstrip("."), hint=_HINT) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())
        if odd := _ODD_ARGUMENT.search(text):
            text = f"its auth_type does not take {odd[1]}"
        where = f"cloud {name}" if name else "OS_* variables"
        raise CloudError(
            f"the configuration of the {where} is not valid: {text}", hint=_HINT
        ) from error
    return region


def _check_name(name: str | None, clouds: Sequence[str]) -> None:
    """Check that a cloud of a known name is named, or ``OS_*`` variables describe one."""
    hint = (
        f"use --os-cloud with one of {', '.join(clouds)}"
        if clouds
        else "source an openrc file, or use --os-cloud with a clouds.yaml "
        "(~/.config/openstack/clouds.yaml or $OS_CLIENT_CONFIG_FILE)"
    )
    if name and not clouds and (file := config_files.missing()):
        raise CloudError(f"{file} does not exist", hint="correct or unset OS_CLIENT_CONFIG_FILE")
    if name and name not in (*clouds, "envvars"):
        missing = "" if config_files.exists() else ": there is no such file"
        raise CloudError(f"there is no cloud called {name} in clouds.yaml{missing}", hint=hint)
    if not name and "OS_AUTH_URL" not in os.environ:
        raise NoCloudError("no cloud is named, and OS_AUTH_URL is not set", hint=hint)


def _check_one_region(name: str, entry: Mapping[str, ConfigValue]) -> None:
    """Check that a cloud of clouds.yaml has one region: openstacksdk would take the first."""
    listed = entry.get("regions")
    if isinstance(listed, list) and len(listed) > 1:
        names = [
            str(region.get("name")) if isinstance(region, dict) else str(region)
            for region in listed
        ]
        raise several_regions(name, names)


def several_regions(cloud: str, names: Iterable[str]) -> CloudError:
    """Return the error that a cloud has several regions and none is chosen."""
    return CloudError(
        f"the cloud {cloud} has several regions: {', '.join(names)}",
        hint="choose the one to test: --os-region-name NAME, OS_REGION_NAME, or region_name in "
        "clouds.yaml",
    )


def portable(selection: CloudSelection, directory: str) -> PortableConfig:
    """Return the configuration of a cloud for another machine.

    :param directory: the directory on the other machine in which the files will be
    :raises CloudError: as :func:`load_region`
    """
    region = load_region(selection)
    name = region.name or "environment"
    config = {key: value for key, value in region.config.items() if isinstance(value, ConfigValue)}
    files = {key: Path(str(config[key])).expanduser() for key in _FILES if config.get(key)}
    config.update({key: f"{directory}/{key}.pem" for key in files})
    config.pop("regions", None)  # one is chosen
    return PortableConfig(
        name,
        {"clouds": {name: config}},
        {f"{key}.pem": path for key, path in files.items()},
    )


def title(region: CloudRegion) -> str:
    """Return where a configuration comes from, as messages name it."""
    if region.name in (None, "", "envvars"):
        return "the OS_* variables"
    return f"the cloud {region.name}"


def _check_credentials(region: CloudRegion) -> None:
    """Check what openstacksdk and keystoneauth leave to the first request.

    The message of keystoneauth about a missing password does not name the password.

    :raises CloudError: the password is missing, the credentials do not sign in to Keystone,
        or the URL of Keystone cannot be used
    """
    auth, auth_type = region.get_auth_args(), region.config.get("auth_type") or ""
    if "password" in auth_type and not auth.get("password"):
        raise CloudError(
            f"{title(region)} has no password",
            hint="set it in clouds.yaml or OS_PASSWORD, or run this on a terminal to be asked",
        )
    if not isinstance(region.get_auth(), BaseIdentityPlugin):
        raise CloudError(
            f"{title(region)} has auth_type {auth_type}, which does not sign in to Keystone",
            hint="use auth_type password or v3applicationcredential",
        )
    if fault := _fault_of(str(auth.get("auth_url") or "")):
        raise CloudError(
            f"auth_url of {title(region)} {fault}",
            hint="it is the URL of Keystone, such as https://keystone.example.org:5000/v3: correct "
            "it in clouds.yaml or OS_AUTH_URL",
        )


def _fault_of(auth_url: str) -> str:
    """Return what is wrong with the URL of Keystone, "" if nothing is.

    A part of it may be a password, which must not be shown.
    """
    faults = {
        "is missing": not auth_url,
        f"is longer than {MOST_CHARACTERS} characters": len(auth_url) > MOST_CHARACTERS,
        "has a user or a password, which it must not": "@" in auth_url,
        f"does not start with http:// or https:// (in lower case): {auth_url}": (
            not auth_url.startswith(("http://", "https://"))
        ),
        f"has no valid host or port: {auth_url}": not has_host(auth_url),
        f"has a query or a fragment, which it must not: {auth_url}": (
            "?" in auth_url or "#" in auth_url
        ),
    }
    return next((fault for fault, is_found in faults.items() if is_found), "")


def _prompt(prompt: str | None = None) -> str:
    """Ask on the terminal for what the credentials lack: a password or a passcode."""
    try:
        return getpass.getpass(f"{(prompt or 'Password').rstrip(': ')}: ")
    except EOFError as error:
        raise CloudError(
            "no password was entered", hint="enter it, or set it in clouds.yaml or OS_PASSWORD"
        ) from error
