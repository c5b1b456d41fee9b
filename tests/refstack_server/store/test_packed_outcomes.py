"""Outcomes as the database stores them."""

from refstack_server.store.packed_outcomes import (
    Entry,
    outcomes_of,
    pack,
    passed,
    to_outcomes,
    unpack,
)

UUID = "11111111-2222-3333-4444-555555555555"
ENTRIES = (
    Entry("setUpClass (a.b.C)", "", "fail", "Zürich"),
    Entry("a.b.C.test_x", UUID, "fail", "first"),
    Entry(f"a.b.C.test_x[id-{UUID}]", "", "pass"),
    Entry("a.b.C.test_y", "", "pass"),
    Entry("a.b.C.test_y", "", "skip", "later"),
)


def test_entries_survive_packing():
    assert unpack(pack(ENTRIES)) == ENTRIES


def test_the_damage_of_a_stream_survives_packing():
    packed = pack(ENTRIES, "the stream is truncated")
    assert unpack(packed) == ENTRIES
    assert outcomes_of(packed).damage == "the stream is truncated"
    assert outcomes_of(pack(ENTRIES)).damage == ""


def test_ids_are_read_from_either_place():
    attempts = to_outcomes(ENTRIES).attempts
    assert [attempt.test.idempotent_id for attempt in attempts] == [
        f"id-{UUID}",
        f"id-{UUID}",
        None,
        None,
    ]


def test_a_class_set_up_is_not_a_test():
    outcomes = to_outcomes((Entry("setUpClass (a.b.C)", "", "pass"), *ENTRIES))
    assert [(entry.outcome, entry.reason) for entry in outcomes.classes] == [("fail", "Zürich")]
    assert len(outcomes.attempts) == 4


def test_the_last_attempt_decides_what_passed():
    assert passed(ENTRIES) == ["a.b.C.test_x"]


def test_a_scenario_sent_by_an_old_client_is_not_the_test():
    """Only passes are sent: whether another scenario of the test failed is not known."""
    sent = (Entry("a.b.C.test_x(v1)", UUID, "pass"),)
    (attempt,) = to_outcomes(sent).attempts
    assert (attempt.test.name, attempt.test.idempotent_id) == ("a.b.C.test_x(v1)", None)
    assert passed(sent) == ["a.b.C.test_x(v1)"]
    bundled = (Entry(f"a.b.C.test_x[id-{UUID}](v1)", "", "pass"),)
    (attempt,) = to_outcomes(bundled).attempts
    assert (attempt.test.name, attempt.test.idempotent_id) == ("a.b.C.test_x", f"id-{UUID}")
