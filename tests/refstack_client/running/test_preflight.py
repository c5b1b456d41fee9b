"""What the check of a cloud finds without asking the cloud."""

from typing import Any

import pytest
from support.making import request

from capabilities import catalogue, programme
from refstack_client.running import preflight
from refstack_client.running.check_result import Level
from refstack_client.tempest.settings import parse_settings

NO_CLOUD: Any = None


@pytest.mark.parametrize(
    ("guideline", "name", "levels"),
    [
        ("2020.06", "compute", [Level.PROBLEM]),
        ("scs-0128", "scs-0128", [Level.WARNING]),
        ("2020.06", "storage", []),
    ],
)
def test_tests_that_skip_are_a_problem_unless_the_rule_of_a_list_allows_it(guideline, name, levels):
    wanted = programme.find(catalogue.load(guideline)[0], name)
    guests = preflight.CHECKS["guests"]
    assert [check.level for check in guests(NO_CLOUD, request(wanted))] == levels
    on = parse_settings(["validation.run_validation=true"])
    assert list(guests(NO_CLOUD, request(wanted, settings=on))) == []
