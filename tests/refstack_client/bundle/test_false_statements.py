"""A signed bundle with one false statement: the check of the right question finds it."""

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import subunit
from support import making
from support.making import BEGIN, NAMES, STORAGE, make_run
from support.streams import StreamWriter

from refstack_client.bundle import archive, contents, fitness, manifest_of, pack, policy
from refstack_client.bundle.checks import Check, Question, State
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.policy import Policy
from refstack_client.bundle.verify import Trust, Verification, verify_bundle
from refstack_client.cli.app import main
from refstack_client.errors import InputError
from refstack_client.outcomes import attestation, subunit_stream
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import run_recorder
from refstack_client.tempest import inventory, package_digest
from refstack_client.tempest.workspace import workspace
from scoring.conformance.verdict import Conformance, judge

Members = dict[str, bytes]
TABLE = fitness._TESTS


@pytest.fixture(scope="module")
def members(tmp_path_factory) -> Members:
    """The members of the bundle of a conformant run."""
    return pack.make(pack.of_run(make_run(tmp_path_factory.mktemp("run"))))


def sealed(members: Members, **manifest: object) -> Members:
    """Return members with a manifest that has their digests, as a signer would make it."""
    document = json.loads(members[contents.MANIFEST]) | manifest
    document["members"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in members.items()
        if name != contents.MANIFEST
    }
    return {**members, contents.MANIFEST: json.dumps(document).encode()}


def verified(members: Members, **trust: object) -> Verification:
    return verify_bundle(Bundle(members), Trust(any_signer=True, **trust))


def failures(members: Members, **trust: object) -> list[tuple[Question, str]]:
    checks = verified(members, **trust).checks
    return [(check.question, check.name) for check in checks if check.state is State.FAIL]


def check_of(members: Members, name: str) -> Check:
    return next(check for check in verified(members).checks if check.name == name)


def test_a_true_bundle_has_no_failure(members):
    assert failures(members) == []
    assert failures(sealed(members)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guideline", {"id": "2019.06", "sha256": "0" * 64}),
        ("programme", "platform"),
        ("verdict", "not-conformant"),
        ("source", "stream"),
        ("anonymous", 1),
        ("versions", {"tempest": "46.0.0"}),
        ("versions", {}),
        ("images", [{"name": "refstack-client"}]),
        ("started", "2026-01-30T00:00:00+00:00"),
        ("started", None),
        ("ended", "2027-01-31T00:01:00+00:00"),
        ("cpid", "0" * 32),
        ("cpid", None),
        ("cloud", {}),
        ("cloud", {"auth_url": "https://other.example/v3", "region": "R", "endpoints": {}}),
        ("roles", []),
        ("roles", ["member", "reader"]),
    ],
)
def test_a_manifest_that_contradicts_the_rest(members, field, value):
    found = failures(sealed(members, **{field: value}))
    assert found
    assert {question for question, _ in found} <= {Question.CONSISTENT, Question.INTACT}


