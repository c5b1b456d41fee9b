"""Reading streams: real ones, damaged ones, both versions of the format."""

from collections import Counter

import pytest

from capabilities import catalogue, programme
from refstack_client.errors import InputError
from refstack_client.outcomes import subunit_stream
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import judge

ONE = "mod.Class.one[id-11111111-1111-1111-1111-111111111111]"
TWO = "mod.Class.two[id-22222222-2222-2222-2222-222222222222]"

# Of the real streams: by programme, the verdict and passed, failed, skipped, not run.
GOLDEN = {
    ("platform", "platform"): ("incomplete", 271, 0, 2, 0),
    ("platform", "compute"): ("incomplete", 215, 0, 2, 0),
    ("platform", "storage"): ("conformant", 58, 0, 0, 0),
    ("storage", "platform"): ("incomplete", 58, 0, 0, 215),
    ("storage", "compute"): ("incomplete", 2, 0, 0, 215),
    ("storage", "storage"): ("conformant", 58, 0, 0, 0),
    ("storage-tenants", "platform"): ("incomplete", 57, 0, 1, 215),
    ("storage-tenants", "storage"): ("incomplete", 57, 0, 1, 0),
    ("storage-swift-stopped", "platform"): ("not-conformant", 25, 33, 0, 215),
    ("storage-swift-stopped", "compute"): ("incomplete", 2, 0, 0, 215),
    ("storage-swift-stopped", "storage"): ("not-conformant", 25, 33, 0, 0),
}


@pytest.mark.parametrize(("name", "key"), GOLDEN)
def test_real_streams_have_their_golden_verdicts(samples, name, key):
    outcomes = subunit_stream.read(samples / f"{name}.subunit")
    verdict = judge(programme.find(catalogue.load("2020.06")[0], key), outcomes)
    counts = (Outcome.PASS, Outcome.FAIL, Outcome.SKIP, Outcome.NOT_RUN)
    assert (str(verdict.conformance), *map(verdict.count, counts)) == GOLDEN[name, key]
    assert outcomes.damage == ""


def test_a_stopped_service_is_the_reason_of_each_failure(samples):
    outcomes = subunit_stream.read(samples / "storage-swift-stopped.subunit")
    verdict = judge(programme.find(catalogue.load("2020.06")[0], "storage"), outcomes)
    reasons = Counter(test.reason for test in verdict.required if test.outcome is Outcome.FAIL)
    assert reasons == {"Swift (object-store) at 127.0.0.1:34493 refused the connection": 33}
    assert [str(fixture.outcome) for fixture in outcomes.classes].count("fail") > 0


def outcomes_of(content: bytes) -> dict[str, tuple[str, str]]:
    parsed = subunit_stream.parse(content, "x")
    return {each.test.name: (str(each.outcome), each.reason) for each in parsed.attempts}


def test_outcomes_and_reasons_are_read(writer):
    writer.test(ONE, "success")
    writer.test(TWO, "skip", reason="no such feature")
    assert outcomes_of(writer.content) == {
        "mod.Class.one": ("pass", ""),
        "mod.Class.two": ("skip", "no such feature"),
    }


def test_a_class_fixture_is_an_outcome_of_the_class(writer):
    writer.end("setUpClass (mod.Class)", "fail", traceback="Traceback\n  f\nValueError: broken\n")
    writer.test(ONE, "success")
    (fixture,) = subunit_stream.parse(writer.content, "x").classes
    assert (fixture.class_name, str(fixture.outcome), fixture.reason) == (
        "mod.Class",
        "fail",
        "ValueError: broken",
    )


def test_a_test_that_did_not_end_is_unfinished(writer):
    writer.test(ONE, "success").start(TWO)
    assert [each.full for each in subunit_stream.parse(writer.content, "x").unfinished] == [TWO]


def test_a_stream_cut_in_a_packet_keeps_what_was_complete_and_says_so(writer):
    writer.test(ONE, "success").test(TWO, "skip", reason="because")
    cut = subunit_stream.parse(writer.content[:-5], "x")
    assert [each.test.full for each in cut.attempts] == [ONE]
    assert "truncated" in cut.damage


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_real_stream_cut_anywhere_is_incomplete_and_never_fails(samples, share):
    content = (samples / "storage.subunit").read_bytes()
    outcomes = subunit_stream.parse(content[: int(len(content) * share)], "x")
    verdict = judge(programme.find(catalogue.load("2020.06")[0], "storage"), outcomes)
    assert str(verdict.conformance) == "incomplete"
    assert verdict.count(Outcome.FAIL) == 0
    assert outcomes.damage


V1 = f"""\
test: {ONE}
success: {ONE}
test: {TWO}
skip: {TWO} [
no such feature
]
"""


def test_version_1_is_read(writer):
    assert outcomes_of(V1.encode()) == {
        "mod.Class.one": ("pass", ""),
        "mod.Class.two": ("skip", "no such feature"),
    }


def test_version_1_cut_in_a_test_is_damaged_and_the_test_is_unfinished():
    cut = subunit_stream.parse(V1.encode()[: V1.index("skip:")], "x")
    assert [each.test.full for each in cut.attempts] == [ONE]
    assert [each.full for each in cut.unfinished] == [TWO]
    assert "ends in the middle of a test" in cut.damage


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"just some text\n", "is not a subunit stream"),
        (b"\xb3\x29 looks like it but is not", "is not a subunit stream"),
        (bytes(range(256)) * 40, "is not a subunit stream"),
    ],
)
def test_what_is_no_stream_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        subunit_stream.parse(content, "file")
