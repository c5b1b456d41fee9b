"""Users of an accounts file: sign in, and arrange them as Tempest borrows them.

Tempest receives the roles in their tokens; the roles in the file are ignored.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keystoneauth1.exceptions

from refstack_client.cloud.account import Account
from refstack_client.cloud.connection import Cloud
from refstack_client.errors import CloudError
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.planning.selection import Shard
from refstack_client.tempest.tenant_roles import MEMBER, READER
from refstack_client.tenants.accounts_file import FEWEST


def sign_in(accounts: Sequence[Account], cloud: Cloud) -> tuple[Account, ...]:
    """Sign in as each account; return the accounts with the roles in their tokens.

    :raises CloudError: an account cannot sign in, or has the admin role
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        return tuple(pool.map(lambda account: _sign_in(account, cloud), accounts))


def _sign_in(account: Account, cloud: Cloud) -> Account:
    try:
        roles = tuple(sorted(cloud.sign_in_as(account.as_auth()).role_names or ()))
    except keystoneauth1.exceptions.ClientException as error:
        raise CloudError(
            f"the user {account.username} of the accounts file cannot sign in to the project "
            f"{account.project_name}: {' '.join(str(error).split())}",
            hint="correct its password, project or domain in the accounts file",
        ) from error
    if ADMIN_ROLE in roles:
        raise CloudError(
            f"the user {account.username} of the accounts file has the role {ADMIN_ROLE}",
            hint="tests must not run as an admin: list users without that role",
        )
    return replace(account, roles=roles)


def arrange(users: Sequence[Account], reseller_role: str) -> tuple[Account, ...]:
    """Return users with the roles by which Tempest requests them, in the order in which it does.

    For an alternate user Tempest takes the first that is free. Members are therefore first, and a
    user who may set account quotas is only requested as such if there are members besides. A user
    who only reads may share a project with a member, as the tenants do that are created for a run.

    :param users: with the roles in their tokens
    :param reseller_role: the role of users who may set account quotas
    :raises CloudError: there are too few members, or two of them are in one project
    """
    readers = [user for user in users if set(user.roles) == {READER}]
    writers = [user for user in users if user not in readers]
    resellers = [user for user in writers if reseller_role in user.roles]
    members = [user for user in writers if user not in resellers]
    if len(members) < FEWEST:
        members, resellers = writers, []
    _check_members(members)
    return (
        *(replace(user, roles=tuple(dict.fromkeys((*user.roles, MEMBER)))) for user in members),
        *readers,
        *(replace(user, roles=(reseller_role,)) for user in resellers),
    )


def _check_members(members: Sequence[Account]) -> None:
    """Check that there are members of different projects, which the tests suppose."""
    if len(members) < FEWEST:
        raise CloudError(
            f"the accounts file has {len(members)} user{'s' * (len(members) != 1)} who may change "
            "something; the tests need at least two at a time",
            hint="list users with the role member, or what this cloud calls it",
        )
    projects: dict[tuple[str, str], Account] = {}
    for user in members:
        project = (user.project_name.casefold(), user.project_domain_name.casefold())
        first = projects.setdefault(project, user)
        if first is not user:
            raise CloudError(
                f"the users {first.username} and {user.username} of the accounts file are in one "
                f"project, {user.project_name}: tests would find the resources of each other",
                hint="list one user of each project; a user who only reads may be in the same",
            )


def users_of_shard(
    users: Sequence[Account], reseller_role: str, shard: Shard
) -> tuple[Account, ...]:
    """Return the users of one shard; no user belongs to two.

    :param users: as :func:`arrange` returns them
    :param reseller_role: the role of users who may set account quotas
    :raises CloudError: there are too few users for that many shards
    """
    resellers = [user for user in users if reseller_role in user.roles]
    others = [user for user in users if reseller_role not in user.roles]
    members = [user for user in others if MEMBER in user.roles]
    wanted = f"{FEWEST * shard.count} users"
    if resellers:
        wanted += f" and {shard.count} with the role {reseller_role}"
    if len(members) < FEWEST * shard.count or 0 < len(resellers) < shard.count:
        raise CloudError(
            f"{shard.count} shards need {wanted}; the accounts file has {len(members)} and "
            f"{len(resellers)}",
            hint="add users to the accounts file, or use fewer shards",
        )
    chosen = slice(shard.number - 1, None, shard.count)
    return tuple(user for part in (others, resellers) for user in part[chosen])
