"""What a run that died left behind: tenants in the cloud, and a workspace with secrets in it.

The workspace tells what the run made, and nothing else is removed. Where it is gone too, only the
throwaway admin is known by its name.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from openstack.connection import Connection

from refstack_client import cloud, tempest_log, throwaway, workspace
from refstack_client.accounts import Account
from refstack_client.files import read_json, write_private_json
from refstack_client.run import Attempt
from refstack_client.throwaway import Removal, Tenancy
from refstack_client.workspace import Workspace, is_workspace


def note(space: Workspace, tenancy: Tenancy | None, users: Sequence[Account]) -> None:
    """Write down in the workspace what must be known to remove what a dead run made."""
    document: dict[str, Any] = {"users": [each.for_tempest() for each in users]}
    if tenancy:
        document["tenancy"] = {
            "prefix": tenancy.prefix,
            "before": sorted(tenancy.before),
            "class_names": sorted(tenancy.class_names),
            "roles": list(tenancy.roles),
        }
    write_private_json(space.tenancy, document)


def spaces(attempts: Iterable[Attempt]) -> tuple[Workspace, ...]:
    """Return the workspaces that attempts left on this machine."""
    found = (each.workspace for each in attempts if each.was_cut_off)
    return tuple(Workspace(each) for each in found if is_workspace(each))


def remove(connection: Connection, attempts: Sequence[Attempt], prefix: str) -> Removal:
    """Remove what the attempts that were cut off left in the cloud and on this machine.

    :param prefix: what the names of the run's resources start with
    """
    if not any(each.was_cut_off for each in attempts):
        return Removal()
    known = spaces(attempts)
    done = Removal()
    for space in known:
        found = _of_workspace(connection, space, prefix)
        if not found.stayed:
            workspace.remove(space)
            found += Removal((f"the workspace {space.directory}",))
        done += found
    if not cloud.facts(connection).is_admin:
        return done
    admin = throwaway.remove_admin(connection, prefix)
    if admin.removed and not known:
        admin += throwaway.stayed(
            "the workspace of this run is gone: what Tempest made (projects called "
            "tempest-CLASS-NUMBER) cannot be told from what is others' and stays"
        )
    return done + admin


def _of_workspace(connection: Connection, space: Workspace, prefix: str) -> Removal:
    # Without the note nothing was made: it is written before.
    document = read_json(space.tenancy, default={"users": []})
    if "tenancy" in document:
        raw = document["tenancy"]
        tenancy = Tenancy(
            prefix=raw["prefix"],
            before=frozenset(raw["before"]),
            class_names=frozenset(raw["class_names"]),
            roles=tuple(raw["roles"]),
        )
        return throwaway.remove_tenants(connection, tenancy, tempest_log.made(space.log))
    done = Removal()
    for user in document["users"]:
        auth = {
            "username": user["username"],
            "password": user["password"],
            "project_name": user["project_name"],
            "user_domain_name": user["domain_name"],
            "project_domain_name": user["domain_name"],
        }
        done += throwaway.empty_project(connection, auth, user["project_name"], prefix)
    return done
