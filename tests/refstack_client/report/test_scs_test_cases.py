"""SCS-0128 as test cases of SCS: ids, results and log lines."""

import dataclasses

import pytest
from support import scs
from support.making import FACTS, SCS, names_of

from refstack_client.outcomes import subunit_stream
from refstack_client.report import scs_test_cases
from refstack_client.report.scs_test_cases import Result
from scoring.conformance.verdict import Verdict, judge

IDS = (
    "scs-0128-e2e",
    "scs-0128-e2e-compute",
    "scs-0128-e2e-identity",
    "scs-0128-e2e-image",
    "scs-0128-e2e-network",
    "scs-0128-e2e-volume",
)


def verdict_of(writer, statuses: dict[str, str | None], reason: str = "off") -> Verdict:
    """Return a verdict where tests whose name has a text have that status, and others passed."""
    for name in names_of(SCS):
        found = [status for text, status in statuses.items() if text in name]
        status = found[0] if found else "success"
        if status:
            writer.test(name, status, reason=reason, traceback=f"E: {reason}")
    return judge(SCS, subunit_stream.parse(writer.content, "x"))


def test_each_service_of_the_list_has_a_test_case():
    assert scs_test_cases.ids(SCS) == IDS


@pytest.mark.parametrize(
    ("statuses", "results"),
    [
        ({}, {}),
        ({"test_show_volume_summary": "skip"}, {}),
        ({"api.volume": "fail"}, {"scs-0128-e2e": -1, "scs-0128-e2e-volume": -1}),
        ({"api.volume": "skip"}, {"scs-0128-e2e-volume": 0}),
        ({"api.image": None}, {"scs-0128-e2e": 0, "scs-0128-e2e-image": 0}),
        (
            {"api.image": None, "api.network": "fail"},
            {"scs-0128-e2e": -1, "scs-0128-e2e-image": 0, "scs-0128-e2e-network": -1},
        ),
        ({"api": "skip"}, dict.fromkeys(IDS, 0)),
        ({"api": "fail"}, dict.fromkeys(IDS, -1)),
    ],
)
def test_a_failure_is_fail_and_what_did_not_run_is_abort(writer, statuses, results):
    verdict = verdict_of(writer, statuses)
    assert scs_test_cases.results(verdict) == {**dict.fromkeys(IDS, 1), **results}


def test_nothing_passes_if_the_stream_is_damaged(writer):
    verdict = verdict_of(writer, {"api.volume": "fail"})
    damaged = judge(
        SCS, dataclasses.replace(subunit_stream.parse(writer.content, "x"), damage="cut off")
    )
    assert set(scs_test_cases.results(verdict).values()) == {Result.FAIL, Result.PASS}
    assert set(scs_test_cases.results(damaged).values()) == {Result.FAIL, Result.ABORT}
    assert any("damaged" in str(line) for line in scs_test_cases.log(damaged))


def test_lines_are_read_back_as_scs_reads_them(writer):
    verdict = verdict_of(writer, {"api.volume": "fail", "api.image": None})
    found = scs_test_cases.results(verdict)
    lines = list(scs_test_cases.lines(found))
    log = list(map(str, scs_test_cases.log(verdict)))
    read = scs.read("\n".join(lines), "\n".join(log), 1, IDS)
    assert read.results == found
    assert read.counts == scs_test_cases.level_counts((*lines, *log))
    assert read.counts["error"] == 65
    assert read.counts["warning"] == 23


def test_lines_that_scs_publishes_have_no_text_of_the_cloud(writer):
    host = FACTS.auth_url.split("/")[2]
    verdict = verdict_of(
        writer, {"api.volume": "fail", "api.image": "skip"}, f"cannot reach {host}"
    )
    log = [str(line) for line in scs_test_cases.log(verdict)]
    assert f"cannot reach {host}" in verdict.required[-1].reason
    assert not [line for line in log if host in line]
    name = "tempest.api.volume.test_versions.VersionsTest.test_list_versions"
    assert f"ERROR: failed: {name} (wrong response)" in log
    assert log[-1] == "INFO: NOT CONFORMANT  scs-0128  258 tests: 170 passed, 65 failed, 23 skipped"


def test_a_newer_list_has_test_cases_for_its_own_services(writer):
    names = ("tempest.api.object_storage.a.B.test_c", "octavia_tempest_plugin.tests.a.B.test_c")
    (capability,) = SCS.guideline.capabilities.values()
    tests = [dataclasses.replace(capability.tests[0], name=name) for name in names]
    for number, test in enumerate(tests):
        tests[number] = dataclasses.replace(test, idempotent_id=None)
    guideline = dataclasses.replace(
        SCS.guideline,
        capabilities={"tests": dataclasses.replace(capability, tests=tuple(tests))},
    )
    assert scs_test_cases.ids(dataclasses.replace(SCS, guideline=guideline)) == (
        "scs-0128-e2e",
        "scs-0128-e2e-object-storage",
        "scs-0128-e2e-tests",
    )
