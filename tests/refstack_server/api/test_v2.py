"""The API v2: uploaded bundles and streams, their verdicts and comparisons."""

import hashlib
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from support.bundles import make_key, packed, proof, registered
from support.challenges import answering, issued
from support.making import NAMES, STORAGE, make_run
from support.streams import StreamWriter

from capabilities import catalogue, programme, reader, tempest_id
from refstack_client.bundle import archive, pack, ssh_signature
from refstack_client.bundle import contents as bundle_contents
from refstack_client.files import json_text
from refstack_client.outcomes import challenge


@pytest.fixture
def key(tmp_path, server, alice) -> Path:
    """Return a key that alice registered."""
    made = make_key(tmp_path / "key")
    registered(server, alice, made)
    return made


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_keys_of_every_type_are_registered_and_sign_tokens(server, bob, tmp_path, kind):
    key = make_key(tmp_path / "key", kind)
    listed = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True)
    assert registered(server, bob, key) == listed.stdout.split()[1]
    private = serialization.load_ssh_private_key(key.read_bytes(), None)
    algorithm = {"ed25519": "EdDSA", "rsa": "RS256", "ecdsa": "ES256"}[kind]
    claims = {"user_openid": bob.openid, "exp": datetime.now(UTC) + timedelta(minutes=1)}
    token = jwt.encode(claims, private, algorithm=algorithm)
    headers = {"Authorization": f"Bearer {token}"}
    assert server.call("GET", "/v1/profile", headers=headers).json()["openid"] == bob.openid


def test_a_challenge_is_valid_for_one_user_one_server_and_one_key(server, alice, bob, tmp_path):
    one, other = make_key(tmp_path / "one"), make_key(tmp_path / "other")
    assert server.call("GET", "/v2/keys/challenge").status_code == 401
    given = server.call("GET", "/v2/keys/challenge", alice).json()["challenge"]

    def title(document, who=alice):
        answer = server.call("POST", "/v2/keys", who, json=document)
        return answer.status_code, answer.json().get("title")

    right = proof(one, given)
    failed = (400, "Signature verification failed")
    assert title(right, bob) == (400, "The challenge was issued for another server or user")
    assert title(proof(one, given + "x")) == (400, "The challenge was not issued by this server")
    assert title({**right, "signature": proof(other, given)["signature"]}) == failed
    assert title({**right, "signature": "nonsense"}) == failed
    assert title(proof(one, given, "file")) == failed
    assert title({**right, "key": "ssh-dss AAAA"}) == (400, "Public key has unsupported format")
    assert title({**right, "key": "ssh-ed25519 AAAA"}) == (400, "Malformed public key")
    assert title(right)[0] == 201
    assert title(right) == (409, "Public key already exists.")


def test_a_bundle_is_private_to_its_signer_and_its_verdict_is_recomputed(
    server, alice, bob, root, key, tmp_path
):
    content = packed(tmp_path, key, failing=1)
    answer = server.call("POST", "/v2/bundles", data=content)
    assert answer.status_code == 201, answer.text
    document = answer.json()
    assert document["verdict"].startswith("NOT CONFORMANT  OpenStack Powered Storage")
    assert all(check["holds"] for check in document["checks"])
    path = f"/v2/results/{document['id']}"
    for who in (None, bob):
        for what in ("", "/verdict", "/outcomes", "/bundle", f"/compared/{document['id']}"):
            assert server.call("GET", f"{path}{what}", who).status_code == 401
    shown = server.call("GET", path, alice).json()
    assert (shown["guideline"], shown["programme"]) == ("2020.06", "storage")
    assert (shown["conformance"], shown["verified"]) == ("not-conformant", False)
    verdict = server.call("GET", f"{path}/verdict", alice).json()
    assert verdict["required"]["failed"] == 1
    outcomes = server.call("GET", f"{path}/outcomes", alice).json()
    assert outcomes[0] == {"test": NAMES[0], "outcome": "fail", "reason": "E: no"}
    assert len(outcomes) == len(NAMES)
    assert server.call("GET", f"{path}/bundle", root).status_code == 401
    server.call("PUT", f"{path}/sharing", alice, json={"with": "certifier"})
    for who in (alice, root):
        assert server.call("GET", f"{path}/bundle", who).content == content
    old = server.call("GET", f"/v1/results/{document['id']}", alice).json()
    names = [tempest_id.parse(name).name for name in NAMES[1:]]
    assert (old["results"], old["user_role"]) == (names, "owner")
    server.call("POST", f"/v1/results/{document['id']}/meta/shared", alice, data="true")
    assert server.call("GET", f"{path}/verdict").json() == verdict
    assert server.call("GET", f"{path}/bundle").status_code == 403


