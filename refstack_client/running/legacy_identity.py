"""The identity of a cloud by its tempest.conf: the cpid that the original refstack-client computes.

It signs in as the first user of the accounts file, or as the user in the section ``identity``, and
takes the id of the identity service in the service catalog. Where that fails it takes the MD5 of
the host of Keystone's URL. The domain is ``domain_name`` in the section ``identity``, else
``Default``: domains in the accounts file are not read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keystoneauth1 import session
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v3
from oslo_config import cfg

from refstack_client import yaml_text
from refstack_client.cloud.access import SECONDS_TO_CONNECT
from refstack_client.cloud.connection import v3_url
from refstack_client.cloud.failures import FAILURES, summary
from refstack_client.errors import InputError
from refstack_client.files import read_bytes
from refstack_client.outcomes import cpid
from refstack_client.yaml_text import InvalidYamlError

DEFAULT_DOMAIN = "Default"
DOMAIN = ("identity", "domain_name")
"""Section and option that only refstack-client reads: Tempest has no such option."""

_OPTIONS: Mapping[str, Sequence[str]] = {
    "identity": (
        *("uri", "uri_v3", "auth_version", "ca_certificates_file"),
        *("disable_ssl_certificate_validation", "domain_name"),
        *("username", "password", "project_name", "tenant_name"),
    ),
    "auth": (
        "test_accounts_file",
        *("admin_username", "admin_password", "admin_project_name", "admin_domain_name"),
        *("admin_user_domain_name", "admin_project_domain_name"),
    ),
    "object-storage": ("reseller_admin_role",),
}
_TRUE = ("true", "1", "yes", "on")
Entry = dict[str, Any]
"""A user of an accounts file, as it stands there."""


@dataclass(frozen=True)
class User:
    """Credentials for one project.

    :param source: where they stand, for messages
    :param listed_domain: the domain that an accounts file has for the user, which is not read
    """

    username: str
    password: str = field(repr=False)
    project_name: str
    user_domain: str
    project_domain: str
    source: str
    listed_domain: str = ""


@dataclass(frozen=True)
class Identity:
    """How the identity service of a cloud is reached, and as whom.

    :param url: of the identity service
    :param auth_version: of its API, ``v3`` or ``v2``
    :param user: the user to sign in as; None if the configuration names none
    :param accounts_file: path of the accounts file; None if there is none
    :param reseller_role: the role of the users who may set account quotas
    :param verify: False accepts any certificate; a text is a file of certificate authorities
    """

    url: str
    auth_version: str
    user: User | None
    accounts_file: Path | None
    reseller_role: str
    verify: bool | str

    def sign_in(self, auth: Mapping[str, Any]) -> AccessInfo:
        """Return a token; raises what keystoneauth raises.

        :param auth: parameters of keystoneauth's ``v3.Password``, without ``auth_url``
        """
        plugin = v3.Password(auth_url=v3_url(self.url), **auth)
        return plugin.get_access(
            session.Session(auth=plugin, verify=self.verify, timeout=SECONDS_TO_CONNECT)
        )


@dataclass(frozen=True)
class Cpid:
    """A cpid, and why it is made from the host of Keystone's URL; "" if it is not."""

    value: str
    reason: str = ""


def read(path: Path, *, insecure: bool = False) -> Identity:
    """Read a tempest.conf in the dialect of oslo.config, in which ``$$`` stands for ``$``.

    :param insecure: accept any certificate, also if the file requests verification
    :raises InputError: the file or its accounts file cannot be read, or it names no Keystone
    """
    values = _values(path)
    version = values["identity.auth_version"] or "v3"
    first, second = ("uri", "uri_v3") if version == "v2" else ("uri_v3", "uri")
    url = values[f"identity.{first}"] or values[f"identity.{second}"]
    if not url:
        raise InputError(
            f"{path}: the section identity has no uri_v3",
            hint="set it to the URL of Keystone, such as https://keystone.example.org:5000/v3",
        )
    accounts = values["auth.test_accounts_file"]
    accounts_file = _found(Path(accounts).expanduser(), path.parent) if accounts else None
    unverified = values["identity.disable_ssl_certificate_validation"].lower() in _TRUE
    return Identity(
        url=url,
        auth_version=version,
        user=_user(values, accounts_file),
        accounts_file=accounts_file,
        reseller_role=values["object-storage.reseller_admin_role"] or "ResellerAdmin",
        verify=not (insecure or unverified) and (values["identity.ca_certificates_file"] or True),
    )


