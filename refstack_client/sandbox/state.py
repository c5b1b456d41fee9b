"""Where a sandbox keeps its state, and the settings it records there.

The state of a sandbox is one directory, ``ROOT/NAME``:

    sandbox.json     profile, ports, secrets, shapes (0600)
    clouds.yaml      the clouds "sandbox" (admin) and "sandbox-tenant" (0600)
    accounts.yaml    project users for Tempest, to test without admin credentials (0600)
    conf data log run steps
"""

import contextlib
import errno
import json
import os
import re
import secrets as random_secrets
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import fasteners

from refstack_client.errors import MachineError, UsageError
from refstack_client.files import write_private_json
from refstack_client.sandbox import daemon
from refstack_client.sandbox.profiles import PROFILES, Profile, with_guests

DEFAULT_PROFILE = "storage"
DIRECTORIES = ("conf", "data", "log", "run", "steps")
# Passwords carry characters that break careless quoting, so that every use of a sandbox tests it.
_AWKWARD = " '\"%$é#"
_NAME = re.compile(r"[^./\0][^/\0]*")
_RESERVED = {"environments"}

Report = Callable[[str], None]
"""Takes one line of progress for the user."""


@dataclass(frozen=True)
class Sandbox:
    """The place of a sandbox and its profile; it need not exist yet."""

    root: Path
    name: str
    profile: Profile

    @property
    def state(self) -> Path:
        """The directory that holds everything of this sandbox."""
        return self.root / self.name

    @property
    def settings_file(self) -> Path:
        """Profile, ports, secrets and shapes, as JSON."""
        return self.state / "sandbox.json"

    @property
    def clouds_yaml(self) -> Path:
        """The file for ``OS_CLIENT_CONFIG_FILE``."""
        return self.state / "clouds.yaml"

    @property
    def accounts_yaml(self) -> Path:
        """The accounts file for Tempest."""
        return self.state / "accounts.yaml"

    def pid_file(self, name: str) -> Path:
        """Return the pid file of the daemon called ``name``."""
        return self.state / "run" / f"{name}.pid"

    def log(self, name: str) -> Path:
        """Return the log file of the daemon or step called ``name``."""
        return self.state / "log" / f"{name}.log"

    def command(self, action: str) -> str:
        """Return the command line that does ``action`` ("down --wipe") to this sandbox."""
        place = f"--root {shlex.quote(str(self.root))} --name {shlex.quote(self.name)}"
        return f"refstack-client sandbox {action} {place}"


@dataclass(frozen=True)
class Secrets:
    """The passwords of a sandbox, and what Swift mixes into its hashes."""

    admin_password: str = field(repr=False)
    tenant_password: str = field(repr=False)
    service_password: str = field(repr=False)
    swift_hash_prefix: str = field(repr=False)
    swift_hash_suffix: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """What ``sandbox.json`` records: profile and shapes by name, ports by daemon, and secrets."""

    profile: str
    ports: Mapping[str, int]
    secrets: Secrets
    shapes: tuple[str, ...] = ()
    guests: bool = False


def find(root: Path, name: str | None, profile: str | None, *, guests: bool = False) -> Sandbox:
    """Return the sandbox called ``name`` (default: as its profile) under ``root``.

    :param guests: it is to have guests; one that exists has them or not, as recorded
    :raises UsageError: the name is not valid, there is no such profile, the profile has no guests,
        or the sandbox exists with another one
    """
    name = name or profile or DEFAULT_PROFILE
    if not _NAME.fullmatch(name) or name in _RESERVED or name.endswith(".lock"):
        raise UsageError(
            f"{name!r} is not a valid name for a sandbox",
            hint="choose a file name, without a slash, that does not begin with a dot",
        )
    root = root.resolve()
    settings = _recorded(root / name)
    recorded = settings.profile if settings else None
    chosen = profile or recorded or DEFAULT_PROFILE
    if chosen not in PROFILES:
        raise UsageError(
            f"there is no sandbox profile called {chosen}",
            hint=f"choose from {', '.join(PROFILES)}",
        )
    has_guests = settings.guests if settings else guests
    sandbox = Sandbox(root, name, PROFILES[chosen])
    for difference, differs in (
        (f"the profile {recorded}, not {chosen}", recorded and recorded != chosen),
        ("no guests", guests and not has_guests),
    ):
        if differs:
            raise UsageError(
                f"the sandbox {name} exists with {difference}",
                hint=f"choose another --name, or remove it: {sandbox.command('down --wipe')}",
            )
    return replace(sandbox, profile=with_guests(sandbox.profile)) if has_guests else sandbox