def test_a_published_result_reveals_no_addresses_hosts_and_ids(server, alice, key, tmp_path):
    canaries = (
        "https://keystone.corp.example:5000/v3/projects",
        "10.20.30.40",
        "fd00:1:2::7",
        "db7.corp.example:3306",
        "ops@corp.example",
        "0123456789abcdef0123456789abcdef",
    )
    host = "keystone.inner.example"
    why = f"NotFound: {' and '.join(canaries)}; HTTPConnectionPool(host='{host}', port=5000)"
    content = packed(tmp_path, key, failing=1, traceback=why)
    path = f"/v2/results/{server.call('POST', '/v2/bundles', data=content).json()['id']}"
    server.call("PUT", f"{path}/sharing", alice, json={"with": "everybody"})
    by = {"guideline": "2019.11", "programme": "storage"}
    page, table = path.removeprefix("/v2"), f"{path.removeprefix('/v2')}/tests.csv"
    for url in (
        f"{path}/verdict",
        f"{path}/outcomes",
        f"{path}/compared/{path[12:]}",
        page,
        table,
    ):
        for asked in ({}, by):
            own = server.call("GET", url, alice, params=asked).text
            public = server.call("GET", url, params=asked).text
            assert "NotFound: … and … and …" in public, url
            for canary in (*canaries, host):
                assert canary in own, url
                assert canary not in public, url
    assert server.call("GET", path).json()["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_same_bundle_again_is_the_same_result(server, alice, bob, key, tmp_path):
    content = packed(tmp_path, key)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: server.call("POST", "/v2/bundles", data=content), range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    unsigned = packed(tmp_path / "unsigned")
    assert server.call("POST", "/v2/bundles", data=unsigned).status_code == 401
    assert server.call("POST", "/v2/bundles", alice, data=unsigned).status_code == 201
    assert server.call("POST", "/v2/bundles", bob, data=unsigned).status_code == 409


def test_a_removed_result_leaves_no_upload(server, alice, key, tmp_path):
    content = packed(tmp_path, key, failing=5)
    digest = hashlib.sha256(content).hexdigest()
    path = server.data / "uploads" / digest[:2] / digest
    ids = []
    for _ in range(2):
        ids.append(server.call("POST", "/v2/bundles", data=content).json()["id"])
        assert path.read_bytes() == content
        assert server.call("DELETE", f"/v1/results/{ids[-1]}", alice).status_code == 204
        assert not path.exists()
    assert ids[0] != ids[1]


def test_a_changed_bundle_is_refused_with_the_failed_check(server, alice, key, tmp_path):
    members = archive.unpack(packed(tmp_path, key), "x")
    forged = {
        **members,
        bundle_contents.OUTCOMES: members[bundle_contents.OUTCOMES].replace(b"pass", b"skip", 1),
    }
    answer = server.call("POST", "/v2/bundles", alice, data=archive.pack(forged))
    assert answer.status_code == 400
    assert answer.json()["title"] == "The bundle is not valid"
    assert answer.json()["detail"].startswith("hashes: outcomes.json has another SHA-256")
    other = {
        **members,
        bundle_contents.SIGNATURE: members[bundle_contents.SIGNATURE].replace(b"A", b"B"),
    }
    answer = server.call("POST", "/v2/bundles", alice, data=archive.pack(other))
    assert answer.json()["detail"].startswith("signature: ")
    for nonsense in (b"", b"nonsense", packed(tmp_path)[:1000]):
        answer = server.call("POST", "/v2/bundles", alice, data=nonsense)
        assert (answer.status_code, answer.json()["title"]) == (400, "This is not a bundle")


def repacked(members: dict[str, bytes], key: Path, **stated) -> bytes:
    """Return a bundle with a valid manifest and signature for any members."""
    manifest = {**json.loads(members[bundle_contents.MANIFEST]), **stated}
    for name, known in manifest["members"].items():
        known |= {
            "sha256": hashlib.sha256(members[name]).hexdigest(),
            "size": len(members[name]),
        }
    content = json.dumps(manifest, indent=1).encode()
    signature = ssh_signature.sign(content, key, bundle_contents.NAMESPACE)
    return archive.pack(
        {**members, bundle_contents.MANIFEST: content, bundle_contents.SIGNATURE: signature}
    )


@pytest.mark.parametrize("cpid", [7, "c" * 129, "a\0b", ["c"]])
def test_the_cpid_of_a_manifest_is_validated(server, key, tmp_path, cpid):
    content = repacked(archive.unpack(packed(tmp_path, key), "x"), key, cpid=cpid)
    answer = server.call("POST", "/v2/bundles", data=content)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith(("manifest: ", "statements: ")), answer.text


def test_a_bundle_of_an_unknown_guideline_is_refused(server, alice, key, tmp_path):
    mine = json.loads(catalogue.content("2020.06"))
    mine["metadata"]["id"] = "2099.06"
    guideline = reader.parse(json.dumps(mine).encode(), "mine")[0]
    made = make_run(tmp_path / "runs")
    source = pack.of_stream(
        made.stream, programme.find(guideline, "storage"), json.dumps(mine).encode()
    )
    members = pack.make(source, anonymous=False, attested={})
    answer = server.call("POST", "/v2/bundles", alice, data=archive.pack(members))
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"] == "guideline: 2099.06 is not known to this server"


@pytest.mark.parametrize("attempts", [b"[]\n", b'{"attempt": 1}\n', b'{"attempt": {}}\n', b"\xff"])
def test_attempts_in_another_form_are_refused(server, alice, key, tmp_path, attempts):
    members = archive.unpack(packed(tmp_path, key), "x")
    content = repacked({**members, bundle_contents.ATTEMPTS: attempts}, key)
    answer = server.call("POST", "/v2/bundles", data=content)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith("attempts: cannot be read: "), answer.text


def test_a_stream_is_judged_by_the_named_programme(server, alice, tmp_path):
    made = make_run(tmp_path / "runs")
    content = made.stream.read_bytes()
    by = {"guideline": "2020.06", "programme": "storage"}
    assert server.call("POST", "/v2/streams", data=content, params=by).status_code == 401
    answer = server.call("POST", "/v2/streams", alice, data=content, params=by)
    assert answer.json()["verdict"].startswith("CONFORMANT")
    path = f"/v2/results/{answer.json()['id']}"
    other = server.call(
        "GET", f"{path}/verdict", alice, params={"guideline": "2017.09", "programme": "storage"}
    )
    assert other.json()["guideline"] == "2017.09"
    for wrong in ({"guideline": "../x"}, {"programme": "nothing"}):
        refused = server.call("POST", "/v2/streams", alice, data=content, params={**by, **wrong})
        assert refused.status_code == 404
    refused = server.call("POST", "/v2/streams", alice, data=b"nonsense", params=by)
    assert (refused.status_code, refused.json()["title"]) == (400, "This is not a subunit stream")
    assert server.call("GET", f"{path}/bundle", alice).status_code == 404


def test_a_result_in_refstack_v1_format_is_judged(server):
    names = [test.name for test in STORAGE.counted_tests()]
    result_id = server.upload(names)
    path = f"/v2/results/{result_id}/verdict"
    by = {"guideline": "2020.06", "programme": "storage"}
    assert server.call("GET", path, params=by).json()["verdict"] == "conformant"
    assert server.call("GET", path).status_code == 400
    fewer = server.upload(names[1:])
    compared = server.call("GET", f"/v2/results/{result_id}/compared/{fewer}", params=by).json()
    assert compared[0]["test"] == names[0]
    assert (compared[0]["before"], compared[0]["after"]) == ("pass", "not-run")
    assert {row["change"] for row in compared[1:]} == {"same"}


def test_metadata_of_a_result_in_refstack_v1_format_decide_its_verdict(server, alice):
    names = [test.name for test in STORAGE.counted_tests()]
    result_id = server.upload(names, alice)
    path = f"/v2/results/{result_id}"

    def judged():
        shown = server.call("GET", path, alice).json()
        return shown["guideline"], shown["programme"], shown["conformance"]

    steps = (
        ("guideline", "2020.06.json", (None, None, None)),
        ("target", "object", ("2020.06", "storage", "conformant")),
        ("target", "compute", ("2020.06", "compute", "incomplete")),
        ("target", "bogus", (None, None, None)),
        ("target", "object", ("2020.06", "storage", "conformant")),
    )
    for name, value, expected in steps:
        server.call("POST", f"/v1/results/{result_id}/meta/{name}", alice, data=value)
        assert judged() == expected
    server.call("DELETE", f"/v1/results/{result_id}/meta/guideline", alice)
    assert judged() == (None, None, None)


def test_only_the_owner_decides_who_sees_a_result(server, alice, bob, root, key, tmp_path):
    content = packed(tmp_path, key)
    path = f"/v2/results/{server.call('POST', '/v2/bundles', data=content).json()['id']}"
    sharing = f"{path}/sharing"
    for who in (None, bob):
        assert server.call("PUT", sharing, who, json={"with": "everybody"}).status_code == 401
    for wrong in ({}, {"with": "all"}, {"with": 1}, {"with": "nobody", "more": 1}):
        assert server.call("PUT", sharing, alice, json=wrong).status_code == 400
    for with_ in ("certifier", "everybody", "certifier", "everybody", "nobody"):
        answer = server.call("PUT", sharing, alice, json={"with": with_})
        assert answer.json() == {"shared_with": with_}
        assert server.call("GET", path, alice).json()["shared_with"] == with_
        assert server.call("GET", path).status_code == (200 if with_ == "everybody" else 401)
    server.call("PUT", sharing, alice, json={"with": "certifier"})
    shared = f"/v1/results/{path.rpartition('/')[2]}/meta/shared"
    assert server.call("PUT", sharing, root, json={"with": "everybody"}).status_code == 403
    assert server.call("POST", shared, root, data="true").status_code == 403
    server.call("PUT", sharing, alice, json={"with": "everybody"})
    assert server.call("PUT", sharing, bob, json={"with": "nobody"}).status_code == 403


def test_statistics_count_the_results_that_the_caller_may_see(server, alice, root, key, tmp_path):
    by = {"guideline": "2020.06", "programme": "storage"}

    def counted(who=None):
        return server.call("GET", "/v2/statistics", who, params=by).json()

    before, all_before = counted(), counted(root)
    content = packed(tmp_path, key, failing=2)
    result_id = server.call("POST", "/v2/bundles", data=content).json()["id"]
    assert (counted(), counted(root)) == (before, all_before)
    sharing = f"/v2/results/{result_id}/sharing"
    server.call("PUT", sharing, alice, json={"with": "certifier"})
    assert counted() == before
    assert counted(root)["results"] == all_before["results"] + 1
    server.call("PUT", sharing, alice, json={"with": "everybody"})
    after = counted()
    assert after["results"] == before["results"] + 1
    rows = {
        test["name"]: test["outcomes"]
        for capability in after["capabilities"]
        for test in capability["tests"]
    }
    failed, passed = (tempest_id.parse(NAMES[index]).name for index in (0, 2))
    assert rows[failed]["fail"] >= 1
    assert sum(rows[failed].values()) == sum(rows[passed].values()) == after["results"]
    passed_by = {capability["id"]: capability["passed"] for capability in after["capabilities"]}
    failing = next(
        capability["id"]
        for capability in after["capabilities"]
        if failed in {test["name"] for test in capability["tests"]}
    )
    assert passed_by[failing] < after["results"]
    assert server.call("GET", "/v2/statistics", params={**by, "guideline": "x"}).status_code == 404


def test_a_challenge_is_answered_with_the_key_that_it_was_issued_for(server, alice, key, tmp_path):
    def issue(public: str):
        return server.call("POST", "/v2/challenges", json={"key": public})

    answer = issue((tmp_path / "key.pub").read_text())
    assert answer.status_code == 201
    answered = challenge.parse(answer.content, "answer")
    assert answered.challenge.certifier == server.url
    signers = tmp_path / "signers"
    signers.write_bytes(server.call("GET", "/v2/challenges/signers").content)
    signer = ssh_signature.verify(
        answered.content, answered.signature, signers, challenge.NAMESPACE
    )
    assert signer.identity == server.url
    assert issue("ssh-dss AAAA").status_code == 400
    assert server.call("POST", "/v2/challenges", json={}).status_code == 400

    def sent(one, key):
        started = answered.challenge.issued + timedelta(minutes=1)
        run = answering(tmp_path / f"{key.name}-{one.challenge.nonce}", one, started=started)
        members = pack.signed(pack.make(pack.of_run(run)), key)
        answer = server.call("POST", "/v2/bundles", alice, data=archive.pack(members)).json()
        return [check for check in answer.get("checks", ()) if check["name"] == "challenge"], answer

    (check,), _ = sent(answered, key)
    assert check["state"] == "pass"
    assert check["found"].endswith(f"signed by {server.url}")
    other = make_key(tmp_path / "other")
    _, refused = sent(answered, other)
    assert "the challenge was issued for the key" in refused["detail"]
    # What another certifier issued is not this server's to judge.
    foreign = issued(other, tmp_path / "key.pub", at=answered.challenge.issued)
    (check,), _ = sent(foreign, key)
    assert check["state"] == "unknown"


def test_a_damaged_stream_stays_damaged(server, alice, tmp_path):
    whole = make_run(tmp_path).stream.read_bytes()
    by = {"guideline": "2020.06", "programme": "storage"}
    # The last packet, of a test that failed again, has a wrong checksum.
    failed = StreamWriter().test(NAMES[0], "fail").content
    content = whole + failed[:-1] + bytes([failed[-1] ^ 1])
    sent = server.call("POST", "/v2/streams", alice, params=by, data=content).json()
    assert sent["verdict"].startswith("INCOMPLETE")
    for guideline in ("2020.06", "2019.11"):
        path = f"/v2/results/{sent['id']}/verdict?guideline={guideline}&programme=storage"
        verdict = server.call("GET", path, alice).json()
        assert verdict["verdict"] == "incomplete"
        assert verdict["damage"]


@pytest.mark.parametrize("openid", ["\ud800", "a\0b", ["a"], {"a": 1}, 7, True])
def test_a_token_of_an_odd_user_is_refused(server, alice, openid):
    claims = {"user_openid": openid, "exp": datetime.now(UTC) + timedelta(minutes=5)}
    token = jwt.encode(claims, alice.key, algorithm="RS256")
    answer = server.call("GET", "/v1/profile", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 400
    assert answer.json()["title"] == "Token does not contain a valid user_openid"
    assert "Content-Security-Policy" in answer.headers


def test_a_bundle_with_half_a_character_is_refused(server, alice, tmp_path):
    run = make_run(tmp_path)
    plan = run.plan.read_text().replace('"identity_service": ""', '"identity_service": "x"')
    run.plan.write_text(plan)
    members = pack.make(pack.of_run(run))
    for name in (bundle_contents.PLAN, bundle_contents.MANIFEST):
        text = members[name].decode().replace('"x"', '"\\ud800"')
        members[name] = text.encode()
        if name == bundle_contents.PLAN:
            manifest = json.loads(members[bundle_contents.MANIFEST])
            digest = hashlib.sha256(members[name]).hexdigest()
            manifest["members"][name] = {"sha256": digest, "size": len(members[name])}
            members[bundle_contents.MANIFEST] = json_text(manifest).encode()
    assert b"ud800" in members[bundle_contents.MANIFEST]
    answer = server.call("POST", "/v2/bundles", alice, data=archive.pack(members))
    assert answer.status_code == 400
    assert "surrogates not allowed" in answer.json()["detail"]
