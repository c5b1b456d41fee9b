"""The tempest.conf of a run: composed of facts about the cloud, fixed options and choices.

Every option has an origin, which ``config show --origin`` shows. Credentials are added last, to the
copy that only Tempest reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from refstack_client.cloud.account import Account
from refstack_client.files import write_private
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.tempest import worker_accounts
from refstack_client.tempest.service_settings import Group
from refstack_client.tempest.settings import Setting, is_secret
from refstack_client.tempest.tenant_roles import TenantRoles
from refstack_client.tempest.workspace import Workspace

_ACCOUNTS = ("auth", "test_accounts_file")


@dataclass(frozen=True)
class Choices:
    """What tempest.conf depends on besides what the cloud offers.

    :param services: settings for reaching the services, and for what they offer
    :param users: tenant users as whom the tests run
    :param roles: names of Swift's roles
    :param overrides: settings of the user, which take precedence over all others
    :param prefix: start of the name of everything that Tempest creates
    :param resources: settings that name an existing image, flavors and network
    :param relay: settings for reaching the services through a relay, while it runs
    """

    services: Sequence[Group]
    users: Sequence[Account]
    roles: TenantRoles
    overrides: Sequence[Setting]
    prefix: str
    resources: Sequence[Setting] = ()
    relay: Sequence[Setting] = ()


@dataclass(frozen=True)
class Value:
    """The text of an option, and where it comes from (for people)."""

    text: str
    origin: str


Conf = Mapping[tuple[str, str], Value]
"""A tempest.conf: values by section and option."""


def compose(workspace: Workspace, choices: Choices) -> Conf:
    """Return the tempest.conf for ``choices``, without credentials, which :func:`write` adds."""
    conf: Conf = {}
    for origin, settings in (
        *choices.services,
        ("the relay of this run", choices.relay),
        *_fixed(workspace, choices.prefix),
        ("chosen among the roles of the cloud", choices.roles.settings()),
        ("chosen among what the cloud has: the smallest that serves", choices.resources),
    ):
        conf = extended(conf, settings, origin)
    return conf


def write(workspace: Workspace, conf: Conf, choices: Choices, admin: Account | None = None) -> Conf:
    """Write the workspace's tempest.conf and accounts file.

    :param admin: the user with whom Tempest creates tenants; None for the users of ``choices``
    :return: the complete tempest.conf, secrets hidden
    """
    complete = extended(
        conf, _credentials(workspace, admin, choices.roles), "created for this run, or --accounts"
    )
    complete = extended(complete, choices.overrides, "given: --set, or tempest in clouds.yaml")
    users = [worker_accounts.entry(account, account.roles) for account in choices.users]
    write_private(workspace.accounts, yaml.safe_dump(users, allow_unicode=True))
    write_private(workspace.tempest_conf, render(complete))
    shown = {
        (section, option): Value(HIDDEN, value.origin) if is_secret(option) else value
        for (section, option), value in complete.items()
    }
    if accounts := shown.get(_ACCOUNTS):
        shown[_ACCOUNTS] = Value("accounts.yaml (removed after the run)", accounts.origin)
    return shown


def render(conf: Conf, *, origins: bool = False) -> str:
    """Return the text of a tempest.conf in the dialect of oslo.config.

    :param origins: add a comment above each value that names its origin
    """
    lines: list[str] = []
    for section in sorted({name for name, _ in conf}, key=_default_first):
        lines.append(f"[{section}]")
        for (section_of_option, option), value in conf.items():
            if section_of_option == section:
                lines += [f"# {value.origin}"] if origins else []
                lines.append(f"{option} = {_quoted(value.text)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _default_first(section: str) -> tuple[bool, str]:
    return section != "DEFAULT", section


def extended(conf: Conf, settings: Iterable[Setting], origin: str) -> Conf:
    """Return ``conf`` with ``settings`` added; the last of several values of an option wins."""
    added = {
        (setting.section, setting.option): Value(setting.value, origin) for setting in settings
    }
    return {**conf, **added}


def _fixed(workspace: Workspace, prefix: str) -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    """Return the settings that are the same for every cloud, each group after its reason."""
    return (
        (
            "the roles in the tokens are read from Tempest's log, which is in the workspace",
            (
                Setting("DEFAULT", "debug", "true"),
                Setting("DEFAULT", "use_stderr", "false"),
                Setting("DEFAULT", "log_file", str(workspace.log)),
            ),
        ),
        (
            "start of the name of everything that this run creates",
            (Setting("DEFAULT", "resource_name_prefix", prefix),),
        ),
        (
            "locks are this run's",
            (Setting("oslo_concurrency", "lock_path", str(workspace.directory / "locks")),),
        ),
        (
            "nothing is downloaded",
            (Setting("image", "http_image", "http://127.0.0.1:1/none"),),
        ),
        (
            "tests do not log in to guests: they may not be reachable from here",
            (Setting("validation", "run_validation", "false"),),
        ),
        (
            "how tests log in to guests, if they do: Tempest's defaults",
            (
                Setting("validation", "connect_method", "floating"),
                Setting("validation", "ip_version_for_ssh", "4"),
                Setting("validation", "image_ssh_user", "root"),
                Setting("validation", "image_alt_ssh_user", "root"),
                Setting("validation", "ssh_timeout", "300"),
            ),
        ),
        (
            "every Neutron of today has them; Tempest's default is false",
            (Setting("network-feature-enabled", "ipv6_subnet_attributes", "true"),),
        ),
        (
            "whether it works is what tests show; Tempest's default is false",
            (Setting("compute-feature-enabled", "resize", "true"),),
        ),
        (
            "only an admin can know whether backups are enabled",
            (Setting("volume-feature-enabled", "backup", "false"),),
        ),
        (
            "the content that tests upload as an image has no image format",
            (Setting("image-feature-enabled", "image_format_enforcement", "false"),),
        ),
    )


def _credentials(
    workspace: Workspace, admin: Account | None, roles: TenantRoles
) -> tuple[Setting, ...]:
    if admin:
        return admin_credentials(admin, roles)
    return (
        Setting("auth", "use_dynamic_credentials", "false"),
        Setting(*_ACCOUNTS, str(workspace.accounts)),
    )


def admin_credentials(admin: Account, roles: TenantRoles) -> tuple[Setting, ...]:
    """Return the settings with which Tempest creates tenants, secrets included."""
    options = {
        "use_dynamic_credentials": "true",
        "tempest_roles": ",".join((roles.member, *roles.further)),
        "admin_username": admin.username,
        "admin_password": admin.password,
        "admin_project_name": admin.project_name,
        "admin_domain_name": admin.domain_name,
        "admin_user_domain_name": admin.domain_name,
        "admin_project_domain_name": admin.project_domain_name,
    }
    return tuple(Setting("auth", option, value) for option, value in options.items())


def _quoted(value: str) -> str:
    """Return a value as oslo.config reads it: ``$`` starts a reference, and quotes keep spaces."""
    escaped = value.replace("$", "$$")
    return f'"{escaped}"' if escaped != escaped.strip() or escaped[:1] in "\"'" else escaped
