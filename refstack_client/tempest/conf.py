"""The tempest.conf of a run: discovered, corrected, completed.

python-tempestconf finds out what the cloud offers. What it is known to get wrong is put right here,
and credentials are added last, in the copy that only Tempest reads.
"""

import configparser
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from refstack_client.cloud.facts import CloudFacts
from refstack_client.errors import CloudError, UsageError
from refstack_client.files import write_private
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.tempest import discovery_log
from refstack_client.tempest.workspace import Workspace
from refstack_client.tenants.accounts_file import Account
from refstack_client.tenants.removal import User

Setting = tuple[str, str, str]
"""Section, option, value."""


_ACCOUNTS = ("auth", "test_accounts_file")


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
    """Read ``--set section.option=value``, or the same from clouds.yaml.

    :raises UsageError: one has another form
    """
    settings = []
    if isinstance(texts, str):
        raise UsageError(f"tempest in clouds.yaml: expected a list, not {texts}")
    for text in texts:
        where, equals, value = text.partition("=")
        section, dot, option = where.rpartition(".")
        if not (equals and dot and section and option):
            raise UsageError(
                f"{text}: expected section.option=value",
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


@dataclass(frozen=True)
class Value:
    """What an option is set to, and where that comes from."""

    text: str
    origin: str


Conf = Mapping[tuple[str, str], Value]
"""A tempest.conf: by section and option."""


@dataclass(frozen=True)
class Discovery:
    """python-tempestconf, which can be asked once what a cloud offers, and writes it to a file."""

    process: subprocess.Popen[str]
    written: Path

    def ask(self, choices: Choices) -> None:
        """Let it begin to ask the cloud, as the first of the users."""
        if self.process.stdin:
            # One that has died already says why in its answer.
            with contextlib.suppress(BrokenPipeError), self.process.stdin as asked:
                json.dump(_question(choices, self.written.parent), asked)

    def answer(self, secrets: Iterable[str]) -> Conf:
        """Wait for what it found.

        :param secrets: are hidden in the reason for a failure
        :raises CloudError: python-tempestconf could not make sense of the cloud
        """
        if self.process.wait() or not self.written.exists():
            reason = discovery_log.reason(_log(self.written).read_bytes(), secrets)
            raise CloudError(
                "what the cloud offers could not be discovered: "
                + (reason or f"python-tempestconf ended with status {self.process.returncode}"),
                hint="refstack-client cloud check shows whether each service can be reached",
            )
        return _read(self.written)


def _log(written: Path) -> Path:
    """Return where the output goes: Tempest logs its errors to standard output."""
    return written.with_suffix(".log")


@contextlib.contextmanager
def discovery(workspace: Workspace) -> Iterator[Discovery]:
    """Start python-tempestconf, which takes a while to load before it can be told what to ask."""
    written = workspace.directory / "discovered.conf"
    with (
        _log(written).open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "refstack_client.tempest.discovery_worker", str(written)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=workspace.directory,
            env=workspace.environ(),
        ) as process,
    ):
        try:
            yield Discovery(process, written)
        finally:
            process.kill()


def compose(workspace: Workspace, choices: Choices, discovered: Conf) -> Conf:
    """Return the tempest.conf for ``choices``; what it says of credentials, :func:`write` adds."""
    conf = discovered
    for origin, settings in (
        *_corrections(workspace, choices.prefix),
        ("chosen among the roles of the cloud", _roles(choices.roles)),
        ("as the credentials say of TLS", _tls(choices.tls)),
        ("chosen among what the cloud has: the smallest that serves", choices.resources),
    ):
        conf = _with(conf, settings, origin)
    return conf