def running(root: Path) -> tuple[Sandbox, ...]:
    """Return the sandboxes under ``root`` that have a process, sorted by name.

    An incomplete one counts: its ``up`` was interrupted, or its directory was removed.
    """
    root = root.resolve()
    names = {state.name for state in daemon.states() if state.parent == root}
    return tuple(find(root, name, None) for name in sorted(names))


def secrets(sandbox: Sandbox) -> Secrets:
    """Return the passwords of a sandbox that has been started.

    :raises UsageError: it has never been started
    """
    return _started(sandbox).secrets


def ports(sandbox: Sandbox) -> Mapping[str, int]:
    """Return the port of each daemon of a sandbox that has been started.

    :raises UsageError: it has never been started
    """
    return _started(sandbox).ports


def load(sandbox: Sandbox) -> Settings | None:
    """Return the recorded settings; None before the first start.

    :raises MachineError: they cannot be read
    """
    try:
        return _read(sandbox.settings_file)
    except (OSError, ValueError) as error:
        raise MachineError(
            f"cannot use {sandbox.settings_file}: {getattr(error, 'strerror', None) or error}",
            hint=f"remove the sandbox and start it again: {sandbox.command('down --wipe')}",
        ) from error


def save(sandbox: Sandbox, settings: Settings) -> None:
    """Record ``settings``, readable by their owner alone."""
    write_private_json(sandbox.settings_file, asdict(settings))


def new_secrets() -> Secrets:
    """Return random secrets."""
    return Secrets(
        admin_password=_awkward_password(),
        tenant_password=_awkward_password(),
        # These stand in configuration files, which have quoting rules of their own.
        service_password=random_secrets.token_hex(16),
        swift_hash_prefix=random_secrets.token_hex(8),
        swift_hash_suffix=random_secrets.token_hex(8),
    )


def create_directories(sandbox: Sandbox) -> None:
    """Create the state directory and what belongs in it.

    :raises MachineError: it cannot be written, or its file system lacks what a service needs
    """
    if not is_sandbox_directory(sandbox.state):
        raise MachineError(
            f"{sandbox.state} holds other files", hint="choose another --name or --root"
        )
    try:
        for name in DIRECTORIES:
            (sandbox.state / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        sandbox.state.chmod(0o700)
        if any(service.needs_xattr for service in sandbox.profile.services):
            os.setxattr(sandbox.state / "data", "user.refstack", b"1")
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            message = f"the file system of {sandbox.state} lacks extended attributes (for Swift)"
        else:
            message = f"cannot write to {sandbox.state}: {error.strerror}"
        raise MachineError(message, hint="choose another place with --root DIRECTORY") from error


def is_sandbox_directory(state: Path) -> bool:
    """Return whether ``state`` is a sandbox's, or can become one: never the user's own files."""
    if not state.is_dir() or (state / "sandbox.json").exists():
        return True
    # A start that was interrupted leaves directories, and perhaps half of a settings file.
    return all(
        path.name in DIRECTORIES or path.name.startswith(".sandbox.json.")
        for path in state.iterdir()
    )


@contextlib.contextmanager
def locked(sandbox: Sandbox) -> Iterator[None]:
    """Hold the lock of ``sandbox``: one process at a time starts or stops it.

    :raises MachineError: the lock file cannot be written
    """
    lock = fasteners.InterProcessLock(sandbox.root / f"{sandbox.name}.lock")
    try:
        lock.acquire()
    except OSError as error:
        raise MachineError(
            f"cannot write to {sandbox.root}: {error.strerror}",
            hint="choose another place with --root DIRECTORY",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _read(path: Path) -> Settings | None:
    """:raises ValueError: the file is not of the form this version writes."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        settings = Settings(
            profile=document["profile"],
            ports={str(name): int(port) for name, port in document["ports"].items()},
            secrets=Secrets(**document["secrets"]),
            shapes=tuple(map(str, document.get("shapes", ()))),
            guests=bool(document.get("guests", False)),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("another version of refstack-client wrote it") from error
    if settings.profile not in PROFILES:
        raise ValueError(f"this version has no profile {settings.profile}")
    return settings


def _recorded(state: Path) -> Settings | None:
    """Return the settings of a sandbox; None where nothing readable is recorded."""
    try:
        return _read(state / "sandbox.json")
    except (OSError, ValueError):
        return None


def _started(sandbox: Sandbox) -> Settings:
    settings = load(sandbox)
    if not settings:
        raise UsageError(
            f"the sandbox {sandbox.name} has never been started", hint=sandbox.command("up")
        )
    return settings


def _awkward_password() -> str:
    return random_secrets.token_urlsafe(12) + _AWKWARD + random_secrets.token_urlsafe(4)
