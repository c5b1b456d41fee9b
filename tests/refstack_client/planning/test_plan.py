"""What would run."""

import ast
import functools
import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest
from support.making import request

from capabilities import catalogue, programme, tempest_id
from capabilities.guideline import Test
from capabilities.matching import Index, MatchKind
from refstack_client.cli.text import plan as plan_text
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.planning import plan, test_requirements
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.planning.test_requirements import TENANTS_OF_TEMPEST
from refstack_client.planning.workers import Workers
from refstack_client.tempest.listing import Listing

STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")


def index() -> Index:
    ids = (tempest_id.parse(f"{t.name}[{t.idempotent_id},smoke]") for t in STORAGE.counted_tests())
    return Index.of(each for each in ids if each)


LISTING = Listing(index(), {"tempest": "47.0.0"})


def make(tenants: TenantPlan, concurrency: int = 4) -> plan.Plan:
    asked = request(workers=Workers(concurrency, "as asked"))
    return plan.make(asked, LISTING, None, tenants)


def test_every_wanted_test_is_planned_under_its_full_id():
    made = make(TenantPlan(TenantKind.THROWAWAY))
    assert made.count(MatchKind.EXACT) == len(made.load_list) == 58
    assert all(each.endswith(",smoke]") for each in made.load_list)
    assert made.limits == ()
    assert made.concurrency == 4
    assert 10 < made.seconds < 200


def test_with_given_users_what_cannot_pass_is_said():
    tenants = TenantPlan(TenantKind.ACCOUNTS, (("member",),) * 4, "ResellerAdmin")
    limits = {each.test.name.rpartition(".")[2]: each.why for each in make(tenants).limits}
    no_reseller = "no user of the accounts file has the role ResellerAdmin"
    assert limits.pop("test_list_containers_with_marker").startswith("Tempest skips it")
    assert limits == {
        "test_upload_valid_object": no_reseller,
        "test_user_modify_quota": no_reseller,
    }


def test_without_the_role_member_what_tempest_must_set_up_itself_cannot_pass():
    tenants = TenantPlan(TenantKind.THROWAWAY, suit_tempest=False)
    (limit,) = make(tenants).limits
    assert limit.test.name.endswith("test_list_containers_with_marker")
    assert "the role member, which the cloud lacks" in limit.why


@pytest.mark.parametrize(
    ("members", "resellers", "wanted", "expected"),
    [
        (2, 0, 4, 1),
        (4, 2, 4, 2),
        (3, 2, 4, 1),
        (4, 1, 4, 1),
        (9, 0, 4, 4),
        (8, 8, 2, 2),
        (1, 0, 4, 1),
    ],
)
def test_workers_are_as_many_as_the_users_suffice_for(members, resellers, wanted, expected):
    roles = (("member",),) * members + (("member", "ResellerAdmin"),) * resellers
    tenants = TenantPlan(TenantKind.ACCOUNTS, roles, "ResellerAdmin")
    assert make(tenants, wanted).concurrency == expected


def test_a_plan_kept_as_json_gives_its_matches_back():
    made = make(TenantPlan(TenantKind.THROWAWAY))
    content = json.dumps(made.record().as_json())
    kept = PlanRecord.parse(content, "plan.json")
    assert kept == made.record()
    assert kept.matches(STORAGE) == made.matches_by_key()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_plugin.tests.m.C.t", "the Tempest plugin no_such_plugin is not installed"),
        ("tempest.api.broken.C.t", "tempest.api.broken cannot be imported: ImportError: x"),
        ("tempest.api.gone.C.t", "the installed tempest does not have it"),
    ],
)
def test_why_a_test_is_missing_is_said(name, why):
    listing = Listing(Index.of(()), {}, {"tempest.api.broken": "ImportError: x"})
    assert plan.why_missing(Test(name, "id-1"), listing) == why


@functools.cache
def asking_in(module: str) -> set[tuple[str, str]]:
    """Return class and name of the tests in a module of Tempest that ask whose the tenants are.

    A class that asks as a whole has its tests under the name "*".
    """
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if not found or not found.origin:
        return set()
    return {
        (each.name, part.name if part.name.startswith("test") else "*")
        for each in ast.parse(Path(found.origin).read_text()).body
        if isinstance(each, ast.ClassDef)
        for part in each.body
        if isinstance(part, ast.FunctionDef)
        and "CONF.auth.use_dynamic_credentials" in ast.unparse(part)
    }


def test_of_all_guidelines_tempest_itself_skips_no_other_tests_for_tenants_it_did_not_make():
    tests = {
        test
        for each in catalogue.shipped()
        for capability in catalogue.load(each)[0].capabilities.values()
        for test in capability.tests
    }
    asking = set()
    for test in tests:
        for name in test.names:
            class_name, _, method = name.rpartition(".")
            module, _, bare = class_name.rpartition(".")
            if {(bare, method), (bare, "*")} & asking_in(module):
                asking.add(test.idempotent_id)
    derived = test_requirements.requiring(TENANTS_OF_TEMPEST, tests)
    assert asking == {test.idempotent_id for test in derived}
    assert len(asking) == 1


def test_a_quick_look_at_a_list_runs_a_test_of_each_class():
    wanted = programme.find(catalogue.load("scs-0128")[0], "scs-0128")
    ids = [tempest_id.parse(f"{t.name}[{t.idempotent_id}]") for t in wanted.counted_tests()]
    listing = Listing(Index.of(each for each in ids if each), {})
    planned = plan.make(request(wanted, quick=True), listing, None, TenantPlan(TenantKind.UNKNOWN))
    chosen = [tempest_id.parse(full) for full in planned.to_run]
    assert Counter(each.class_name for each in chosen if each) == dict.fromkeys(
        {each.class_name for each in ids if each}, 1
    )
    assert "quick         52 tests, one for each class; no certification" in plan_text.lines(
        planned
    )
