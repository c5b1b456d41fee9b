"""Two verdicts side by side."""

from dataclasses import replace

from capabilities import catalogue, programme
from refstack_client.cli.app import main
from refstack_client.outcomes import subunit_stream
from refstack_client.report import comparison
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Conformance, Verdict, judge

STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")


def judged(make, **statuses: str) -> tuple[bytes, Verdict]:
    writer = make()
    for number, test in enumerate(STORAGE.counted_tests()):
        status = statuses.get(f"t{number}", "success")
        if status != "none":
            writer.test(f"{test.name}[{test.idempotent_id}]", status, reason="no", traceback="E: x")
    return writer.content, judge(STORAGE, subunit_stream.parse(writer.content, "x"))


def test_every_required_test_is_in_one_class_of_change(writer):
    make = type(writer)
    _, before = judged(make, t0="fail", t1="skip", t2="fail")
    _, after = judged(make, t1="fail", t2="none", t3="fail")
    found = comparison.compare(before, after)
    names = [test.name for test in STORAGE.counted_tests()]
    changes = {each.test.name: str(each.change) for each in found}
    assert [changes[name] for name in names[:5]] == [
        "newly passing",
        "newly failing",
        "otherwise different",
        "newly failing",
        "same",
    ]
    assert len(found) == 58
    assert found[0].change is comparison.Change.NEWLY_FAILING


def test_the_exit_code_of_diff_says_whether_anything_fails_now(writer, tmp_path, capsys):
    good, _ = judged(type(writer))
    bad, _ = judged(type(writer), t0="fail")
    (tmp_path / "good").write_bytes(good)
    (tmp_path / "bad").write_bytes(bad)
    one, other = str(tmp_path / "good"), str(tmp_path / "bad")
    assert main(["diff", one, other, "--programme", "storage", "-f", "csv"]) == 1
    printed = capsys.readouterr()
    assert '"pass","fail","newly failing","E: x"' in printed.out
    assert printed.err == "1 newly failing, 0 newly passing, 0 otherwise different, 57 same\n"
    assert main(["diff", other, one, "--programme", "storage", "-f", "csv"]) == 0
    capsys.readouterr()
    assert main(["diff", one, one, "--programme", "storage", "--all", "-f", "value"]) == 0
    assert capsys.readouterr().out.count(" pass same ") == 58


def with_reasons(make, reasons: dict[int, str]) -> Verdict:
    """Return the verdict on a run in which some tests failed, each for a reason."""
    writer = make()
    for number, test in enumerate(STORAGE.counted_tests()):
        status = "fail" if number in reasons else "success"
        name = f"{test.name}[{test.idempotent_id}]"
        writer.test(name, status, traceback=reasons.get(number, ""))
    return judge(STORAGE, subunit_stream.parse(writer.content, "x"))


def test_tests_that_changed_for_the_same_reason_are_one_group(writer):
    make = type(writer)
    good = with_reasons(make, {})
    server = "E: server {:08x}-0000-4000-8000-000000000000 is in error"
    why = {number: server.format(number) for number in range(30)} | {30: "E: other", 31: "E: other"}
    bad = with_reasons(make, why)
    groups = comparison.by_reason(comparison.compare(good, bad))
    assert [(group.reason, len(group.tests)) for group in groups] == [
        ("E: server … is in error", 30),
        ("E: other", 2),
    ]
    fixed = comparison.by_reason(comparison.compare(bad, good))
    assert [(group.change, group.reason, len(group.tests)) for group in fixed] == [
        ("newly passing", "E: server … is in error", 30),
        ("newly passing", "E: other", 2),
    ]
    assert comparison.by_reason(comparison.compare(bad, bad)) == ()


def test_capabilities_that_changed_are_grouped_by_their_verdicts(writer):
    make = type(writer)
    _, good = judged(make)
    _, bad = judged(make, t0="fail")
    (group,) = comparison.by_capability(good, bad)
    assert (group.status, group.before, group.after) == (
        *("required", Conformance.CONFORMANT),
        Conformance.NOT_CONFORMANT,
    )
    assert [part.changes for part in group.capabilities] == [
        {comparison.Change.NEWLY_FAILING: 1} for _ in group.capabilities
    ]
    assert comparison.by_capability(bad, bad) == ()
    _, all_fail = judged(make, **{f"t{number}": "fail" for number in range(58)})
    _, all_skip = judged(make, **{f"t{number}": "skip" for number in range(58)})
    (group,) = comparison.by_capability(all_fail, all_skip)
    assert len(group.capabilities) == 20
    # The verdict of a capability may stay as it was while its tests change.
    _, two = judged(make, t0="fail", t1="fail")
    assert any(group.before is group.after for group in comparison.by_capability(bad, two))


def test_a_test_that_the_first_verdict_lacks_did_not_run_in_it(writer):
    _, whole = judged(type(writer))
    part = replace(whole, required=whole.required[1:])
    found = comparison.compare(part, whole)
    assert [test.before for test in found if test.before is not Outcome.PASS] == [Outcome.NOT_RUN]
    assert len(comparison.compare(whole, part)) == 57
