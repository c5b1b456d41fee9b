"""No edit of a stream makes a verdict better than an honest reading of its records.

An honest reading takes the records of a stream as a set: what has the latest time ended last. Of
two verdicts, ``a <= b`` if each test has in ``a`` an outcome at most as good as in ``b``. For a
stream S:

- S in any order of its records, and with copies of some, has the verdict of S;
- S with records added other than a pass of a test has a verdict <= that of S;
- S without some records has the verdict of the honest reading of the others.
"""

import io
import random
import time
from datetime import timedelta

import pytest
import testtools
from hypothesis import given, settings
from hypothesis import strategies as st
from support.streams import BEGAN, StreamWriter

from capabilities import catalogue, flat_list, programme
from capabilities.programme import Programme
from refstack_client.bundle import pack
from refstack_client.bundle.contents import STREAM, VERDICT
from refstack_client.errors import InputError
from refstack_client.outcomes import document, stream_tools, subunit_stream
from refstack_client.outcomes.subunit_stream import Collector
from refstack_server.store import packed_outcomes
from scoring.conformance.outcomes import Outcome, Outcomes, deciding
from scoring.conformance.verdict import Conformance, judge

TEST = "mod.A.one[id-00000000-1111-1111-1111-111111111111]"
OTHER = TEST.replace("A.one", "B.two").replace("1-1", "2-1")
STREAMS = ("storage", "storage-tenants", "storage-swift-stopped")
EVENTS = 36
EDITS = 4
"""How many events of a stream an example has, and how many edits at most."""


class Recorded(testtools.StreamResult):
    """Keeps the events of a stream, without attachments."""

    def __init__(self):
        super().__init__()
        self.events = []

    def status(self, **event):
        if event.get("test_id") and event.get("test_status"):
            kept = ("test_id", "test_status", "timestamp", "test_tags", "route_code")
            self.events.append({key: event.get(key) for key in kept})


@pytest.fixture(scope="module")
def recorded(samples) -> dict[str, list[dict]]:
    found = {}
    for name in STREAMS:
        result = Recorded()
        with (samples / f"{name}.subunit").open("rb") as content:
            stream_tools.copy(content, result)
        found[name] = result.events
    return found


def read(events) -> Outcomes:
    collector = Collector()
    for event in events:
        collector.status(**event)
    return collector.outcomes()


STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")


def honest(events) -> dict[str, Outcome]:
    """Return the outcome of each test: the one with the latest time, of several the worst."""
    last = {}
    for event in events:
        outcome = {"success": Outcome.PASS, "skip": Outcome.SKIP}.get(
            event["test_status"], Outcome.FAIL
        )
        if event["test_status"] in subunit_stream.INTERIM or "Class (" in event["test_id"]:
            continue
        key = (event["timestamp"], -outcome.badness)
        if event["test_id"] not in last or key > last[event["test_id"]][0]:
            last[event["test_id"]] = key, outcome
    return {test: outcome for test, (_, outcome) in last.items()}


def reading(events) -> dict[str, Outcome]:
    return {attempt.test.full: attempt.outcome for attempt in read(events).attempts}


def added(chosen: random.Random, events) -> dict:
    """Return a record other than a pass of a test, or a pass of one that no guideline has."""
    event = dict(chosen.choice(events))
    name = event["test_id"].partition("[")[0].rpartition(".")[0]
    event["timestamp"] = chosen.choice(events)["timestamp"]
    kind = chosen.randrange(4)
    if kind == 0:
        event["test_id"] = f"{chosen.choice(['setUpClass', 'tearDownClass'])} ({name})"
        event["test_status"] = "success"
    elif kind == 1:
        event["test_status"] = chosen.choice(["fail", "skip", "xfail", "uxsuccess", "exists"])
    elif kind == 2:
        event["test_id"], event["test_status"] = OTHER, "success"
    else:
        event["test_status"] = "inprogress"
    return event | {"test_tags": {"x"}, "route_code": str(chosen.randrange(3))}


def check_edits(seed: int, recorded) -> None:
    chosen = random.Random(seed)
    events = recorded[chosen.choice(STREAMS)]
    start = chosen.randrange(len(events))
    before = events[start : start + EVENTS]
    moved = [*before, *chosen.choices(before, k=chosen.randrange(EDITS))]
    chosen.shuffle(moved)
    assert reading(moved) == reading(before) == honest(before)

    kept = [event for event in moved if chosen.random() < 0.8]
    assert reading(kept) == honest(kept)

    more = [*before, *(added(chosen, before) for _ in range(1 + chosen.randrange(EDITS)))]
    chosen.shuffle(more)
    wanted = listed(before)
    one, other = (judge(wanted, read(each)) for each in (before, more))
    for was, now in zip(one.required, other.required, strict=True):
        assert now.outcome.badness <= was.outcome.badness or was.outcome is Outcome.NOT_RUN


def listed(events) -> Programme:
    """Return a list of the tests in some events: a whole programme takes much longer to judge."""
    names = {event["test_id"] for event in events if "Class (" not in event["test_id"]} | {TEST}
    return programme.default(flat_list.parse("\n".join(sorted(names)), "list", "list")[0], "list")


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_an_edit_never_makes_a_verdict_better(recorded, seed):
    check_edits(seed, recorded)


