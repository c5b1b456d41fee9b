"""Anonymised bundles: nothing that names a part of the cloud, and the same verdict."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import make_key
from support.making import FACTS, NAMES, STORAGE, make_run

from refstack_client.bundle import anonymise, archive, contents, pack
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.verify import Trust
from refstack_client.cli.app import main
from refstack_client.outcomes import run_directory
from refstack_client.report import document
from refstack_client.running import run_recorder

CANARIES = {
    "cloud": "nimbus-prod",
    "region": "berlin-7",
    "user": "jdoe",
    "project": "payroll",
    "host": "keystone.corp.example",
    "hypervisor": "compute-17",
    "address": "10.20.30.40",
    "address6": "fd00:17::42",
    "path": "/home/jdoe/work",
    "id": "5f9d8b1c3a7e4f6d8b1c3a7e4f6d8b1c",
    "email": "jdoe@corp.example",
    "registry": "registry.corp.example/refstack",
    "role": "acme-operator",
    "service": "acme-backup",
}
TRACEBACK = """Traceback (most recent call last):
  File "{path}/tempest/api/x.py", line 12, in test_x
    raise Conflict(host)
tempest.lib.exceptions.Conflict: Conflict with {hypervisor} of {project} at https://{host}:5000/v3
Details: user {user} ({email}) in {region} of {cloud}, {address} and [{address6}]:80, id {id}
"""
LOG = "Request (C:t): 409 PUT http://{address}:8080/v1/AUTH_{id}/refstack-1a2b3c-c0123456789-x 0.1s"


@pytest.fixture
def run(tmp_path) -> run_directory.Run:
    """A run whose files have every canary, and a test that failed."""
    facts = replace(
        FACTS,
        name=CANARIES["cloud"],
        auth_url="https://{host}:5000/v3".format(**CANARIES),
        region=CANARIES["region"],
        user=CANARIES["user"],
        project=CANARIES["project"],
        roles=("member", CANARIES["role"]),
        identity_service=CANARIES["id"],
        endpoints={
            "identity": "https://{host}:5000/v3".format(**CANARIES),
            "object-store": "http://{address}:8080/v1/AUTH_{id}".format(**CANARIES),
            CANARIES["service"]: "https://{hypervisor}/".format(**CANARIES),
        },
    )
    made = make_run(
        tmp_path / "runs",
        lambda name: "fail" if name == NAMES[0] else "success",
        facts=facts,
        versions={"tempest": "47.0.0", "acme-backup-tempest-plugin": "1.0"},
        traceback=TRACEBACK.format(**CANARIES),
        pythonlogging=LOG.format(**CANARIES),
        stdout=" ".join(CANARIES.values()),
    )
    more = {
        "attempt": 1,
        "image": {"name": CANARIES["registry"], "digest": "sha256:" + "0" * 64, "sbom": "1" * 64},
        "tokens": [{"user": "jdoe", "project": "payroll", "roles": ["member", CANARIES["role"]]}],
        "packages": {"tempest": None, CANARIES["service"]: None},
        CANARIES["host"]: CANARIES["hypervisor"],
    }
    run_recorder.keep_attempt(made, more)
    conf = "[identity]\nuri_v3 = https://{host}:5000/v3\n# {email}\nusername = {user}\n[{host}]\n"
    made.tempest_conf.write_text(f"{conf}flavor = {{id}}\nbuild_timeout = 300\n".format(**CANARIES))
    return made


def anonymous(run: run_directory.Run) -> dict[str, bytes]:
    return pack.make(pack.of_run(run), anonymous=True)


def test_no_member_names_a_part_of_the_cloud(run):
    plain = b"".join(pack.make(pack.of_run(run)).values())
    for canary in CANARIES.values():
        assert canary.encode() in plain, canary
    for name, content in anonymous(run).items():
        if name.startswith("guideline"):
            continue
        for kind, canary in CANARIES.items():
            assert canary.encode() not in content, (name, kind)


def test_the_copy_is_valid_and_has_the_same_verdict(run):
    whole, copy = Bundle(pack.make(pack.of_run(run))), Bundle(anonymous(run))
    checks = bundle_verify.verify_bundle(copy, Trust(any_signer=True)).checks
    assert [check for check in checks if not check.passed] == []
    verdicts = [document.as_json(bundle.verdict) for bundle in (whole, copy)]
    assert verdicts[0]["required"] == verdicts[1]["required"]
    assert [outcome.outcome for outcome in whole.stated_outcomes] == [
        outcome.outcome for outcome in copy.stated_outcomes
    ]
    assert copy.manifest.anonymous
    assert (copy.manifest.started, copy.manifest.ended) == (
        whole.manifest.started,
        whole.manifest.ended,
    )
    assert copy.stated_outcomes[0].reason.startswith("Conflict with … of … at …")


def test_what_a_reader_needs_stays(run):
    copy = Bundle(anonymous(run))
    conf = copy.member(contents.CONF).decode()
    assert "uri_v3 = https://host-" in conf
    assert "build_timeout = 300\n" in conf
    plan = json.loads(copy.member(contents.PLAN))
    assert plan["cloud"]["endpoints"]["identity"].endswith(":5000/v3")
    assert plan["versions"] == {"tempest": "47.0.0"}
    assert b"refstack-1a2b3c-c0123456789\n" in copy.member(contents.STREAM)
    assert copy.manifest.roles == ("member", "…")


def test_to_anonymise_again_changes_nothing(run):
    first = anonymous(run)
    assert pack.anonymised(Bundle(first)) == first
    assert pack.anonymised(Bundle(pack.make(pack.of_run(run)))) == first


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(
    ["host", "user", "'", '"', "…", "failed", "a-b", "10.0.0.1", ":", "\n", "(", ")", "7", "/", "-"]
)).map(" ".join))  # fmt: skip
def test_a_public_text_stays_as_it_is(whole):
    shown = anonymise.text(whole)
    assert anonymise.text(shown) == shown


def test_tests_that_are_not_published_are_left_out_of_the_stream():
    anonymiser = anonymise.Anonymiser(STORAGE, None)
    assert anonymiser.test_id("corp_plugin.tests.Berlin.test_x[smoke]") is None
    assert anonymiser.test_id("keystone.corp.example") is None
    assert anonymiser.test_id(NAMES[0]) == NAMES[0]
    with_host = NAMES[0].replace("]", ",smoke](compute-17)")
    assert "compute" not in str(anonymiser.test_id(with_host))


def test_the_command_writes_a_signed_copy_of_a_bundle(run, tmp_path, capsys):
    key = make_key(tmp_path / "key")
    source, target = tmp_path / "b.zip", tmp_path / "public.zip"
    source.write_bytes(archive.pack(pack.make(pack.of_run(run))))
    command = ["bundle", "anonymise", str(source), "--key", str(key), "-o", str(target)]
    assert main(command) == 0
    assert f"written: {target}" in capsys.readouterr().err
    signers = tmp_path / "allowed"
    signers.write_text(f"alice@example.org {key.with_suffix('.pub').read_text()}")
    assert main(["bundle", "verify", str(target), "--signers", str(signers)]) == 1
    assert "verification failed" not in capsys.readouterr().err
