"""As whom the tests of a plan run, and for how many workers these users suffice."""

from dataclasses import dataclass, replace
from enum import StrEnum

from refstack_client.planning import test_users
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.test_users import Users
from refstack_client.planning.workers import Workers
from refstack_client.tempest.tenant_roles import MEMBER


class TenantKind(StrEnum):
    """As whom the tests run; never as an admin. The values are recorded in plan.json."""

    THROWAWAY = "throwaway tenants, made and removed with the admin credential"
    ACCOUNTS = "the users of the accounts file"
    UNKNOWN = "not decided: no cloud was named"


@dataclass(frozen=True)
class TenantPlan:
    """As whom the tests run, as far as the plan depends on it.

    :param roles: of each user of an accounts file
    :param reseller_role: the role of users who may set account quotas
    :param suit_tempest: whether the cloud has the role with which Tempest creates tenants itself
    """

    kind: TenantKind
    roles: tuple[tuple[str, ...], ...] = ()
    reseller_role: str = ""
    suit_tempest: bool = True

    @property
    def users(self) -> Users:
        """Return how many users of each kind an accounts file has."""
        resellers = sum(self.reseller_role in roles for roles in self.roles)
        others = (roles for roles in self.roles if self.reseller_role not in roles)
        return Users(sum(MEMBER in roles for roles in others), resellers)

    def limited(self, request: CertificationRequest) -> Workers:
        """Return the workers of a request, at most as many as the users suffice for."""
        workers = request.workers_or_default
        if self.kind is not TenantKind.ACCOUNTS:
            return workers
        count = test_users.workers_for(
            request.users_by_class(tempest_creates=False), self.users, workers.count
        )
        if count == workers.count:
            return workers
        why = f"the users suffice for {count}, not for {workers.count}"
        return replace(workers, count=count, why=why)