@pytest.mark.long
def test_100000_edits_never_make_a_verdict_better(recorded):
    for seed in range(100_000):
        check_edits(seed, recorded)


def ends(*statuses: str, timed: bool = True) -> StreamWriter:
    writer = StreamWriter(timed=timed)
    for status in statuses:
        writer.test(TEST, status)
    return writer


def only_outcome(content: bytes) -> Outcome:
    return read_content(content).attempts[-1].outcome


def read_content(content: bytes) -> Outcomes:
    return subunit_stream.parse(content, "s")


@pytest.mark.parametrize(
    ("statuses", "timed", "outcome"),
    [
        (("fail", "success"), True, Outcome.PASS),
        (("success", "fail"), True, Outcome.FAIL),
        (("fail", "success"), False, Outcome.FAIL),  # which one is later is not known
        (("success", "success"), False, Outcome.PASS),
    ],
)
def test_the_last_outcome_by_time_decides_and_without_times_the_worst(statuses, timed, outcome):
    assert only_outcome(ends(*statuses, timed=timed).content) is outcome


def test_a_failure_that_quotes_a_lost_connection_is_a_failure():
    writer = ends("success")
    writer.test(TEST, "fail", traceback="lost connection during test 'x'")
    assert only_outcome(writer.content) is Outcome.FAIL
    assert not read_content(writer.content).damage


def test_a_version_1_stream_that_ends_in_a_test_is_damaged():
    found = read_content(b"test: mod.A.one\nsuccess: mod.A.one\ntest: mod.B.two\n")
    assert found.damage == "the stream ends in the middle of a test"
    assert [test.name for test in found.unfinished] == ["mod.B.two"]
    assert [attempt.outcome for attempt in found.attempts] == [Outcome.PASS]


def test_a_failure_that_is_of_no_test_is_kept():
    writer = ends("success").test("tearDownClass (mod.A)", "fail", traceback="ValueError: no")
    (failure,) = read_content(writer.content).other_failures
    assert failure.name == "tearDownClass (mod.A)"
    assert "ValueError: no" in failure.reason


def test_a_damaged_stream_makes_no_product_conformant(samples):
    content = (samples / "storage.subunit").read_bytes()
    failure = StreamWriter().test(TEST, "fail").content
    cut = content + failure[:-1] + b"x"
    damage = read_content(cut).damage
    assert judge(STORAGE, read_content(content)).conformance is Conformance.CONFORMANT
    assert judge(STORAGE, read_content(cut)).conformance is Conformance.INCOMPLETE
    packed = pack.make(pack.Source(("guideline.json", b'{"x": 1}'), STORAGE, cut, {}))
    assert read_content(packed[STREAM]).damage == damage != ""
    assert b'"incomplete"' in packed[VERDICT]


def test_the_database_keeps_what_ended_last_and_not_what_stands_last():
    late, early = BEGAN + timedelta(hours=2), BEGAN + timedelta(hours=1)
    writer = StreamWriter().test(TEST, "fail", at=late).test(TEST, "success", at=early)
    outcomes = read_content(writer.content)
    assert [entry.outcome for entry in document.entries(outcomes)] == ["fail", "pass"]
    stored = packed_outcomes.to_outcomes(packed_outcomes.from_outcomes(outcomes))
    for found in (outcomes, stored):
        assert deciding(found.history(TEST, "mod.A")).outcome is Outcome.FAIL


@pytest.mark.parametrize("reverse", [False, True])
def test_the_attachments_are_those_of_the_attempt_that_ended_last(reverse):
    records = [
        StreamWriter().test(TEST, "fail", at=BEGAN + timedelta(hours=hour), traceback=f"E: {hour}")
        for hour in (1, 2)
    ]
    ordered = reversed(records) if reverse else records
    content = io.BytesIO(b"".join(record.content for record in ordered))
    name = TEST.partition("[")[0]
    assert stream_tools.attachments(content, [name])["traceback"] == "E: 2"


def test_without_times_the_attachments_are_those_of_the_worst_attempt():
    writer = StreamWriter(timed=False)
    writer.test(TEST, "fail", traceback="E: no").test(TEST, "skip", reason="later")
    name = TEST.partition("[")[0]
    found = stream_tools.attachments(io.BytesIO(writer.content), [name])
    assert found["traceback"] == "E: no"
    alone = StreamWriter(timed=False).test(TEST, "skip", reason="later").content
    assert stream_tools.attachments(io.BytesIO(alone), [name])["reason"] == "later"


@pytest.mark.parametrize("byte", [b"x", b"\x80", b"\n"])
def test_much_other_output_is_refused_in_time(byte):
    good = StreamWriter().test(TEST, "success").content
    few = good + byte * 1000 + good
    assert len(subunit_stream.parse(few, "s").attempts) == 2
    much = good + byte * (20 * subunit_stream.MOST_BYTES_OUTSIDE) + good
    began = time.monotonic()
    with pytest.raises(InputError, match="bytes of the stream are not subunit"):
        subunit_stream.parse(much, "s")
    assert time.monotonic() - began < 60
