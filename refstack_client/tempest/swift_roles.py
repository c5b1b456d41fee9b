"""The roles of Swift's users, which every operator names differently."""

from collections.abc import Sequence
from dataclasses import dataclass

from refstack_client.tempest.settings import Setting

_SECTION = "object-storage"
MEMBER = "member"


@dataclass(frozen=True)
class SwiftRoles:
    """The names that the roles of Swift have in a cloud.

    :param operator: role of the users who may create containers
    :param reseller_admin: role of the users who may set account quotas
    """

    operator: str
    reseller_admin: str

    @property
    def all(self) -> tuple[str, ...]:
        """Return these roles and ``member``, each once."""
        return tuple(dict.fromkeys((MEMBER, self.operator, self.reseller_admin)))

    def settings(self) -> tuple[Setting, ...]:
        """Return the settings of tempest.conf that name them."""
        return (
            Setting(_SECTION, "operator_role", self.operator),
            Setting(_SECTION, "reseller_admin_role", self.reseller_admin),
        )


def choose_roles(role_names: Sequence[str], settings: Sequence[Setting]) -> SwiftRoles:
    """Choose among the roles of a cloud: Swift's own if they exist, else ``member``.

    No role is ever created.

    :param role_names: names of all roles of the cloud
    :param settings: of the user; ``object-storage.operator_role`` and ``….reseller_admin_role``
        take precedence
    """
    by_lower = {name.lower(): name for name in role_names}
    own = {setting.option: setting.value for setting in settings if setting.section == _SECTION}
    operator = own.get("operator_role") or by_lower.get("swiftoperator")
    operator = operator or by_lower.get(MEMBER, MEMBER)
    reseller_admin = own.get("reseller_admin_role") or by_lower.get("reselleradmin", operator)
    return SwiftRoles(operator, reseller_admin)
