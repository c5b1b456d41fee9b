"""A run that answers a challenge: whatever was not made for it is refused by name."""

import dataclasses
import io
from datetime import timedelta

import pytest
import subunit
from support.bundles import make_key
from support.challenges import answering, issued, placed
from support.making import BEGIN, NAMES, make_run
from support.streams import StreamWriter

from refstack_client.bundle import archive, contents, pack, ssh_signature
from refstack_client.bundle.checks import Check, Question, State
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.policy import Policy
from refstack_client.bundle.verify import Trust, verify_bundle
from refstack_client.cli.app import main
from refstack_client.errors import InputError
from refstack_client.outcomes.challenge import NAMESPACE
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import run_recorder


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys of a vendor, of another vendor and of a certifier, and a file that trusts them."""
    place = tmp_path_factory.mktemp("keys")
    lines = []
    for name, namespace in (("vendor", "bundle"), ("other", "bundle"), ("certifier", "challenge")):
        make_key(place / name)
        public = (place / f"{name}.pub").read_text()
        lines.append(f'{name} namespaces="{namespace}@refstack-client" {public}')
    (place / "signers").write_text("".join(lines))
    return place


@pytest.fixture(scope="module")
def challenge(keys):
    return issued(keys / "certifier", keys / "vendor.pub")


def signed(run, keys, key: str = "vendor", *, anonymous: bool = False) -> dict[str, bytes]:
    return pack.signed(pack.make(pack.of_run(run), anonymous=anonymous), keys / key)


def check_of(members: dict[str, bytes], keys, **trust: object) -> Check:
    """Return the check of the challenge; no other check fails."""
    trust = {"signers": keys / "signers"} | trust
    checks = verify_bundle(Bundle(members), Trust(**trust)).checks
    assert {check.name for check in checks if not check.passed} <= {"challenge"}
    (found,) = [check for check in checks if check.name == "challenge"]
    assert found.question is Question.FIT
    return found


def test_an_answer_shows_when_and_for_whom(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys)
    found = check_of(members, keys)
    assert found.state is State.PASS
    assert found.found == (
        "run after 2026-01-30 23:00:00+00:00, for Foundation; 58 of 58 tests that passed used "
        "names with its mark; signed by certifier"
    )
    assert check_of(members, keys, challenge=challenge).state is State.PASS
    manifest = Bundle(members).manifest
    assert manifest.challenge == challenge.challenge.as_json()
    assert manifest.cloud_identity["certificate_sha256"] == "ab" * 32


def test_an_answer_whose_certifier_is_not_known(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys)
    (tmp_path / "signers").write_text((keys / "signers").read_text().partition("certifier")[0])
    for trust in ({"signers": None, "any_signer": True}, {"signers": tmp_path / "signers"}):
        found = check_of(members, keys, **trust)
        assert found.state is State.UNKNOWN
        assert "the key that signed the challenge is not known: ED25519 SHA256:" in found.found
        required = check_of(members, keys, **trust, policy=Policy(challenge=True))
        assert required.state is State.FAIL
        # The certifier who gives the very challenge knows its key.
        assert check_of(members, keys, **trust, challenge=challenge).state is State.PASS


def test_the_text_of_a_challenge_that_another_key_signed(tmp_path, keys, challenge):
    own = make_key(tmp_path / "second")
    signature = ssh_signature.sign(challenge.content, own, NAMESPACE)
    copied = dataclasses.replace(challenge, signature=signature)
    members = signed(answering(tmp_path, copied), keys)
    for trust in ({}, {"signers": None, "any_signer": True}):
        assert check_of(members, keys, challenge=challenge, **trust).state is State.FAIL


def test_an_anonymous_answer_does_not_tell_the_cloud(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys, anonymous=True)
    assert check_of(members, keys).state is State.PASS
    assert b"abab" not in b"".join(members.values())
    assert Bundle(members).manifest.cloud_identity is None


def test_an_answer_to_another_challenge(tmp_path, keys, challenge):
    other = issued(keys / "certifier", keys / "vendor.pub")
    members = signed(answering(tmp_path, challenge), keys)
    found = check_of(members, keys, challenge=other)
    assert found.state is State.FAIL
    assert found.found.startswith(
        f"the bundle answers another challenge: {challenge.challenge.nonce} of Foundation"
    )
    assert other.challenge.nonce in found.found


def test_no_answer_where_one_is_required(tmp_path, keys, challenge):
    members = signed(make_run(tmp_path), keys)
    for trust in ({"challenge": challenge}, {"policy": Policy(challenge=True)}):
        found = check_of(members, keys, **trust).found
        assert found == "the bundle answers no challenge: it has no challenge.txt"


def test_an_answer_without_the_challenge(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    run.challenge_file.unlink()
    assert check_of(signed(run, keys), keys).state is State.FAIL


def with_names(run: Run, name: str, **more: object) -> Run:
    """Let each test of a run use a name; ``more`` are options of the stream."""
    times = {"timed": False} if more.get("timed") is False else {}
    writer = StreamWriter(**times)
    for number, test in enumerate(NAMES):
        at = None if times else BEGIN + timedelta(seconds=number)
        writer.test(test, "success", at=at, pythonlogging=f"PUT /v1/{name.format(number=number)}")
    run.stream.write_bytes(writer.content)
    return run


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("refstack-1a2b3c-c0123456789-x", "the stream answers another challenge, or none"),
        ("refstack-1a2b3c-box-1", "the stream answers another challenge, or none"),
        ("REFSTACK-1A2B3C-C0123456789-x", "the stream answers another challenge, or none"),
        ("refstack-1a2b3c%2Dc0123456789%2Dx", "the stream answers another challenge, or none"),
        ("refstack-ffffff-{mark}-x", "the stream answers another challenge, or none"),
        ("box-1", "0 of 58 tests that passed used names with the mark c"),
    ],
)
def test_a_stream_of_another_run(tmp_path, keys, challenge, name, message):
    """A replay: the stream of an old run, with new records around it."""
    run = with_names(answering(tmp_path, challenge), name.replace("{mark}", challenge.mark))
    assert message in check_of(signed(run, keys), keys).found


def test_the_mark_outside_of_the_tests_that_passed_counts_for_nothing(tmp_path, keys, challenge):
    run = with_names(answering(tmp_path, challenge), "box-1")
    name = f"refstack-1a2b3c-{challenge.mark}-x"
    writer = StreamWriter()
    writer.test("setUpClass (a.b.C)", "fail", at=BEGIN, traceback=name)
    content = run.stream.read_bytes()
    for more in (writer.content, f"garbage {name}\n".encode()):
        run.stream.write_bytes(content + more)
        checks = verify_bundle(Bundle(signed(run, keys)), Trust(signers=keys / "signers")).checks
        (found,) = [check for check in checks if check.name == "challenge"]
        assert "0 of 58 tests that passed used names" in found.found


def test_names_that_a_test_finds_besides_its_own(tmp_path, keys, challenge):
    """An accounts file is used by run after run, and one may leave something."""
    both = f"refstack-1a2b3c-{challenge.mark}-x refstack-000000-left"
    run = with_names(answering(tmp_path, challenge), both)
    assert check_of(signed(run, keys), keys).state is State.PASS


def test_a_stream_without_times(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    run = with_names(run, f"refstack-1a2b3c-{challenge.mark}-x", timed=False)
    assert check_of(signed(run, keys), keys).found == "not every test of the stream has a time"


def test_a_name_in_pieces_is_read_as_one(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    out = io.BytesIO()
    target = subunit.StreamResultToBytes(out)
    for number, test in enumerate(NAMES):
        at = BEGIN + timedelta(seconds=number)
        target.status(test_id=test, test_status="inprogress", timestamp=at)
        for piece in ("PUT refstack-1a2", "b3c-c012345", "6789-x"):
            target.status(test_id=test, file_name="pythonlogging", file_bytes=piece.encode())
        target.status(test_id=test, test_status="success", timestamp=at)
    run.stream.write_bytes(out.getvalue())
    assert "answers another challenge, or none" in check_of(signed(run, keys), keys).found


def test_users_of_another_run_in_the_tokens(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    tokens = [{"user": "refstack-1a2b3c-1-member", "project": "p", "roles": ["member"]}]
    run_recorder.keep_attempt(run, {"attempt": 1, "tokens": tokens})
    found = check_of(signed(run, keys), keys).found
    assert found == "attempts.jsonl has names of another run: refstack-1a2b3c-…"


def test_the_bundle_of_another_owner(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys, "other")
    assert "and the bundle is signed with SHA256:" in check_of(members, keys).found
    unsigned = {name: members[name] for name in members if name != contents.SIGNATURE}
    found = check_of(unsigned, keys, signers=None, any_signer=True)
    assert found.found.endswith("and the bundle is not signed")


def test_a_challenge_that_the_vendor_issued(tmp_path, keys):
    own = issued(keys / "vendor", keys / "vendor.pub")
    members = signed(answering(tmp_path, own), keys)
    found = check_of(members, keys)
    assert found.found == "the challenge is signed with the same key as the bundle"


@pytest.mark.parametrize(
    ("hours", "days", "found"),
    [
        (1, 30, "before the challenge was issued at"),
        (-24 * 31, 30, "after the challenge expired at"),
    ],
)
def test_a_run_outside_of_the_time_of_the_challenge(tmp_path, keys, hours, days, found):
    late = issued(
        keys / "certifier", keys / "vendor.pub", at=BEGIN + timedelta(hours=hours), days=days
    )
    assert found in check_of(signed(answering(tmp_path, late), keys), keys).found


def test_a_changed_challenge(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys)
    text = challenge.file.replace(b"Foundation", b"Fundation!")
    run = answering(tmp_path / "b", challenge)
    run.challenge_file.write_bytes(text)
    assert check_of(members, keys).state is State.PASS
    found = check_of(signed(run, keys), keys, signers=None, any_signer=True)
    assert found.state is State.FAIL
    assert "the signature is not valid" in found.found


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (lambda answered, at: None, "start 1 of the run did not place this challenge"),
        (
            lambda answered, at: placed(answered, at) | {"sha256": "0" * 64},
            "start 1 of the run did not place this challenge",
        ),
        *(
            (
                lambda answered, at, change=change: placed(answered, at, **change),
                "start 1 of the run records no request with the challenge that a service accepted",
            )
            for change in (
                {"status": 403},
                {"status": 102},
                {"status": -1},
                {"method": "DELETE"},
                {"request_id": ""},
            )
        ),
        (
            lambda answered, at: placed(answered, at) | {"requests": []},
            "start 1 of the run records no request with the challenge that a service accepted",
        ),
        (
            lambda answered, at: placed(answered, at, date="2022-01-01T00:00:00+00:00"),
            "a service accepted the challenge before the run started",
        ),
        (
            lambda answered, at: placed(answered, at, date="2026-02-01T00:00:00+00:00"),
            "a service accepted the challenge after the run had ended",
        ),
        (
            lambda answered, at: placed(answered, at, date="9999-12-31T23:59:59-14:00"),
            "a service accepted the challenge after the run had ended",
        ),
        (
            lambda answered, at: placed(answered, at) | {"cloud": {"auth_url": "https://other/v3"}},
            "the challenge was placed in https://other/v3, the tests ran in https://keystone",
        ),
        (lambda answered, at: placed(answered, at) | {"cloud": None}, "must be an object"),
        (
            lambda answered, at: placed(answered, at) | {"prefix": "refstack-1a2b3c"},
            "names of the run do not have the mark of the challenge",
        ),
        (lambda answered, at: placed(answered, at, date="yesterday"), "unexpected form"),
        (lambda answered, at: placed(answered, at, status="201"), "must be a whole number"),
    ],
)
def test_a_challenge_that_was_not_placed(tmp_path, keys, challenge, record, found):
    run = answering(tmp_path, challenge, record=record)
    check = check_of(signed(run, keys), keys)
    assert check.state is State.FAIL
    assert found in check.found


def test_a_second_start_without_the_challenge(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    began = (BEGIN + timedelta(seconds=59)).isoformat()
    start = {"attempt": 2, "mode": "failed", "asked": 1, "retry_budget": 3, "started": began}
    run_recorder.keep_attempt(run, start | {"ended": began})
    assert "start 2 of the run did not place" in check_of(signed(run, keys), keys).found


def test_a_start_without_tests_that_placed_another_challenge(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    began = (BEGIN + timedelta(seconds=59)).isoformat()
    start = {"attempt": 2, "mode": "failed", "asked": 0, "retry_budget": 3, "started": began}
    run_recorder.keep_attempt(run, start | {"ended": began})
    assert check_of(signed(run, keys), keys).state is State.PASS
    other = issued(keys / "certifier", keys / "vendor.pub")
    run_recorder.keep_attempt(run, {"attempt": 2, "challenge": placed(other)})
    assert "start 2 of the run did not place" in check_of(signed(run, keys), keys).found


def test_a_run_that_ran_no_tests(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge)
    lines = run.attempts.read_text().replace('"asked": 58', '"asked": 0')
    run.attempts.write_text(lines)
    assert check_of(signed(run, keys), keys).found == (
        "the bundle records no start of a run that ran tests"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"attempt": 1, "asked": 0}, "/asked: differs from what an earlier line records"),
        ({"attempt": 0, "asked": 1}, "/attempt: must be 1 or more"),
        ({"asked": 1}, '"attempt" is missing'),
    ],
)
def test_records_that_contradict_each_other(tmp_path, line, message):
    run = make_run(tmp_path)
    run_recorder.keep_attempt(run, line)
    with pytest.raises(InputError, match=message):
        pack.make(pack.of_run(run))


def test_on_the_command_line(tmp_path, keys, capsys):
    file, packed = tmp_path / "challenge.txt", tmp_path / "b.zip"
    vendor, certifier = str(keys / "vendor.pub"), str(keys / "certifier")
    issue = ["bundle", "challenge", "--for", vendor, "--certifier", "Foundation"]
    assert main([*issue, "--key", certifier, "-o", str(file)]) == 0
    assert f"written: {file}, valid until " in capsys.readouterr().err
    packed.write_bytes(archive.pack(signed(make_run(tmp_path / "runs"), keys)))
    verify = ["bundle", "verify", str(packed), "--signers", str(keys / "signers")]
    assert main(verify) == 0
    capsys.readouterr()
    assert main([*verify, "--challenge", str(file)]) == 4
    assert "verification failed: challenge" in capsys.readouterr().err
    assert main([*verify, "--challenge", str(keys / "signers")]) == 4
    assert "is not a challenge: it has no SSH signature" in capsys.readouterr().err
    (tmp_path / "policy.yaml").write_text("challenge: true\n")
    assert main([*verify, "--policy", str(tmp_path / "policy.yaml")]) == 4
    file.write_text(file.read_text().replace("Foundation", "Fundation!"))
    assert main([*verify, "--challenge", str(file)]) == 4
    assert f"{file}: the signature is not valid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"--for": "vendor"}, 4, "vendor is not the public key of OpenSSH"),
        ({"--for": "signers"}, 4, "signers is not the public key of OpenSSH"),
        ({"--for": "certifier.pub"}, 4, "the challenge is for the key that signs it"),
        ({"--key": "signers"}, 4, "cannot sign with"),
        ({"--certifier": ""}, 4, "must have 1 to 200 characters"),
        ({"--days": "0"}, 2, "--days must be 1 to 365"),
        ({"--days": "3000000"}, 2, "--days must be 1 to 365"),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_not_issued(
    keys, monkeypatch, capsys, changed, code, message
):
    monkeypatch.chdir(keys)
    options = {"--for": "vendor.pub", "--key": "certifier", "--certifier": "F", "-o": "c.txt"}
    words = [word for pair in (options | changed).items() for word in pair]
    assert main(["bundle", "challenge", *words]) == code
    assert message in capsys.readouterr().err
    assert not (keys / "c.txt").exists()


def test_runs_of_one_challenge_are_merged_and_no_others(tmp_path, keys, challenge, capsys):
    one, other = (answering(tmp_path / str(number), challenge) for number in range(2))
    output = tmp_path / "merged"
    merge = ["merge", str(one.directory), str(other.directory), "--output", str(output)]
    assert main(merge) == 0
    (merged,) = map(type(one), output.iterdir())
    assert check_of(signed(merged, keys), keys).state is State.PASS
    other.challenge_file.unlink()
    assert main(merge) == 4
    assert "the runs answer different challenges" in capsys.readouterr().err
