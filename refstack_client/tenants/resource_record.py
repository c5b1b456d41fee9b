"""The record of what a run creates in the cloud, kept in its directory until that is removed.

The record holds ids and names and no secret. With it a run that died can continue, or be cleaned
up, on another machine: the private workspace in a container is lost with the container. Only what
the record names is removed.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, cast

from refstack_client.cloud.connection import Cloud
from refstack_client.errors import InputError
from refstack_client.files import read_json, write_json
from refstack_client.tempest.log import CreatedIds, LogTail, created_ids
from refstack_client.tenants import removal
from refstack_client.tenants.removal import Removal, Show
from refstack_client.tenants.tenancy import Tenancy

SECONDS_BETWEEN_READS = 0.1
_LISTS = ("before", "class_names", "roles", "projects", "users")


@dataclass(frozen=True)
class ResourceRecord:
    """Where and for which names a run records what it creates.

    :param prefix: start of the names of what is created for the run
    :param log: the log of Tempest, from which the record is completed
    :param path: the file of the record
    :param show: shows the progress of the removal
    """

    prefix: str
    log: Path
    path: Path
    show: Show = removal.show_nothing


@dataclass(frozen=True)
class ExpectedNames:
    """The names that may be in the record of a run.

    :param prefix: start of the names of what is created for the run
    :param class_names: test classes for which Tempest creates tenants
    """

    prefix: str
    class_names: frozenset[str]


class _Document(TypedDict):
    prefix: str
    before: list[str]
    class_names: list[str]
    roles: list[str]
    projects: list[str]
    users: list[str]


@contextlib.contextmanager
def recorded(record: ResourceRecord, tenancy: Tenancy) -> Iterator[None]:
    """Record what Tempest creates, from before it creates anything until the block ends.

    Entries of an earlier attempt are kept: their resources could not be removed yet.
    """
    tail = LogTail(record.log)
    if earlier := _read(record.path):
        tenancy = replace(tenancy, before=earlier[0].before)
        tail.created = earlier[1]
    _write(record.path, tenancy, tail.created)
    done = threading.Event()

    def follow() -> None:
        while not done.wait(SECONDS_BETWEEN_READS):
            before = tail.created
            if tail.read() != before:
                with contextlib.suppress(OSError):  # a full disk ends the run elsewhere
                    _write(record.path, tenancy, tail.created)

    watcher = threading.Thread(target=follow, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _write(path: Path, tenancy: Tenancy, created: CreatedIds) -> None:
    document: _Document = {
        "prefix": tenancy.prefix,
        "before": sorted(tenancy.before),
        "class_names": sorted(tenancy.class_names),
        "roles": list(tenancy.roles),
        "projects": sorted(created.projects),
        "users": sorted(created.users),
    }
    write_json(path, document)


def _read(path: Path) -> tuple[Tenancy, CreatedIds] | None:
    document = _document(path)
    if document is None:
        return None
    tenancy = Tenancy(
        prefix=document["prefix"],
        before=frozenset(document["before"]),
        class_names=frozenset(document["class_names"]),
        roles=tuple(document["roles"]),
    )
    return tenancy, CreatedIds(frozenset(document["projects"]), frozenset(document["users"]))


def _read_with(path: Path, logs: Iterable[Path]) -> tuple[Tenancy, CreatedIds] | None:
    """Return the content of a record, completed from logs of Tempest; None without a record."""
    content = _read(path)
    if content is None:
        return None
    tenancy, created = content
    return tenancy, sum((created_ids(log) for log in logs), start=created)


def _document(path: Path) -> _Document | None:
    """Return the content of a record; None if the file does not exist.

    :raises InputError: it does not have the form of :func:`_write`; names the member
    """
    hint = "remove the leaked resources of the run by hand, then remove this file"
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
    for key in _LISTS:
        value = document.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(f"{path}: /{key} must be a list of strings", hint=hint)
    return cast(_Document, document)


def check(cloud: Cloud, path: Path, logs: Iterable[Path], names: ExpectedNames) -> None:
    """Check that a record holds only what the run created.

    :param logs: logs of Tempest, which may know of more than the record
    :raises InputError: it holds something else; the message names it
    """
    content = _read_with(path, logs)
    if content is None:
        return
    tenancy, created = content
    hint = "nothing was removed; remove the leaked resources of the run by hand, then this file"
    if tenancy.prefix != names.prefix:
        raise InputError(
            f"{path}: /prefix is {tenancy.prefix}, but names of this run start with {names.prefix}",
            hint=hint,
        )
    if others := sorted(tenancy.class_names - names.class_names):
        raise InputError(
            f"{path}: /class_names has {', '.join(others)}, for which this run creates no tenants",
            hint=hint,
        )
    if found := removal.foreign(cloud, tenancy, created):
        raise InputError(
            f"{path}: names what this run did not create: {', '.join(found)}", hint=hint
        )


def remaining(cloud: Cloud, path: Path, logs: Iterable[Path]) -> tuple[str, ...]:
    """Return name and ID of each project and user in the cloud that a record names.

    :param logs: logs of Tempest, which may know of more than the record
    """
    content = _read_with(path, logs)
    return removal.remaining(cloud, *content) if content else ()


def remove_recorded(
    cloud: Cloud, path: Path, logs: Iterable[Path], show: Show = removal.show_nothing
) -> Removal:
    """Remove the tenants that a record names, and the throwaway admin.

    The record remains. Keystone may still complete a request of a killed process; the next removal
    finds the project by the list of those that existed before. :func:`forget` removes the record.

    :param logs: logs of Tempest, which may know of more than the record
    """
    content = _read_with(path, logs)
    if content is None:
        return Removal()
    tenancy, created = content
    done = removal.remove_tenants(cloud, tenancy, created, show)
    if not done.leaked:
        with contextlib.suppress(OSError):  # on a full disk the record names what no longer exists
            _write(path, tenancy, CreatedIds())
    return done


def forget(path: Path) -> None:
    """Remove the record of a run whose tests all have an outcome and of which nothing remains."""
    path.unlink(missing_ok=True)