def _values(path: Path) -> Mapping[str, str]:
    """Return the values of the options, "" for each that the file does not have."""
    read_bytes(path)  # its errors are sentences
    conf = cfg.ConfigOpts()
    for section, names in _OPTIONS.items():
        conf.register_opts([cfg.StrOpt(name, default="") for name in names], group=section)
    try:
        conf([], project="tempest", default_config_files=[str(path)], use_env=False)
        return {
            f"{section}.{name}": conf[section][name] or ""
            for section, names in _OPTIONS.items()
            for name in names
        }
    except cfg.Error as error:
        raise InputError(
            f"{path}: {' '.join(str(error).split())}",
            hint="a $ in a value is written $$ in a tempest.conf",
        ) from error


def _found(accounts: Path, beside: Path) -> Path:
    """Return the path of an accounts file: from the working directory, else beside tempest.conf."""
    return accounts if accounts.exists() else beside / accounts


def entries(path: Path) -> list[Entry]:
    """Return the users of an accounts file as they stand there.

    :raises InputError: it cannot be read, or is not a list of users
    """
    try:
        found = yaml_text.load(read_bytes(path))
    except InvalidYamlError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(found, list) or not all(isinstance(user, dict) for user in found):
        raise InputError(f"{path}: expected a list of users", hint="docs/how-to/credentials.rst")
    if not found:
        raise InputError(f"the accounts file {path} has no user")
    return found


def _user(values: Mapping[str, str], accounts_file: Path | None) -> User | None:
    domain = values["identity.domain_name"] or DEFAULT_DOMAIN
    if accounts_file:
        first = entries(accounts_file)[0]
        return User(
            username=_text(first, "username"),
            password=_text(first, "password"),
            project_name=_text(first, "tenant_name", "project_name"),
            user_domain=domain,
            project_domain=domain,
            source=f"the first user of {accounts_file}",
            listed_domain=_text(first, "user_domain_name", "domain_name"),
        )
    if values["identity.username"]:
        return User(
            username=values["identity.username"],
            password=values["identity.password"],
            project_name=values["identity.tenant_name"] or values["identity.project_name"],
            user_domain=domain,
            project_domain=domain,
            source="the user in the section identity",
        )
    if values["auth.admin_username"]:
        # The original does not read them. Tempest does.
        own = values["auth.admin_domain_name"] or domain
        return User(
            username=values["auth.admin_username"],
            password=values["auth.admin_password"],
            project_name=values["auth.admin_project_name"],
            user_domain=values["auth.admin_user_domain_name"] or own,
            project_domain=values["auth.admin_project_domain_name"] or own,
            source="the user in the section auth",
        )
    return None


def _text(entry: Entry, *keys: str) -> str:
    """Return the first value that there is, as text: YAML reads some passwords as numbers."""
    return next((str(entry[key]) for key in keys if entry.get(key) is not None), "")


def cpid_of(identity: Identity) -> Cpid:
    """Return the cpid of a cloud; the reason is given where it has no id of the service."""
    reason = _unusable(identity)
    user = identity.user
    if not reason and user:
        try:
            access = identity.sign_in(
                {
                    "username": user.username,
                    "password": user.password,
                    "project_name": user.project_name,
                    "user_domain_name": user.user_domain,
                    "project_domain_name": user.project_domain,
                }
            )
        except FAILURES as error:
            reason = f"{user.source} ({user.username}) cannot sign in: {summary(error)}"
            reason += _of_domain(user)
        else:
            catalog = access.service_catalog.catalog if access.has_service_catalog() else ()
            ids = (entry.get("id") for entry in catalog if entry.get("type") == "identity")
            if found := next(filter(None, ids), None):
                return Cpid(found)
            reason = "the service catalog has no id of the identity service"
    return Cpid(cpid.of_endpoint(identity.url), reason)


def _unusable(identity: Identity) -> str:
    """Return why no user can sign in; "" if it is to be tried."""
    user = identity.user
    if identity.auth_version != "v3":
        return f"auth_version is {identity.auth_version}, and Keystone has only v3 since Queens"
    if user is None:
        return "tempest.conf names no user: neither test_accounts_file nor admin_username"
    missing = {
        "username": user.username,
        "password": user.password,
        "project_name": user.project_name,
    }
    return next((f"{user.source} has no {key}" for key, value in missing.items() if not value), "")


def is_default(domain: str) -> bool:
    """Return whether a name is that of the default domain: many files have it in lower case."""
    return domain.casefold() == DEFAULT_DOMAIN.casefold()


def _of_domain(user: User) -> str:
    """Return what to do about a user whose domain is not the one that is read; "" if it is."""
    listed, read = user.listed_domain, user.user_domain
    if not listed or listed == read or (is_default(listed) and is_default(read)):
        return ""
    return (
        f"; the domain {user.listed_domain} of the accounts file is not read: set domain_name = "
        f"{user.listed_domain} in the section identity"
    )
