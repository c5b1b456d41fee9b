"""In-toto statements: read back by the libraries of the formats, and signed for other tools."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.exceptions import VerificationError
from support.bundles import make_key
from support.challenges import answering, issued
from support.making import NAMES, make_run

from refstack_client.bundle import archive, contents, envelope, pack
from refstack_client.bundle.statement import TEST_RESULT, VERIFICATION_SUMMARY
from refstack_client.cli.app import main

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "verify_statement.py"
SUMMARY = ("--predicate", "verification-summary", "--verifier", "https://certifier.example.org")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path / "key")


def bundle_of(tmp_path: Path, failing: int = 0) -> Path:
    failed = dict.fromkeys(NAMES[:failing], "fail")
    run = make_run(tmp_path / "runs", lambda name: failed.get(name, "success"), traceback="E: no")
    path = tmp_path / "my cloud.zip"
    path.write_bytes(archive.pack(pack.make(pack.of_run(run))))
    return path


def stated(bundle: Path, key: Path, *options: str) -> dict:
    """Write a statement; return it as the library reads it from the verified envelope."""
    output, public = bundle.with_suffix(".json"), bundle.with_suffix(".pem")
    command = ["bundle", "statement", str(bundle), "--key", str(key), "-o", str(output)]
    assert main([*command, "--public-key", str(public), *options]) == 0
    payload = envelope.verified(output.read_bytes(), public.read_bytes())
    read = Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement()))
    read.validate()
    assert json.loads(json_format.MessageToJson(read.pb)) == json.loads(payload)
    return json.loads(payload)


def test_the_results_of_a_conformant_cloud(tmp_path, key):
    bundle = bundle_of(tmp_path)
    found = stated(bundle, key, "--any-signer")
    assert found["predicateType"] == TEST_RESULT
    (subject,) = found["subject"]
    assert subject == {
        "name": "my cloud.zip",
        "mediaType": "application/zip",
        "digest": {"sha256": hashlib.sha256(bundle.read_bytes()).hexdigest()},
        "annotations": {"guideline": "2020.06", "programme": "storage"},
    }
    result = json_format.ParseDict(found["predicate"], test_result_pb2.TestResult())
    assert result.result == "PASSED"
    assert sorted(result.passed_tests) == sorted(name.partition("[")[0] for name in NAMES)
    assert (len(result.warned_tests), len(result.failed_tests)) == (0, 0)
    members = contents.Bundle.read(bundle).members
    assert {each.name: each.digest["sha256"] for each in result.configuration} == {
        name: hashlib.sha256(members[name]).hexdigest()
        for name in ("guideline.json", "plan.json", "tests.txt", "tempest.conf")
    }


def test_the_results_of_a_cloud_that_is_not_conformant(tmp_path, key):
    result = stated(bundle_of(tmp_path, failing=2), key, "--any-signer")["predicate"]
    assert result["result"] == "FAILED"
    assert len(result["failedTests"]) == 2
    assert len(result["passedTests"]) == len(NAMES) - 2


def test_the_summary_of_a_verification(tmp_path, key, capsys):
    challenge = issued(make_key(tmp_path / "certifier"), tmp_path / "key.pub")
    members = pack.signed(pack.make(pack.of_run(answering(tmp_path, challenge))), key)
    bundle = tmp_path / "b.zip"
    bundle.write_bytes(archive.pack(members))
    (tmp_path / "policy.yaml").write_text("max_retries: 0\nchallenge: true\n")
    (tmp_path / "challenge.txt").write_bytes(challenge.file)
    (tmp_path / "signers").write_text(f"vendor {(tmp_path / 'key.pub').read_text()}")
    files = {"policy": "policy.yaml", "challenge": "challenge.txt", "signers": "signers"}
    options = [w for name, file in files.items() for w in (f"--{name}", str(tmp_path / file))]
    found = stated(bundle, key, *SUMMARY, *options)
    assert found["predicateType"] == VERIFICATION_SUMMARY
    summary = found["predicate"]
    assert summary["verifier"]["id"] == "https://certifier.example.org"
    assert summary["resourceUri"] == "https://keystone.example.org:5000/v3"
    assert summary["verificationResult"] == "PASSED"
    # The run of the test does not record the source of Tempest.
    assert summary["verifiedLevels"] == [
        "INTACT",
        "CONSISTENT",
        "FIT_TO_CERTIFY",
        "CONFORMANT_2020.06_storage",
    ]
    policy = hashlib.sha256((tmp_path / "policy.yaml").read_bytes()).hexdigest()
    assert summary["policy"] == {
        "uri": "policy.yaml",
        "digest": {"sha256": policy},
        "annotations": {"challenge": challenge.digest},
    }
    used = [each["uri"] for each in summary["inputAttestations"]]
    assert used == ["manifest.json", "challenge.txt"]


@pytest.mark.parametrize(
    ("failing", "options"), [(1, ()), (0, ("--signers", "none")), (0, ("--guideline", "2019.11"))]
)
def test_a_verification_that_failed_has_a_summary_and_no_result(
    tmp_path, key, failing, options, capsys
):
    (tmp_path / "none").write_text("")
    options = tuple(str(tmp_path / text) if text == "none" else text for text in options)
    bundle = bundle_of(tmp_path, failing)
    output = tmp_path / "s.json"
    command = ["bundle", "statement", str(bundle), "--key", str(key), "-o", str(output), *options]
    assert main([*command, *SUMMARY]) == 0
    payload = json.loads(base64.b64decode(json.loads(output.read_text())["payload"]))
    assert payload["predicate"]["verificationResult"] == "FAILED"
    assert payload["predicate"]["verifiedLevels"] == ["FAILED"]
    capsys.readouterr()
    assert main(command) == 4
    assert "the bundle is not valid: " in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_openssl_verifies_the_envelope(tmp_path, kind):
    key = make_key(tmp_path / "k", kind)
    signed = envelope.sign(b'{"a": 1}', envelope.IN_TOTO, key)
    document = json.loads(signed.content)
    payload = base64.b64decode(document["payload"])
    name = envelope.IN_TOTO.encode()
    encoded = b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
    (tmp_path / "encoded").write_bytes(encoded)
    (tmp_path / "public.pem").write_bytes(signed.public_key)
    (tmp_path / "signature").write_bytes(base64.b64decode(document["signatures"][0]["sig"]))
    public = ("-inkey", "public.pem") if kind == "ed25519" else ("-verify", "public.pem")
    command = {
        "ed25519": ("pkeyutl", "-verify", "-pubin", *public, "-rawin", "-in", "encoded", "-sigfile")
    }.get(kind, ("dgst", "-sha256", *public, "-signature"))
    rest = () if kind == "ed25519" else ("encoded",)
    subprocess.run(["openssl", *command, "signature", *rest], cwd=tmp_path, check=True)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_the_example_of_the_documentation_verifies_both_statements(tmp_path, kind):
    key, bundle = make_key(tmp_path / "k", kind), bundle_of(tmp_path)
    for options, shown in (((), TEST_RESULT), (SUMMARY, VERIFICATION_SUMMARY)):
        stated(bundle, key, "--any-signer", *options)
        files = (bundle.with_suffix(".json"), bundle.with_suffix(".pem"))
        done = subprocess.run(
            [sys.executable, EXAMPLE, *files], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"my cloud.zip {shown} PASSED\n"


def test_a_changed_envelope_and_another_key_are_refused(tmp_path, key):
    signed = envelope.sign(b"one", envelope.IN_TOTO, key)
    other = envelope.sign(b"two", envelope.IN_TOTO, make_key(tmp_path / "other"))
    document = json.loads(signed.content)
    changed = json.dumps(document | {"payload": base64.b64encode(b"two").decode()}).encode()
    of_type = json.dumps(document | {"payloadType": "text/plain"}).encode()
    assert envelope.verified(signed.content, signed.public_key) == b"one"
    for content, public in (
        (changed, signed.public_key),
        (of_type, signed.public_key),
        (signed.content, other.public_key),
    ):
        with pytest.raises(VerificationError):
            envelope.verified(content, public)


def test_keys_that_cannot_sign(tmp_path, key, capsys):
    bundle = str(bundle_of(tmp_path))
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "secret", "-f", locked], check=True)
    for file, message in (
        (tmp_path / "key.pub", "key.pub is not a valid private key"),
        (tmp_path / "absent", "No such file"),
        (locked, "is encrypted, and there is no terminal"),
    ):
        command = ["bundle", "statement", bundle, "--any-signer", "--key", str(file)]
        assert main([*command, "-o", str(tmp_path / "s.json")]) == 4
        assert message in capsys.readouterr().err
    assert not (tmp_path / "s.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--verifier", "https://x"), "--verifier can only be used with --predicate"),
        (("--predicate", "verification-summary"), "needs --verifier URI"),
        ((*SUMMARY[:-1], "the certifier"), "the certifier is not a URI"),
        (("-o", "b.zip"), "b.zip is named twice, and would be overwritten"),
        (("-o", "key"), "key is named twice, and would be overwritten"),
        (("--public-key", "s.json"), "s.json is named twice, and would be overwritten"),
    ],
)
def test_options_that_do_not_fit_together(tmp_path, key, options, message, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = key.read_bytes()
    command = ["bundle", "statement", "b.zip", "--key", "key", "-o", "s.json", *options]
    assert main(command) == 2
    assert message in capsys.readouterr().err
    assert key.read_bytes() == before
