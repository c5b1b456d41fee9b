"""The roles of tenant users, which every operator names differently.

No role is ever created.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from refstack_client.errors import CloudError
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.tempest.settings import Setting

MEMBER, READER = "member", "reader"
"""The names by which Tempest requests users from an accounts file."""

_MEMBERS = (MEMBER, "_member_")
"""The role of a tenant: today, and in clouds that were deployed before Keystone created it."""

_RESELLER = "ResellerAdmin"

_OPERATOR = ("object-storage", "operator_role")
_RESELLER_ADMIN = ("object-storage", "reseller_admin_role")
_FURTHER = ("auth", "tempest_roles")


@dataclass(frozen=True)
class TenantRoles:
    """The names that the roles of tenant users have in a cloud.

    :param operator: role of the users who may create containers
    :param reseller_admin: role of the users who may set account quotas
    :param member: role of every user
    :param reader: role of the users who only read; "" if the cloud has no such role
    :param further: roles of every user that the policies of the cloud require besides
    """

    operator: str
    reseller_admin: str
    member: str = MEMBER
    reader: str = ""
    further: tuple[str, ...] = ()

    @property
    def to_empty_projects(self) -> tuple[str, ...]:
        """Return the roles of users who may delete what is in a project of theirs, each once."""
        return tuple(dict.fromkeys((self.member, self.operator, *self.further)))

    @property
    def suit_tempest(self) -> bool:
        """Return whether Tempest can create tenants itself; it knows ``member`` in any case."""
        return self.member.lower() == MEMBER

    def settings(self) -> tuple[Setting, ...]:
        """Return the settings of tempest.conf that name them."""
        return (
            Setting(*_OPERATOR, self.operator),
            Setting(*_RESELLER_ADMIN, self.reseller_admin),
        )


def choose_roles(role_names: Sequence[str], settings: Sequence[Setting]) -> TenantRoles:
    """Choose among the roles of a cloud.

    A tenant is a ``member``, or ``_member_`` where there is no ``member``. Of Swift's own roles
    those that exist are chosen, else that of a tenant.

    :param role_names: names of all roles of the cloud
    :param settings: of the user; ``object-storage.operator_role`` and ``….reseller_admin_role``
        take precedence, and ``auth.tempest_roles`` names further roles of every user
    """
    named = _named(settings)
    member = _find(role_names, *_MEMBERS) or MEMBER
    operator = next(iter(named[_OPERATOR]), "") or _find(role_names, "SwiftOperator") or member
    reseller_admin = next(iter(named[_RESELLER_ADMIN]), "") or _find(role_names, _RESELLER)
    return TenantRoles(
        operator=operator,
        reseller_admin=reseller_admin or operator,
        member=member,
        reader=_find(role_names, READER),
        further=named[_FURTHER],
    )


def choose_roles_of_users(
    roles_of_users: Iterable[Sequence[str]], settings: Sequence[Setting]
) -> TenantRoles:
    """Choose among the roles of users that exist.

    The cloud may have a role for account quotas that none of the users has.

    :param roles_of_users: the roles in the token of each user
    """
    names = [name for roles in roles_of_users for name in roles]
    unused = () if _find(names, _RESELLER) else (_RESELLER,)
    return choose_roles([*names, *unused], settings)


def check_roles(role_names: Sequence[str], settings: Sequence[Setting]) -> None:
    """Check that tenants can be created with the roles of a cloud.

    :param role_names: names of all roles of the cloud
    :raises CloudError: a role that the user names does not exist or is the admin role, or the cloud
        has no role for tenants
    """
    for (section, option), names in _named(settings).items():
        for name in names:
            if name == ADMIN_ROLE:
                raise CloudError(
                    f"{section}.{option}={name}: tests must not run as an admin",
                    hint="name another role",
                )
            if name not in role_names:  # Tempest compares names exactly
                near = difflib.get_close_matches(name, role_names, n=1)
                raise CloudError(
                    f"{section}.{option}: the cloud has no role {name}",
                    hint=f"did you mean {near[0]}?" if near else "openstack role list shows all",
                )
    if not _find(role_names, *_MEMBERS):
        raise CloudError(
            f"the cloud has no role {' or '.join(_MEMBERS)} for tenants; it has: "
            f"{', '.join(sorted(role_names))}",
            hint="openstack role create member, or list tenant users in a file and use --accounts",
        )


def _named(settings: Sequence[Setting]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the roles that the user names, by section and option."""
    values = {(setting.section, setting.option): setting.value for setting in settings}
    return {
        _OPERATOR: tuple(filter(None, [values.get(_OPERATOR)])),
        _RESELLER_ADMIN: tuple(filter(None, [values.get(_RESELLER_ADMIN)])),
        _FURTHER: tuple(filter(None, map(str.strip, values.get(_FURTHER, "").split(",")))),
    }


def _find(role_names: Sequence[str], *wanted: str) -> str:
    """Return the first of the wanted roles that exists, in any case; "" if there is none."""
    for name in wanted:
        same = [role for role in role_names if role.lower() == name.lower()]
        if same:
            return name if name in same else same[0]
    return ""
