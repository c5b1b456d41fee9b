"""Tests that are known to be skipped, before the run."""

import pytest
from support.making import STORAGE, request

from capabilities import catalogue, programme
from capabilities.matching import Index
from refstack_client.cli.text import plan as plan_text
from refstack_client.planning import limits, plan
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.settings import parse_settings

COMPUTE = programme.find(catalogue.load("2020.06")[0], "compute")
SCS = programme.find(catalogue.load("scs-0128")[0], "scs-0128")
THROWAWAY = TenantPlan(TenantKind.THROWAWAY)
LISTING = Listing(Index.of(()), {"tempest": "47.0.0"})
GUESTS = ["test_host_name_is_same_as_server_name", "test_verify_created_server_vcpus"]


def names(found) -> list[str]:
    return [limit.test.name.rpartition(".")[2] for limit in found]


def planned(wanted, tenants=THROWAWAY, **options) -> plan.Plan:
    return plan.make(request(wanted, **options), LISTING, None, tenants)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], GUESTS),
        (["validation.run_validation=False"], GUESTS),
        (["validation.run_validation=true"], []),
        (["validation.run_validation=true", "validation.run_validation=false"], GUESTS),
    ],
)
def test_tests_that_log_in_to_guests_are_limits_unless_that_is_on(settings, expected):
    asked = request(COMPUTE, settings=parse_settings(settings))
    assert names(limits.of(asked, THROWAWAY)) == expected


def test_a_programme_without_such_tests_has_no_limits():
    assert names(limits.of(request(STORAGE), THROWAWAY)) == []
    assert not [line for line in plan_text.lines(planned(STORAGE)) if "skipped" in line]


def test_the_plan_says_what_guests_mean_for_the_verdict():
    lines = list(plan_text.lines(planned(COMPUTE)))
    start = lines.index(
        "2 tests log in to a guest and will be skipped: at best INCOMPLETE; add --guests"
    )
    assert [line.rpartition(".")[2] for line in lines[start + 1 :]] == GUESTS
    assert (
        "2 tests log in to a guest and will be skipped, which the rule of the list allows; "
        "add --guests"
    ) in plan_text.lines(planned(SCS))


def test_the_plan_says_what_the_users_of_an_accounts_file_cannot_do():
    tenants = TenantPlan(TenantKind.ACCOUNTS, (("member",),) * 4, "ResellerAdmin")
    lines = list(plan_text.lines(planned(STORAGE, tenants)))
    start = lines.index("3 tests will be skipped with these credentials: at best INCOMPLETE")
    assert len(lines[start + 1 :]) == 3
    assert lines[-1].endswith(": no user of the accounts file has the role ResellerAdmin")


def test_limits_are_recorded_in_the_plan():
    recorded = planned(COMPUTE).record().as_json()["limits"]
    assert [limit["name"].rpartition(".")[2] for limit in recorded] == GUESTS
    assert {limit["why"] for limit in recorded} == {limits.NO_GUESTS}
