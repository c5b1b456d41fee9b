"""A run that answers a challenge: whatever was not made for it is refused by name."""

from datetime import timedelta

import pytest
from support.bundles import make_key
from support.challenges import answering, issued, placed
from support.making import BEGIN, make_run

from refstack_client.bundle import archive, contents, pack
from refstack_client.bundle.checks import Check, Question, State
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.policy import Policy
from refstack_client.bundle.verify import Trust, verify_bundle
from refstack_client.cli.app import main
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
        "run after 2026-01-30 23:00:00+00:00, for Foundation; the stream has 58 names of this "
        "challenge; signed by certifier"
    )
    assert check_of(members, keys, challenge=challenge).state is State.PASS
    manifest = Bundle(members).manifest
    assert manifest.challenge == challenge.challenge.as_json()
    assert manifest.cloud_identity["certificate_sha256"] == "ab" * 32


def test_an_answer_whose_certifier_nobody_knows_is_unknown(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys)
    found = check_of(members, keys, signers=None, any_signer=True)
    assert found.state is State.UNKNOWN
    assert "whose owner was not checked" in found.found
    # The certifier who gives the very challenge knows its key.
    given = check_of(members, keys, signers=None, any_signer=True, challenge=challenge)
    assert given.state is State.PASS


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
        assert check_of(members, keys, **trust).found == "the bundle answers no challenge"


def test_a_stream_that_answered_another_challenge(tmp_path, keys, challenge):
    """A replay: the stream of an old run, with new records around it."""
    run = answering(tmp_path, challenge, mark="c0123456789")
    found = check_of(signed(run, keys), keys)
    assert found.found == (
        "the stream answers another challenge: it has names with the mark c0123456789, not "
        f"{challenge.mark}"
    )


def test_a_stream_of_a_run_without_challenge(tmp_path, keys, challenge):
    run = answering(tmp_path, challenge, mark="container")
    found = check_of(signed(run, keys), keys)
    assert found.found == (
        f"no test of the stream used a name with the mark of the challenge, {challenge.mark}"
    )


def test_the_bundle_of_another_owner(tmp_path, keys, challenge):
    members = signed(answering(tmp_path, challenge), keys, "other")
    assert "and the bundle is signed with SHA256:" in check_of(members, keys).found
    unsigned = {name: members[name] for name in members if name != contents.SIGNATURE}
    found = check_of(unsigned, keys, signers=None, any_signer=True)
    assert found.found.endswith("and the bundle is not signed")


def test_a_challenge_that_the_vendor_issued(tmp_path, keys):
    own = issued(keys / "vendor", keys / "vendor.pub")
    members = signed(answering(tmp_path, own), keys)
    assert "key is not permitted for use in signature namespace" in check_of(members, keys).found
    found = check_of(members, keys, signers=None, any_signer=True)
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
        (
            lambda answered, at: placed(answered, at) | {"requests": []},
            "no service accepted a request with the challenge",
        ),
        (
            lambda answered, at: placed(answered, at, status=403),
            "no service accepted a request with the challenge",
        ),
        (
            lambda answered, at: placed(answered, at, date="Sat, 01 Jan 2022 00:00:00 GMT"),
            "a service has the time 2022-01-01 00:00:00+00:00, before the challenge was issued",
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
    for key in (certifier, str(tmp_path / "none")):
        wrong = ["bundle", "challenge", "--for", str(file), "--certifier", "F", "--key", key]
        assert main(wrong) == 4
        assert f"{file} is not a key that OpenSSH reads" in capsys.readouterr().err


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