def leaves(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value of a JSON document that has no other in it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(inner, dict | list) and inner:
            yield from leaves(inner, (*path, key))
        else:
            yield (*path, key)


def another(value: object) -> object:
    """Return another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case dict():
            return {"x": 1}
        case list():
            return ["x"]
    return "x"


def changed(document: object, path: tuple) -> object:
    copy = json.loads(json.dumps(document))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = another(place[path[-1]])
    return copy


def lines(content: bytes) -> list[object]:
    return [json.loads(line) for line in content.splitlines()]


NOT_SHOWN = {
    contents.MANIFEST: {"made_by", "anonymous"},
    contents.PLAN: {"concurrency", "estimated_seconds", "user", "project", "roles", "shard"},
    contents.ATTEMPTS: {"retry_budget", "asked", "status", "user", "project"},
}
"""Statements that nothing else in a bundle repeats, by a part of their path."""


@pytest.mark.parametrize(
    ("name", "least"),
    [
        (contents.MANIFEST, 18),
        (contents.PLAN, 240),
        pytest.param(contents.VERDICT, 200, marks=pytest.mark.long),
        (contents.OUTCOMES, 200),
        (contents.ATTEMPTS, 5),
    ],
)
def test_every_statement_that_is_false_is_found(members, name, least):
    read = lines if name == contents.ATTEMPTS else json.loads
    document = read(members[name])
    found, missed = 0, []
    for path in leaves(document):
        if "members" in path or path[0] == "made_by":
            continue
        false = changed(document, path)
        content = json.dumps(false)
        if name == contents.ATTEMPTS:
            content = "".join(f"{json.dumps(line)}\n" for line in false)
        whole = {**members, name: content.encode()}
        checks = verified(whole if name == contents.MANIFEST else sealed(whole)).checks
        # The source of Tempest is not recorded in this run.
        if any(one.state is not State.PASS and one.name != "packages" for one in checks):
            found += 1
        elif NOT_SHOWN.get(name, set()).isdisjoint(path):
            missed.append(path)
    assert missed == []
    assert found >= least


PAGE = contents.REPORT


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda page: page.replace(b">CONFORMANT<", b">NOT CONFORMANT<"), State.FAIL),
        (lambda page: page.replace(b"Powered Storage", b"Powered Platform"), State.FAIL),
        (lambda page: page.replace(b"58/58", b"273/273"), State.FAIL),
        (lambda page: page.replace(b"guideline 2020.06", b"guideline 2022.11"), State.FAIL),
        (lambda page: page.replace(b"</body>", b"<script>x()</script></body>"), State.FAIL),
        (lambda page: page.replace(b"</head>", b"<link href='x'></head>"), State.FAIL),
        (lambda page: b"<!--" + page + b"--><p>CONFORMANT Platform 273/273</p>", State.FAIL),
        (lambda page: b"<h1>Platform 273/273</h1>", State.FAIL),
        (lambda page: b"", State.FAIL),
        (lambda page: b"\xff" + page, State.FAIL),
        (lambda page: page.replace(b"<th>versions</th>", b"<th>version</th>"), State.FAIL),
        (lambda page: page.replace(b'content="refstack-client', b'content="other'), State.UNKNOWN),
    ],
)
def test_a_page_that_is_not_that_of_the_results(members, change: Callable, state):
    changed = {**members, PAGE: change(members[PAGE])}
    assert changed[PAGE] != members[PAGE]
    assert check_of(sealed(changed), "report").state is state


# -- attempts --------------------------------------------------------------------------------------


def with_stream(run: Run, failures: int, *, at: timedelta = timedelta()) -> Run:
    """Let each test of a run fail some times before it passes."""
    written = StreamWriter()
    for number in range(failures + 1):
        for name in NAMES:
            status = "success" if number == failures else "fail"
            written.test(name, status, at=BEGIN + at + timedelta(seconds=number), traceback="E: x")
    run.stream.write_bytes(written.content)
    return run


def test_failures_that_no_start_explains(tmp_path):
    changed = pack.make(pack.of_run(with_stream(make_run(tmp_path), 40)))
    assert failures(changed) == [(Question.CONSISTENT, "attempts"), (Question.FIT, "retries")]
    found = verified(changed)
    assert found.verdict.conformance is Conformance.NOT_CONFORMANT
    assert "passed only at attempt 41; at most 3 retries count" in {
        test.reason for test in found.verdict.required
    }
    assert (
        verified(changed, policy=Policy(max_retries=40)).verdict.conformance
        is Conformance.CONFORMANT
    )


def restarted(run: Run, times: int) -> Run:
    for number in range(2, times + 2):
        start = {"attempt": number, "mode": "failed", "asked": 1, "retry_budget": 3}
        began = (BEGIN + timedelta(seconds=number)).isoformat()
        ended = (BEGIN + timedelta(minutes=1)).isoformat()
        run_recorder.keep_attempt(run, {**start, "started": began, "workspace": "/w"})
        run_recorder.keep_attempt(run, {"attempt": number, "ended": ended})
    return run


@pytest.mark.parametrize(("times", "found"), [(1, []), (3, [])])
def test_retries_within_the_budget(tmp_path, times, found):
    run = restarted(with_stream(make_run(tmp_path), times), times)
    assert failures(pack.make(pack.of_run(run))) == found


def test_a_strict_certifier_allows_no_retry(tmp_path, capsys):
    run = restarted(with_stream(make_run(tmp_path), 1), 1)
    path = tmp_path / "b.zip"
    path.write_bytes(archive.pack(pack.make(pack.of_run(run))))
    verify = ["bundle", "verify", str(path), "--any-signer"]
    assert main(verify) == 0
    said = capsys.readouterr().err.splitlines()
    assert "Passed only when repeated: 58 tests, at most 1 time" in said
    assert main([*verify, "--max-retries", "0"]) == 4
    assert "verification failed: retries" in capsys.readouterr().err
    assert main(["verdict", str(path), "--max-retries", "0"]) == 1
    shown = capsys.readouterr().out
    assert "passed only at attempt 2; no retry counts" in shown
    assert main(["verdict", str(path), "--max-retries", "1", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["repeated"], document["most_retries"]) == (58, 1)


def test_merged_runs_do_not_add_their_budgets(tmp_path, capsys):
    runs = [
        make_run(
            tmp_path / str(number),
            lambda name, k=number: "success" if NAMES.index(name) % 6 <= k else "fail",
            started=BEGIN + timedelta(hours=number),
            traceback="E: x",
        )
        for number in range(6)
    ]
    merge = ["merge", *(str(run.directory) for run in runs), "--output", str(tmp_path / "merged")]
    assert main(merge) == 1
    shown = capsys.readouterr().out
    assert "Retries: failed tests were run again 5 of 3 times" in shown
    assert "Passed only when repeated: " in shown
    (merged,) = (tmp_path / "merged").iterdir()
    assert (Question.FIT, "retries") in failures(pack.make(pack.of_run(Run(merged))))


@pytest.mark.parametrize("days", [-1, 1])
def test_tests_that_ran_when_the_run_did_not(tmp_path, days):
    run = with_stream(make_run(tmp_path), 0, at=timedelta(days=days))
    assert failures(pack.make(pack.of_run(run))) == [(Question.CONSISTENT, "attempts")]


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_clock_has(members, started):
    whole = members[contents.ATTEMPTS].replace(b"2026-01-31T00:00:00+00:00", started.encode())
    changed = sealed({**members, contents.ATTEMPTS: whole}, started=started)
    assert failures(changed) == [(Question.CONSISTENT, "attempts")]


def test_tests_that_ran_as_an_admin(tmp_path):
    run = make_run(tmp_path)
    tokens = [{"user": "u", "project": "p", "roles": ["admin", "member"]}]
    run_recorder.keep_attempt(run, {"attempt": 1, "tokens": tokens})
    assert failures(pack.make(pack.of_run(run))) == [(Question.FIT, "roles")]


PUBLISHED = package_digest.of_installed("tempest")


@pytest.mark.parametrize(
    ("packages", "state"),
    [
        ({"tempest": PUBLISHED}, State.PASS),
        ({"tempest": PUBLISHED, "vendor-plugin": "0" * 64}, State.PASS),
        ({"tempest": "0" * 64}, State.FAIL),
        ({"tempest": 7}, State.FAIL),
        ({"tempest": ""}, State.UNKNOWN),
        ({}, State.UNKNOWN),
    ],
)
def test_a_tempest_that_is_not_the_published_one(tmp_path, packages, state):
    run = make_run(tmp_path)
    run_recorder.keep_attempt(run, {"attempt": 1, "packages": packages})
    found = check_of(pack.make(pack.of_run(run)), "packages")
    assert (found.question, found.state) == (Question.GENUINE, state), found.found


def test_a_changed_file_of_tempest_changes_its_digest():
    files = {"a/b.py": b"1", "a/c.py": b"2", "a/data.txt": b"x", "../bin/x.py": b"y"}
    digest = package_digest.of_files(files, files.__getitem__)
    changed = {**files, "a/c.py": b"3"}
    assert package_digest.of_files(changed, changed.__getitem__) != digest
    others = {**files, "a/data.txt": b"z", "../bin/x.py": b"z"}
    assert package_digest.of_files(reversed(others), others.__getitem__) == digest
    assert package_digest.of_files([], files.__getitem__) == ""


FULL = NAMES[0]
METHOD = FULL.partition("[")[0].rpartition(".")[2]


@pytest.mark.parametrize(
    ("full", "state", "message"),
    [
        (FULL.replace("tempest.", "vendor.noop."), State.FAIL, "is not of the same package"),
        (FULL.replace(METHOD, "test_nothing"), State.FAIL, f"has the id of {METHOD}"),
        (
            FULL.replace(".api.", ".api.moved."),
            State.PASS,
            "1 of 58 tests ran under another name, which published releases give to their ids: ",
        ),
    ],
)
def test_ids_on_other_tests(tmp_path, monkeypatch, full, state, message):
    monkeypatch.setattr(making, "names_of", lambda wanted: (full, *NAMES[1:]))
    found = check_of(pack.make(pack.of_run(make_run(tmp_path))), "names")
    assert (found.question, found.state) == (Question.GENUINE, state)
    assert message in found.found


def test_an_id_that_no_release_has(tmp_path, monkeypatch, members):
    monkeypatch.setattr(fitness, "_TESTS", tmp_path / "tests.json")
    known = json.loads(TABLE.read_text())
    del known[FULL.partition("[id-")[2][:36]]
    (tmp_path / "tests.json").write_text(json.dumps(known))
    found = check_of(members, "names")
    assert found.state is State.UNKNOWN
    assert found.found == f"no published release is known that has {FULL}, of 58 tests"


def test_the_table_has_every_test_of_the_tempest_in_use():
    known = json.loads(TABLE.read_text())
    with workspace() as space:
        tests = inventory.load(space).index.tests
    with_ids = [test for test in tests if test.idempotent_id]
    assert len(with_ids) > 1000
    for test in with_ids:
        methods = known[test.idempotent_id.removeprefix("id-")]
        assert test.name.rpartition(".")[2] in methods, test


def test_a_guideline_that_is_not_shipped_must_be_given(members, tmp_path: Path, capsys):
    document = json.loads(members["guideline.json"])
    document["metadata"]["id"] = "2099.01"
    run = make_run(tmp_path)
    run.guideline.write_text(json.dumps(document))
    plan = json.loads(run.plan.read_text())
    digest = hashlib.sha256(run.guideline.read_bytes()).hexdigest()
    plan["guideline"].update(id="2099.01", sha256=digest)
    run.plan.write_text(json.dumps(plan))
    path = tmp_path / "b.zip"
    path.write_bytes(archive.pack(pack.make(pack.of_run(run))))
    verify = ["bundle", "verify", str(path), "--any-signer"]
    assert main(verify) == 4
    assert "verification failed: guideline" in capsys.readouterr().err
    assert main([*verify, "--guideline", str(run.guideline)]) == 0
    (tmp_path / "other.json").write_bytes(members["guideline.json"])
    assert main([*verify, "--guideline", str(tmp_path / "other.json")]) == 4


# -- policies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("{}", []),
        ("max_retries: 0\nroles: [member, reader]\n", []),
        ("max_age_days: 100000", []),
        ("max_age_days: 0", [(Question.FIT, "age")]),
        ("roles: [reader]", [(Question.FIT, "allowed-roles")]),
        ("signed_attestation: true", [(Question.FIT, "signed-attestation")]),
        ("known_answers: [consistent]", []),
        ("known_answers: [consistent, intact]", [(Question.INTACT, "signature")]),
        ("known_answers: [genuine tests]", [(Question.GENUINE, "packages")]),
    ],
)
def test_a_policy_requires_more(members, text, failed):
    found = policy.parse(text.encode(), "policy.yaml")
    assert failures(members, policy=found) == failed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_retires: 0", "policy.yaml: /max_retires: unknown key"),
        ("max_retries: -1", "policy.yaml: /max_retries: must be 0 or more"),
        ("max_age_days: soon", "policy.yaml: /max_age_days: must be a whole number"),
        ("roles: member", "policy.yaml: /roles: must be a list"),
        ("known_answers: [all]", "policy.yaml: /known_answers/0: must be one of intact,"),
        ("- a", "policy.yaml: must be an object"),
        ("a: [", "policy.yaml is not valid YAML: line 1"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused(text, message):
    with pytest.raises(InputError) as caught:
        policy.parse(text.encode(), "policy.yaml")
    assert message in str(caught.value)


def test_a_policy_is_given_as_a_file(members, tmp_path, capsys):
    path, rules = tmp_path / "b.zip", tmp_path / "policy.yaml"
    path.write_bytes(archive.pack(members))
    rules.write_text("max_age_days: 1\n")
    verify = ["bundle", "verify", str(path), "--any-signer"]
    assert main(verify) == 0
    assert main([*verify, "--policy", str(rules)]) == 4
    assert "verification failed: age" in capsys.readouterr().err


# -- found by attack -------------------------------------------------------------------------------


def with_attempts(members: Members, change: Callable[[list[dict]], object]) -> Members:
    """Return a bundle whose attempts are changed, and whose manifest follows from them."""
    records = lines(members[contents.ATTEMPTS])
    change(records)
    text = "".join(f"{json.dumps(record)}\n" for record in records)
    bundle = Bundle({**members, contents.ATTEMPTS: text.encode()})
    others = {name: one for name, one in bundle.members.items() if name != contents.MANIFEST}
    due = manifest_of.members(bundle.verdict, bundle.plan, others, anonymous=False)
    return {**others, contents.MANIFEST: json.dumps(due.as_json()).encode()}


def state_of(members: Members, name: str, **trust: object) -> State:
    checks = verified(members, **trust).checks
    return next(check.state for check in checks if check.name == name)


def test_a_list_is_known_by_its_content(tmp_path):
    listed = tmp_path / "scs-0128.txt"
    listed.write_text(NAMES[0])
    path = tmp_path / "stream"
    path.write_bytes(StreamWriter().test(NAMES[0], "success").content)
    out = tmp_path / "b.zip"
    create = ["bundle", "create", str(path), "--guideline", str(listed), "-o", str(out)]
    assert main(create) == 0
    verify = ["bundle", "verify", str(out), "--any-signer"]
    assert main([*verify, "--guideline", str(listed)]) == 0
    (tmp_path / "other.txt").write_text(f"{NAMES[0]}\n{NAMES[1]}\n")
    assert main([*verify, "--guideline", str(tmp_path / "other.txt")]) == 4
    assert main(verify) == 4


def test_every_start_that_ran_tests_records_the_source_of_tempest(members):
    def one_more(records: list[dict]) -> None:
        more = {**records[0], "attempt": 2, "asked": 0, "packages": {"tempest": PUBLISHED}}
        records.append({**more, "ended": records[-1]["ended"]})

    assert state_of(with_attempts(members, one_more), "packages") is State.UNKNOWN


@pytest.mark.parametrize("role", ["admin", "Admin", "ADMIN", "admin "])
def test_an_admin_in_any_case_is_one(members, role):
    def change(records: list[dict]) -> None:
        records[-1]["tokens"][0]["roles"] = [role]

    assert state_of(with_attempts(members, change), "roles") is State.FAIL


def test_the_age_is_that_of_the_stream(members):
    def now(records: list[dict]) -> None:
        records.append({**records[0], "attempt": 2, "ended": "2099-01-01T00:00:00+00:00"})

    found = with_attempts(members, now)
    assert state_of(found, "age", policy=Policy(max_age_days=1)) is State.FAIL


@pytest.mark.parametrize("key", ["retry_budget", "asked", "attempt"])
def test_a_number_below_0_is_refused(members, key):
    changed = members[contents.ATTEMPTS].replace(f'"{key}": '.encode(), f'"{key}": -7'.encode())
    found = failures(sealed({**members, contents.ATTEMPTS: changed}))
    assert (Question.CONSISTENT, "attempts") in found


@pytest.mark.parametrize("ended", ["cut off", ""])
def test_a_start_that_was_cut_off_has_no_end(members, ended):
    def change(records: list[dict]) -> None:
        for record in records:
            if "ended" in record:
                record["ended"] = ended

    assert state_of(with_attempts(members, change), "attempts") is State.PASS


def test_a_manifest_that_states_two_things_is_refused(members):
    text = members[contents.MANIFEST].replace(
        b'"programme":', b'"programme": "platform", "programme":'
    )
    assert state_of({**members, contents.MANIFEST: text}, "manifest") is State.FAIL


def test_a_verdict_without_its_members_is_refused(members):
    assert state_of(sealed({**members, contents.VERDICT: b"{}"}), "verdict") is State.FAIL


def test_repetitions_of_a_stream_alone_are_counted(tmp_path):
    run = with_stream(make_run(tmp_path), 40)
    guideline = ("guideline.json", run.guideline.read_bytes())
    packed = pack.make(pack.Source(guideline, STORAGE, run.stream.read_bytes(), {}))
    assert state_of(packed, "retries") is State.FAIL
    assert state_of(packed, "mode") is State.UNKNOWN


def test_a_scenario_that_was_repeated_counts():
    one, other = (f"{NAMES[0]}({letter})" for letter in "ab")
    written = StreamWriter()
    for each in (one, *NAMES[1:]):
        written.test(each, "success")
    for _ in range(60):
        written.test(other, "fail", traceback="E: x")
    written.test(other, "success")
    verdict = judge(STORAGE, subunit_stream.parse(written.content, "s"))
    assert (verdict.conformance, verdict.most_retries) == (Conformance.CONFORMANT, 60)


def test_a_run_without_a_file_makes_no_bundle(tmp_path):
    run = make_run(tmp_path)
    run.tests.unlink()
    with pytest.raises(InputError, match="lacks the file of tests"):
        pack.of_run(run)


def test_an_attachment_larger_than_a_packet_is_kept(tmp_path):
    run = make_run(tmp_path)
    written = StreamWriter()
    for name in NAMES:
        written.test(name, "success", at=BEGIN)
    pieces = io.BytesIO()
    target = subunit.StreamResultToBytes(pieces)
    for _ in range(7):
        target.status(test_id=NAMES[0], file_name="pythonlogging", file_bytes=b"x" * 1_000_000)
    target.status(test_id=NAMES[0], test_status="success", timestamp=BEGIN)
    run.stream.write_bytes(written.content + pieces.getvalue())
    packed = pack.make(pack.of_run(run))
    assert failures(packed) == []
    assert packed[contents.STREAM].count(b"x") >= 7_000_000


@pytest.mark.parametrize(
    "damage",
    [
        b"\xb3\x20\x43\x08" + struct.pack(">I", zlib.crc32(b"\xb3\x20\x43\x08")),
        b"\xb3",
        b"\xb3\x20\x43\x08abcd",
    ],
)
def test_a_forged_packet_is_damage(damage):
    good = StreamWriter().test(NAMES[0], "success").content
    found = subunit_stream.parse(good + damage, "s")
    assert found.damage
    assert len(found.attempts) == 1


def test_an_unknown_encoding_in_version_1_is_damage():
    text = (
        f"test: {NAMES[0]}\nfailure: {NAMES[0]} [ multipart\nContent-Type: text/plain;charset=x\n"
    )
    content = f"test: {NAMES[1]}\nsuccess: {NAMES[1]}\n{text}log\n1\r\na0\r\n]\n"
    found = subunit_stream.parse(content.encode(), "s")
    assert [str(attempt.outcome) for attempt in found.attempts][:1] == ["pass"]


@pytest.mark.parametrize(
    "change",
    [
        {"sections": [{"section": ["x"], "answer": "yes"}]},
        {"sections": [{"section": "a", "answer": "no"}, {"section": "a", "answer": "yes"}]},
        {"by": {"a": 1}},
    ],
)
def test_an_attestation_of_another_form_is_refused(change):
    document = {
        "format": 1,
        "guideline": "2020.06",
        "sha256": "0",
        "programme": "storage",
        "product": "P",
        "by": "A",
        "date": "2026-01-01",
        "sections": [],
        **change,
    }
    with pytest.raises(InputError, match="is not a valid attestation"):
        attestation.read(json.dumps(document).encode(), "a.json")