def write(workspace: Workspace, conf: Conf, choices: Choices, maker: User | None = None) -> Conf:
    """Write the workspace's tempest.conf; return it whole, without secrets.

    :param maker: with whom Tempest is to make tenants itself; None for the users there are
    """
    whole = _with(conf, _credentials(workspace, maker), "made for this run, or given")
    whole = _with(whole, choices.overrides, "given: --set, or tempest in clouds.yaml")
    users = [account.for_tempest() for account in choices.users]
    write_private(workspace.accounts, yaml.safe_dump(users, allow_unicode=True))
    write_private(workspace.tempest_conf, render(whole))
    shown = {
        (section, option): Value(HIDDEN, value.origin) if is_secret(option) else value
        for (section, option), value in whole.items()
    }
    if accounts := shown.get(_ACCOUNTS):
        shown[_ACCOUNTS] = Value("accounts.yaml (removed after the run)", accounts.origin)
    return shown


def render(conf: Conf, *, origins: bool = False) -> str:
    """Return the text of a tempest.conf, in oslo.config's dialect.

    :param origins: say above each value where it comes from
    """
    lines: list[str] = []
    sections = {section for section, _ in conf}
    for section in sorted(sections, key=lambda each: (each != "DEFAULT", each)):
        lines.append(f"[{section}]")
        for (of, option), value in conf.items():
            if of == section:
                lines += [f"# {value.origin}"] if origins else []
                lines.append(f"{option} = {_quoted(value.text)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _with(conf: Conf, settings: Iterable[Setting], origin: str) -> Conf:
    """Return ``conf`` with ``settings`` in it; later ones win."""
    added = {(section, option): Value(text, origin) for section, option, text in settings}
    return {**conf, **added}


def is_secret(option: str) -> bool:
    """Return whether an option's value must not be shown, by its name as Tempest names them."""
    return any(sign in option.lower() for sign in ("password", "secret", "token"))


def _question(choices: Choices, place: Path) -> dict[str, Any]:
    """Return what the discovery worker reads; files it needs are put in ``place``."""
    user = choices.users[0]
    return {
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
            *_guest(place),
            *choices.overrides,
        ],
    }


def _read(discovered: Path) -> Conf:
    """Return what python-tempestconf found, but for what it makes up."""
    parsed = configparser.ConfigParser()
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(discovered, encoding="utf-8")
    return {
        (section, option): Value(value, "discovered")
        for section in parsed.sections()
        # It writes users that are not there, and a section name that Tempest does not read.
        if section not in ("auth", "oslo-concurrency")
        for option, value in parsed.items(section)
        if option not in parsed.defaults() and not option.endswith(("username", "password"))
    }


def _guest(place: Path) -> tuple[Setting, ...]:
    """Return the settings that name a stand-in for a guest's image, which is put in ``place``."""
    path = place / "guest.img"
    path.write_bytes(b"nothing boots from this\n")
    return ("image", "image_path", str(path)), ("scenario", "img_file", str(path))


def _corrections(workspace: Workspace, prefix: str) -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    """Return what is put right, after the reason for it."""
    return (
        (
            "Tempest's log is read for the roles in the tokens, and goes with the workspace",
            (
                ("DEFAULT", "debug", "true"),
                ("DEFAULT", "use_stderr", "false"),
                ("DEFAULT", "log_file", str(workspace.log)),
            ),
        ),
        (
            "names of what this run makes start with it",
            (("DEFAULT", "resource_name_prefix", prefix),),
        ),
        (
            "locks are this run's; python-tempestconf puts them where Tempest does not look",
            (("oslo_concurrency", "lock_path", str(workspace.directory / "locks")),),
        ),
        (
            "nothing is fetched from elsewhere; python-tempestconf would name a file of its own",
            (("image", "http_image", "http://127.0.0.1:1/none"),),
        ),
        (
            "no guest is logged in to: guests may not be reachable from here",
            (("validation", "run_validation", "false"),),
        ),
        (
            "what is uploaded as an image is no image",
            (("image-feature-enabled", "image_format_enforcement", "false"),),
        ),
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
        (*_ACCOUNTS, str(workspace.accounts)),
    )


def _quoted(value: str) -> str:
    """Return a value as oslo.config reads it: ``$`` starts a reference, and quotes keep spaces."""
    escaped = value.replace("$", "$$")
    return f'"{escaped}"' if escaped != escaped.strip() or escaped[:1] in "\"'" else escaped
