"""The tempest.conf of a run: discovered, corrected, completed.

python-tempestconf finds out what the cloud offers. What it is known to get wrong is put right here,
and credentials are added last, in the copy that only Tempest reads.
"""

import configparser
import copy
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from refstack_client.accounts import Account
from refstack_client.cloud_facts import CloudFacts
from refstack_client.errors import CloudError, UsageError
from refstack_client.files import write_private
from refstack_client.redaction import HIDDEN
from refstack_client.throwaway import User
from refstack_client.workspace import Workspace

Setting = tuple[str, str, str]
"""Section, option, value."""


@dataclass(frozen=True)
class Roles:
    """Swift's roles as this cloud calls them (they are its operator's choice)."""

    operator: str
    reseller_admin: str

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("member", self.operator, self.reseller_admin)))


def choose_roles(known: Sequence[str], settings: Sequence[Setting]) -> Roles:
    """Choose among the roles a cloud has: Swift's own where they exist, else ``member``.

    Roles are only ever chosen, never made: they are the cloud's, not ours. ``settings`` given by
    the user (``object-storage.operator_role``, ``….reseller_admin_role``) go before.
    """
    by_lower = {name.lower(): name for name in known}
    given = {option: value for section, option, value in settings if section == "object-storage"}
    operator = given.get("operator_role") or by_lower.get("swiftoperator")
    operator = operator or by_lower.get("member", "member")
    reseller = given.get("reseller_admin_role") or by_lower.get("reselleradmin", operator)
    return Roles(operator, reseller)


def parse_settings(texts: Sequence[str]) -> tuple[Setting, ...]:
    """Read ``--set section.option=value``.

    :raises UsageError: one has another form
    """
    settings = []
    for text in texts:
        where, equals, value = text.partition("=")
        section, dot, option = where.rpartition(".")
        if not (equals and dot and section and option):
            raise UsageError(
                f"--set {text}: expected section.option=value",
                hint="for example --set object-storage.operator_role=swiftoperator",
            )
        settings.append((section.strip(), option.strip(), value.strip()))
    return tuple(settings)


@dataclass(frozen=True)
class Choices:
    """What tempest.conf depends on besides what the cloud offers.

    ``users`` are the tenants the tests run as; ``prefix`` starts every name Tempest makes;
    ``resources`` name what of the cloud's is used; ``overrides`` are the user's and go before
    everything.
    """

    cloud: CloudFacts
    users: Sequence[Account]
    roles: Roles
    overrides: Sequence[Setting]
    prefix: str
    tls: Mapping[str, str | bool | None]
    resources: Sequence[Setting] = ()


def compose(workspace: Workspace, choices: Choices) -> configparser.ConfigParser:
    """Return the tempest.conf for ``choices``; what it says of credentials, :func:`write` adds.

    :raises CloudError: python-tempestconf could not make sense of the cloud
    """
    conf = _discover(workspace, choices)
    _put(
        conf,
        (
            *_corrections(workspace, choices.prefix, choices.roles),
            *_tls(choices.tls),
            *choices.resources,
        ),
    )
    return conf


def write(
    workspace: Workspace,
    conf: configparser.ConfigParser,
    choices: Choices,
    maker: User | None = None,
) -> str:
    """Write the workspace's tempest.conf; return the same without secrets.

    :param maker: with whom Tempest is to make tenants itself; None for the users there are
    """
    whole = copy.deepcopy(conf)
    _put(whole, (*_credentials(workspace, maker), *choices.overrides))
    users = [account.for_tempest() for account in choices.users]
    write_private(workspace.accounts, yaml.safe_dump(users, allow_unicode=True))
    write_private(workspace.tempest_conf, _render(whole, {}))
    hidden = {
        option: HIDDEN
        for section in ("DEFAULT", *whole.sections())
        for option in whole[section]
        if is_secret(option)
    }
    hidden["test_accounts_file"] = "accounts.yaml (removed after the run)"
    return _render(whole, hidden)


def _put(conf: configparser.ConfigParser, settings: Iterable[Setting]) -> None:
    for section, option, value in settings:
        if section != "DEFAULT" and not conf.has_section(section):
            conf.add_section(section)
        conf.set(section, option, value)


def is_secret(option: str) -> bool:
    """Return whether an option's value must not be shown, by its name as Tempest names them."""
    return any(sign in option.lower() for sign in ("password", "secret", "token"))


