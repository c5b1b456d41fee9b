"""What a run made in the cloud, written down in its directory until it is removed again.

The note holds ids and names, no secret, so that a run that died goes on, or is cleaned up, from
elsewhere: a container's private workspace is gone with it. Only what it names is ever removed.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openstack.connection import Connection

from refstack_client.errors import InputError
from refstack_client.files import read_json, write_json
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.run_directory import Run, check_id
from refstack_client.tempest import workspace
from refstack_client.tempest.log import Follower, Made, made
from refstack_client.tempest.workspace import Workspace, is_workspace
from refstack_client.tenants import removal
from refstack_client.tenants.accounts_file import Account
from refstack_client.tenants.removal import Removal, Tenancy

SECONDS_BETWEEN_LOOKS = 0.1


@contextlib.contextmanager
def noted(path: Path, tenancy: Tenancy, log: Path) -> Iterator[None]:
    """Keep a note of what Tempest makes, from before it makes anything.

    What a note from before still names was not to be removed yet, and stays in it.
    """
    follower = Follower(log)
    if note := _read(path):
        tenancy = replace(tenancy, before=note[0].before)
        follower.made = note[1]
    _write(path, tenancy, follower.made)
    done = threading.Event()

    def follow() -> None:
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            before = follower.made
            if follower.read() != before:
                with contextlib.suppress(OSError):  # a full disk ends the run elsewhere
                    _write(path, tenancy, follower.made)

    watcher = threading.Thread(target=follow, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _write(path: Path, tenancy: Tenancy, known: Made) -> None:
    write_json(
        path,
        {
            "prefix": tenancy.prefix,
            "before": sorted(tenancy.before),
            "class_names": sorted(tenancy.class_names),
            "roles": list(tenancy.roles),
            "projects": sorted(known.projects),
            "users": sorted(known.users),
        },
    )


def _read(path: Path) -> tuple[Tenancy, Made] | None:
    document = _document(path)
    if document is None:
        return None
    tenancy = Tenancy(
        prefix=document["prefix"],
        before=frozenset(document["before"]),
        class_names=frozenset(document["class_names"]),
        roles=tuple(document["roles"]),
    )
    return tenancy, Made(frozenset(document["projects"]), frozenset(document["users"]))


def _document(path: Path) -> dict[str, Any] | None:
    """Return a note, None where there is none.

    :raises InputError: it is not of the form of :func:`_write`; names the member
    """
    hint = "remove by hand what the run left in the cloud, then this file"
    try:
        document = read_json(path, default=None)
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}", hint=hint) from error
    if document is None and not path.exists():
        return None
    if not isinstance(document, dict):
        raise InputError(f"{path}: / must be an object", hint=hint)
    if not isinstance(document.get("prefix"), str):
        raise InputError(f"{path}: /prefix must be a string", hint=hint)
    for key in ("before", "class_names", "roles", "projects", "users"):
        value = document.get(key)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise InputError(f"{path}: /{key} must be a list of strings", hint=hint)
    return document


@dataclass(frozen=True)
class Names:
    """What starts the names of all a run makes, and the classes Tempest makes tenants for."""

    prefix: str
    class_names: frozenset[str]


def _check(connection: Connection, path: Path, logs: Iterable[Path], names: Names) -> None:
    """Check that a note names only what the run made.

    :raises InputError: it names something else; says what
    """
    note = _read(path)
    if note is None:
        return
    tenancy, known = note
    hint = "nothing was removed; remove by hand what the run left in the cloud, then this file"
    if tenancy.prefix != names.prefix:
        raise InputError(
            f"{path}: /prefix is {tenancy.prefix}, but names of this run start with {names.prefix}",
            hint=hint,
        )
    if others := sorted(tenancy.class_names - names.class_names):
        raise InputError(
            f"{path}: /class_names has {', '.join(others)}, for which this run makes no tenants",
            hint=hint,
        )
    for log in logs:
        known += made(log)
    if found := removal.foreign(connection, tenancy, known):
        raise InputError(f"{path}: names what this run did not make: {', '.join(found)}", hint=hint)


def remove_noted(connection: Connection, path: Path, logs: Iterable[Path]) -> Removal:
    """Remove the tenants a note names and the throwaway admin.

    The note stays: what Keystone was still making when its sender was killed is found by what was
    there before the run, at the next look (:func:`forget` ends that).

    :param logs: where they are still there they know what was made since the note was written
    """
    note = _read(path)
    if note is None:
        return Removal()
    tenancy, known = note
    for log in logs:
        known += made(log)
    done = removal.remove_tenants(connection, tenancy, known)
    done += removal.remove_admin(connection, tenancy.prefix)
    if not done.stayed:
        with contextlib.suppress(OSError):  # on a full disk it names what is gone already
            _write(path, tenancy, Made())
    return done


def forget(path: Path) -> None:
    """Remove a note, of a run whose tests are all done and of which nothing is left."""
    path.unlink(missing_ok=True)


def remove(connection: Connection, of: Run, names: Names, users: Sequence[Account]) -> Removal:
    """Remove what a run left in the cloud, and its workspaces on this machine.

    :param users: given tenant users it ran as
    :raises InputError: its note names what it did not make; nothing is removed then
    """
    check_id(of)
    spaces = [
        Workspace(each.workspace)
        for each in run_directory.attempts(of)
        if each.was_cut_off and is_workspace(each.workspace)
    ]
    logs = [space.log for space in spaces]
    _check(connection, of.tenancy, logs, names)
    done = remove_noted(connection, of.tenancy, logs)
    for user in users:
        done += removal.empty_project(connection, user.as_auth(), user.project_name, names.prefix)
    if not done.stayed:
        for space in spaces:
            workspace.remove(space)
            done += Removal((f"the workspace {space.directory}",))
    return done
