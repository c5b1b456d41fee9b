"""What the check of a cloud finds without asking the cloud."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import Mock

import pytest
from rich.console import Console
from support.making import request

from capabilities import catalogue, programme
from refstack_client.errors import CloudError
from refstack_client.running import preflight
from refstack_client.running.check_result import Check, Level
from refstack_client.tempest.settings import parse_settings

NO_CLOUD: Any = None
PROBLEM = Check("a", Level.PROBLEM, "does not respond", "start it")


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


def test_what_several_checks_need_is_one_problem(monkeypatch):
    def fails(cloud, request):
        raise CloudError(PROBLEM.found, hint=PROBLEM.remedy)
        yield

    monkeypatch.setattr(preflight, "connect", Mock())
    monkeypatch.setattr(preflight, "adapted", lambda request, cloud: request)
    monkeypatch.setattr(preflight, "CHECKS", {"a": fails, "b": fails})
    found = list(preflight.check(request(), Console(quiet=True)))
    assert found[1] == PROBLEM
    assert [(check.name, check.level) for check in found[2:]] == [("capabilities", Level.WARNING)]


def test_problems_of_the_same_words_are_both_reported(monkeypatch):
    def finds(cloud, request):
        yield Check("extension a", Level.PROBLEM, "tests that require it: 1", "enable it")
        yield Check("extension b", Level.PROBLEM, "tests that require it: 1", "enable it")

    monkeypatch.setattr(preflight, "connect", Mock())
    monkeypatch.setattr(preflight, "adapted", lambda request, cloud: request)
    monkeypatch.setattr(preflight, "CHECKS", {"services": finds})
    found = list(preflight.check(request(), Console(quiet=True)))
    assert [check.name for check in found[1:3]] == ["extension a", "extension b"]


@pytest.mark.parametrize(
    "date", ["", "now", "Fri, 31 Dec 99999 23:59:59 GMT", "Mon, 99 Foo 2026 99:99:99 GMT"]
)
def test_a_date_that_is_not_valid_is_ignored(date):
    assert seconds_off(date) is None


def test_a_date_without_time_zone_is_in_utc():
    assert seconds_off(format_datetime(datetime.now(UTC).replace(tzinfo=None))) < 60
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert seconds_off(format_datetime(an_hour_ago)) == pytest.approx(3600, abs=60)


def seconds_off(date: str) -> float | None:
    cloud = Mock()
    cloud.connection.session.get.return_value.headers = {"Date": date}
    return preflight._seconds_off(cloud, "http://k.example")