def _discover(workspace: Workspace, choices: Choices) -> configparser.ConfigParser:
    user = choices.users[0]
    request = {
        "credentials": {
            "auth_url": choices.cloud.auth_url,
            "region_name": choices.cloud.region,
            "username": user.username,
            "password": user.password,
            "project_name": user.project_name,
            "user_domain_name": user.domain_name,
            "project_domain_name": user.domain_name,
            "request_args": {"verify": choices.tls.get("cacert") or choices.tls["verify"]},
        },
        # It would make roles that are not there; naming ones that are keeps it from that.
        "overrides": [
            *_roles(choices.roles),
            *choices.resources,
            ("image", "image_path", str(_guest(workspace))),
            *choices.overrides,
        ],
    }
    found = workspace.directory / "discovered.conf"
    outcome = subprocess.run(
        [sys.executable, "-m", "refstack_client.discovery", str(found)],
        input=json.dumps(request),
        text=True,
        capture_output=True,
        cwd=workspace.directory,
        env=workspace.environ(),
        check=False,
    )
    if outcome.returncode or not found.exists():
        lines = [line for line in outcome.stderr.splitlines() if line.strip()]
        raise CloudError(
            "what the cloud offers could not be discovered: "
            + (lines[-1].strip() if lines else f"status {outcome.returncode}"),
            hint="refstack-client plan shows whether the cloud can be reached at all",
        )
    conf = configparser.ConfigParser()
    conf.optionxform = str  # type: ignore[assignment,method-assign]
    conf.read(found, encoding="utf-8")
    plain = configparser.ConfigParser(interpolation=None)
    plain.optionxform = str  # type: ignore[assignment,method-assign]
    for section in conf.sections():
        # python-tempestconf writes made-up users, and a section name that Tempest does not read.
        if section not in ("auth", "oslo-concurrency"):
            plain[section] = {
                option: value
                for option, value in conf.items(section)
                if option not in conf.defaults() and not option.endswith(("username", "password"))
            }
    return plain


def _guest(workspace: Workspace) -> Path:
    """Return what stands for a guest's image: python-tempestconf would download a real one."""
    path = workspace.directory / "etc" / "guest.img"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"nothing boots from this\n")
    return path


def _corrections(workspace: Workspace, prefix: str, roles: Roles) -> tuple[Setting, ...]:
    return (
        # The log is read for the roles in the tokens, then removed with the workspace.
        ("DEFAULT", "debug", "true"),
        ("DEFAULT", "use_stderr", "false"),
        ("DEFAULT", "log_file", str(workspace.log)),
        ("DEFAULT", "resource_name_prefix", prefix),
        ("oslo_concurrency", "lock_path", str(workspace.directory / "locks")),
        # Nothing of ours is fetched from elsewhere, and no guest is logged in to.
        ("image", "http_image", "http://127.0.0.1:1/none"),
        ("validation", "run_validation", "false"),
        ("image-feature-enabled", "image_format_enforcement", "false"),
        *_roles(roles),
    )


def _roles(roles: Roles) -> tuple[Setting, ...]:
    return (
        ("object-storage", "operator_role", roles.operator),
        ("object-storage", "reseller_admin_role", roles.reseller_admin),
    )


def _tls(tls: Mapping[str, str | bool | None]) -> tuple[Setting, ...]:
    settings = [("identity", "disable_ssl_certificate_validation", str(not tls["verify"]).lower())]
    if tls.get("cacert"):
        settings.append(("identity", "ca_certificates_file", str(tls["cacert"])))
    return tuple(settings)


def _credentials(workspace: Workspace, admin: User | None) -> tuple[Setting, ...]:
    if admin:
        return (
            ("auth", "use_dynamic_credentials", "true"),
            ("auth", "tempest_roles", "member"),
            ("auth", "admin_username", admin.username),
            ("auth", "admin_password", admin.password),
            ("auth", "admin_project_name", admin.project_name),
            ("auth", "admin_domain_name", admin.domain_name),
            ("auth", "admin_user_domain_name", admin.domain_name),
            ("auth", "admin_project_domain_name", admin.domain_name),
        )
    return (
        ("auth", "use_dynamic_credentials", "false"),
        ("auth", "test_accounts_file", str(workspace.accounts)),
    )


def _render(conf: configparser.ConfigParser, hidden: Mapping[str, str]) -> str:
    """Write in oslo.config's dialect: ``$`` starts a reference there, and quotes keep spaces."""
    lines = []
    for section in ("DEFAULT", *conf.sections()):
        lines.append(f"[{section}]")
        for option, value in conf[section].items():
            if section == "DEFAULT" or option not in conf.defaults():
                lines.append(f"{option} = {hidden.get(option) or _quoted(value)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _quoted(value: str) -> str:
    escaped = value.replace("$", "$$")
    return f'"{escaped}"' if escaped != escaped.strip() or escaped[:1] in "\"'" else escaped
