"""The tempest.conf that ``config`` writes: complete, with credentials, so that ``test`` can run.

An admin credential is written into it, and Tempest creates tenants with it. The credential of a
tenant is written into an accounts file, as the original refstack-client does.
"""

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from refstack_client.cloud.account import Account
from refstack_client.cloud.connection import Cloud, connect
from refstack_client.errors import CloudError, InputError, UsageError
from refstack_client.planning.request import CertificationRequest
from refstack_client.running import legacy_identity, tempest_session
from refstack_client.tempest import cloud_resources, worker_accounts
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.choice import Remark
from refstack_client.tempest.conf import Choices
from refstack_client.tempest.settings import Setting
from refstack_client.tempest.tenant_roles import TenantRoles, choose_roles_of_users
from refstack_client.tempest.workspace import workspace
from refstack_client.tenants import accounts_file, creation, existing_users, provision

_DOMAIN = Setting(*legacy_identity.DOMAIN, "")


@dataclass(frozen=True)
class LegacyConf:
    """What ``config`` writes.

    :param text: the tempest.conf
    :param accounts: the accounts file that it names; "" if it exists, or none is named
    :param sentences: for people: its content, and warnings
    """

    text: str = dataclasses.field(repr=False)
    accounts: str = dataclasses.field(repr=False)
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class _Credentials:
    settings: tuple[Setting, ...] = dataclasses.field(repr=False)
    roles: TenantRoles
    sentences: tuple[str, ...]
    accounts: str = dataclasses.field(default="", repr=False)


def first_supported(requests: Sequence[CertificationRequest]) -> CertificationRequest:
    """Return the first request whose services the cloud has.

    :raises CloudError: the cloud cannot be used, or lacks services for each of them
    """
    first, *_ = requests
    cloud = connect(first.cloud)
    errors = []
    for request in requests:
        try:
            tempest_session.tested_endpoints(request, cloud)
        except CloudError as error:
            errors.append(error)
        else:
            return request
    raise errors[0]


def compose(request: CertificationRequest, accounts: Path) -> LegacyConf:
    """Return the tempest.conf for a cloud; nothing is created in it.

    :param accounts: where an accounts file is to be written, if the request has none
    :raises CloudError: the cloud or the credentials cannot be used
    :raises InputError: the accounts file of the request cannot be read
    """
    named, request = request.accounts_file, dataclasses.replace(request, accounts_file=None)
    cloud, request = tempest_session.connect_for(request)
    services = tempest_session.service_groups(request, cloud)
    resources = cloud_resources.choose(cloud, request.service_types, request.settings)
    if named:
        found = _of_file(named, request, cloud)
    elif cloud.facts.is_admin:
        found = _of_admin(request, cloud)
    else:
        found = _of_tenant(accounts, request, cloud)
    overridden = {(setting.section, setting.option) for setting in request.settings}
    own = [one for one in found.settings if (one.section, one.option) not in overridden]
    choices = Choices(
        services=services,
        users=(),
        roles=found.roles,
        overrides=(),
        prefix=f"refstack-{secrets.token_hex(3)}",
        resources=resources.settings,
    )
    with workspace() as space:
        conf = tempest_conf.compose(space, choices)
        directory = str(space.directory)
        shown = {key: value for key, value in conf.items() if directory not in value.text}
    complete = tempest_conf.extended(shown, (*own, *request.settings), "")
    return LegacyConf(
        tempest_conf.render(complete),
        found.accounts,
        (*found.sentences, *map(_sentence, resources.remarks)),
    )


def image_id(request: CertificationRequest, name: str) -> str:
    """Return the id of an image by its id or name, or by the last part of a path or URL.

    :return: "" if no test needs an image
    :raises UsageError: there is no such image
    """
    if cloud_resources.COMPUTE not in request.service_types:
        return ""
    leaf = name.rstrip("/").rpartition("/")[2]
    found = connect(request.cloud).connection.image.find_image(leaf)
    if found is None:
        raise UsageError(
            f"--image {name}: the cloud has no image {leaf}, and config uploads none",
            hint=f"upload it with openstack image create --file {leaf} {leaf}, then try again",
        )
    return str(found.id)


def _sentence(remark: Remark) -> str:
    return f"{remark.option}: {remark.message}"


def _of_file(path: Path, request: CertificationRequest, cloud: Cloud) -> _Credentials:
    entries = legacy_identity.entries(path)
    sentences = []
    roles: list[Sequence[str]] = [entry.get("roles") or () for entry in entries]
    try:
        users = existing_users.sign_in(accounts_file.entries(path), cloud)
        roles = [user.roles for user in users]
        existing_users.arrange(users, choose_roles_of_users(roles, request.settings).reseller_admin)
    except (CloudError, InputError) as error:
        sentences.append(f"warning: {error}")
    domain = str(entries[0].get("user_domain_name") or entries[0].get("domain_name") or "")
    return _Credentials(
        _accounts_settings(path, domain),
        choose_roles_of_users(roles, request.settings),
        (f"the tests run as the users in {path}", *sentences),
    )


def _of_tenant(path: Path, request: CertificationRequest, cloud: Cloud) -> _Credentials:
    """Return the settings for the user of the credentials alone, in an accounts file."""
    account = _account(cloud)
    entry = worker_accounts.entry(account, cloud.facts.roles)
    return _Credentials(
        _accounts_settings(path, account.domain_name),
        choose_roles_of_users([cloud.facts.roles], request.settings),
        (
            f"{path} has the password of {account.username}",
            "warning: tests that need two users fail with it: list more users in it, each with a "
            "project of its own (docs/how-to/credentials.rst)",
        ),
        yaml.safe_dump([entry], allow_unicode=True, sort_keys=False),
    )


def _of_admin(request: CertificationRequest, cloud: Cloud) -> _Credentials:
    account = _account(cloud)
    roles = provision.roles_of_cloud(request, creation.roles(cloud))
    return _Credentials(
        tempest_conf.admin_credentials(account, roles),
        roles,
        (f"the file has the password of {account.username}, as whom Tempest creates tenants",),
    )


def _accounts_settings(path: Path, domain: str) -> tuple[Setting, ...]:
    """Return the settings for an accounts file; the domain is for refstack-client alone."""
    other = domain and not legacy_identity.is_default(domain)
    return (
        Setting("auth", "use_dynamic_credentials", "false"),
        Setting("auth", "test_accounts_file", str(path.resolve())),
        *((_DOMAIN._replace(value=domain),) if other else ()),
    )


def _account(cloud: Cloud) -> Account:
    """Return the user of the credentials, with the password.

    :raises CloudError: they have no password
    """
    config = cloud.connection.config
    password = (config.get_auth_args() or {}).get("password")
    if not password:
        raise CloudError(
            f"the credentials of {cloud.name} have no password, and Tempest signs in with one",
            hint="use credentials with a password, or --use-test-accounts FILE",
        )
    session = cloud.connection.session
    access = session.auth.get_access(session)
    return Account(
        username=access.username,
        password=str(password),
        project_name=access.project_name,
        domain_name=access.user_domain_name,
        project_domain=access.project_domain_name,
    )
