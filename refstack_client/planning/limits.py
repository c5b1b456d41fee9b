"""Wanted tests that cannot pass, known before the run."""

from collections.abc import Iterator
from dataclasses import dataclass

from capabilities.guideline import Test
from refstack_client.outcomes import causes
from refstack_client.planning import test_requirements, test_users
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.planning.test_requirements import GUESTS, TENANTS_OF_TEMPEST

_NO_MEMBER = "Tempest must create the tenants itself, with the role member, which the cloud lacks"
NO_GUESTS = "logs in to a guest; add --guests"
_GUESTS_REMEDY = (
    "if guests can be reached from here: --guests, and --set validation.image_ssh_user=NAME for "
    "the user of the image"
)
_ADMIN_REMEDY = "certify with an admin credential and without --accounts"
_RESELLER_REMEDY = "add a user with that role to the accounts file, or use an admin credential"


@dataclass(frozen=True)
class Limit:
    """A wanted test that will be skipped.

    :param remedy: what to do so that it runs
    """

    test: Test
    why: str
    remedy: str


def of(request: CertificationRequest, tenants: TenantPlan) -> Iterator[Limit]:
    """Yield the tests that will be skipped with these settings and users."""
    yield from guests(request)
    yield from users(request, tenants)


def guests(request: CertificationRequest) -> Iterator[Limit]:
    """Yield the tests that log in to a guest, unless that is on."""
    if not request.logs_in_to_guests:
        for test in test_requirements.requiring(GUESTS, request.programme.wanted_tests()):
            yield Limit(test, NO_GUESTS, _GUESTS_REMEDY)


def users(request: CertificationRequest, tenants: TenantPlan) -> Iterator[Limit]:
    """Yield the tests that will be skipped with the users of an accounts file, or for a role."""
    wanted = request.programme.wanted_tests()
    of_accounts = tenants.kind is TenantKind.ACCOUNTS
    if of_accounts or not tenants.suit_tempest:
        why = causes.ONLY_WITH_TENANTS_OF_TEMPEST if of_accounts else _NO_MEMBER
        remedy = _ADMIN_REMEDY if of_accounts else "openstack role create member"
        for test in test_requirements.requiring(TENANTS_OF_TEMPEST, wanted):
            yield Limit(test, why, remedy)
    if of_accounts and not tenants.users.resellers:
        for test in wanted:
            if test_users.of_test(test).resellers:
                why = f"no user of the accounts file has the role {tenants.reseller_role}"
                yield Limit(test, why, _RESELLER_REMEDY)
