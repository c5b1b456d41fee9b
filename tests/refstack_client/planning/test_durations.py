"""How long a certification takes, and its estimate."""

import io
from pathlib import Path
from types import SimpleNamespace as Thing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from capabilities import catalogue, programme, tempest_id
from refstack_client.cloud.selection import CloudSelection
from refstack_client.planning import durations, workers
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import quick_tests
from refstack_client.planning.workers import Workers
from refstack_client.running import progress
from refstack_client.tempest.settings import Setting

PLATFORM = programme.find(catalogue.load("2020.06")[0], "platform")
NAMES = [test.name for test in PLATFORM.wanted_tests()]
LENGTHS = st.dictionaries(st.text(min_size=1), st.floats(0, 1000), min_size=1)


@given(LENGTHS, st.integers(1, 8))
def test_what_is_spread_goes_to_one_part_each_and_no_part_is_longer_by_more_than_one_thing(
    seconds, parts
):
    part, loads = durations.spread(seconds, parts)
    assert part.keys() == seconds.keys()
    for number in range(parts):
        mine = sum(seconds[name] for name in seconds if part[name] == number)
        assert loads[number] == pytest.approx(mine)
    assert max(loads) - min(loads) <= max(seconds.values()) + 1e-6


@pytest.mark.parametrize("concurrency", [2, 4, 8])
def test_the_platforms_classes_can_be_spread_evenly(concurrency):
    _, loads = durations.spread(durations.by_class(NAMES), concurrency)
    assert min(loads) > 0.9 * max(loads)


def test_only_the_first_test_of_a_class_sets_it_up():
    one, other = "tempest.api.compute.a.C.test_a", "tempest.api.compute.a.C.test_b"
    took = durations.by_test([one, other])
    assert took[one] > took[other]
    assert durations.by_test([other])[other] == took[one]  # neither was ever measured


FLOATING = "tempest.api.compute.floating_ips.test_floating_ips_actions.FloatingIPs.test_create"


@pytest.mark.parametrize(
    ("names", "settings", "needed"),
    [
        (NAMES, (), False),
        (NAMES, (Setting("validation", "run_validation", "True"),), True),
        (NAMES, (Setting("validation", "run_validation", "false"),), False),
        ([*NAMES, FLOATING], (), True),
        ([FLOATING.replace("compute", "network")], (), False),
    ],
)
def test_tenants_get_routers_only_where_a_server_is_reached_from_outside(names, settings, needed):
    tests = [Thing(names=(name,)) for name in names]
    request = CertificationRequest(
        programme=Thing(wanted_tests=lambda: tests),
        guideline_name="2020.06",
        cloud=CloudSelection(),
        accounts_file=None,
        workers=None,
        settings=settings,
        output=Path(),
    )
    assert request.needs_router is needed


def test_each_required_capability_has_its_quick_test_and_none_has_more_than_it_needs():
    by_capability = [
        [
            tempest_id.parse(f"{test.name}[{test.idempotent_id}]")
            for test in capability.tests
            if test.flag is None
        ]
        for capability in PLATFORM.capabilities("required")
    ]
    chosen = set(quick_tests(by_capability))
    for tests in filter(None, by_capability):
        assert chosen & {test.full for test in tests}
    assert len(chosen) <= len(by_capability)
    usual = sum(durations.by_test(NAMES).values())
    few = [tempest_id.parse(full).name for full in chosen]
    assert sum(durations.by_test(few).values()) < usual / 2


@pytest.mark.parametrize(
    ("processors", "latency", "expected"), [(2, 0.002, 2), (2, 0.1, 12), (1, 0, 1), (4, 0.02, 8)]
)
def test_as_many_workers_as_keep_the_processors_busy(processors, latency, expected, monkeypatch):
    monkeypatch.setattr(workers.os, "cpu_count", lambda: processors)
    chosen = workers.choose(latency)
    assert chosen.count == expected
    assert f"{latency * 1000:.0f} ms" in chosen.why


@pytest.mark.parametrize("slower", [0.7, 1.0, 2.5])
def test_the_time_left_is_right_once_a_tenth_is_done(slower, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    console = Console(file=io.StringIO())
    seen = progress.RunProgress(console, {"all": NAMES}, Workers(2))
    usual = durations.by_test(NAMES)
    whole = sum(usual.values()) / 2 * slower
    for name in NAMES:
        clock[0] += usual[name] / 2 * slower
        seen.status(test_id=f"{name}[id-1]", test_status="success")
        gone = clock[0] - 1000
        if gone > whole / 10:
            assert gone + seen.seconds_remaining() == pytest.approx(whole, rel=0.25)
