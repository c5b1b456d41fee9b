"""Two verdicts side by side."""

from capabilities import catalogue, programme
from refstack_client.cli.app import main
from refstack_client.outcomes import subunit_stream
from refstack_client.report import comparison
from scoring.conformance.verdict import Verdict, judge

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
