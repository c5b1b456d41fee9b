"""The audit log as a Merkle tree: checkpoints, proofs, witnesses, and a log that is rewritten."""

import base64
import json
import shutil
import sqlite3
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.certifying import CLIENT
from support.serving import add_user, person, serving, vendor_of

from refstack_client.upload import checkpoint
from refstack_client.upload.checkpoint import WITNESS
from refstack_client.upload.merkle_tree import check_consistency, check_inclusion, leaf_hash


@pytest.fixture(scope="module")
def alice():
    return person("alice")


@pytest.fixture
def data(tmp_path, alice):
    add_user(tmp_path / "data", alice)
    return tmp_path / "data"


def text(server, path: str, **query) -> str:
    answer = server.call("GET", f"/v2/log/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def newest(server, **query) -> checkpoint.Checkpoint:
    found = checkpoint.parse(text(server, "checkpoint", **query))
    assert found.is_signed_by(checkpoint.verifier_key(text(server, "key")))
    return found


def proof(server, kind: str, **query) -> list[bytes]:
    hashes = json.loads(text(server, f"proofs/{kind}", **query))["hashes"]
    return [base64.b64decode(found) for found in hashes]


def verify(*arguments) -> subprocess.CompletedProcess:
    command = [CLIENT, "log", "verify", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_checkpoints_and_proofs_are_those_of_the_entries(data, alice):
    with serving(data) as server:
        seen = [newest(server)]
        for _ in range(5):
            vendor_of(server, alice)
            seen.append(newest(server))
        entries = server.call("GET", "/v2/log").json()
        last = seen[-1]
        assert [found.size for found in seen] == [*range(6)]
        for earlier in seen:
            found = proof(server, "consistency", first=earlier.size, second=last.size)
            check_consistency((earlier.size, earlier.root), (last.size, last.root), found)
        for entry in entries:
            number = entry["number"]
            found = proof(server, "inclusion", number=number, size=last.size)
            leaf = leaf_hash(entry["text"].encode())
            check_inclusion(last.root, last.size, number - 1, leaf, found)
        for kind, query in (
            ("inclusion", {"number": 1, "size": 9}),
            ("inclusion", {"number": 5, "size": 4}),
            ("consistency", {"first": 5, "second": 4}),
            ("consistency", {"first": 5, "second": 6}),
        ):
            answer = server.call("GET", f"/v2/log/proofs/{kind}", params=query)
            assert answer.status_code == 404


def test_two_witnesses_sign_checkpoints(data, alice):
    names = ("w1.example.net", "w2.example.net", "stranger.example.net")
    private = {name: Ed25519PrivateKey.generate() for name in names}
    keys = {name: checkpoint.key_of(key, name, WITNESS) for name, key in private.items()}
    known = [option for name in names[:2] for option in ("--witness", str(keys[name]))]
    with serving(data, *known) as server:

        def send(note: checkpoint.Checkpoint) -> int:
            body = str(note).encode()
            return server.call("POST", "/v2/log/cosignatures", data=body).status_code

        vendor_of(server, alice)
        first = newest(server)
        assert server.call("GET", "/v2/log/checkpoint?witnesses=1").status_code == 404
        for name in names[:2]:
            assert send(first.cosigned(private[name], name)) == 201
        assert send(first.cosigned(private[names[2]], names[2])) == 400
        other = checkpoint.Checkpoint(first.origin, first.size, bytes(32))
        assert send(other.cosigned(private[names[0]], names[0])) == 400
        assert server.call("POST", "/v2/log/cosignatures", data=b"x").status_code == 400
        vendor_of(server, alice)
        assert newest(server).size == 2
        cosigned = newest(server, witnesses=2)
        assert cosigned.size == 1
        assert all(cosigned.is_signed_by(keys[name]) for name in names[:2])
        done = verify("--url", server.url, *known)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(".example.net") >= 2
        unknown = verify("--url", server.url, "--witness", str(keys[names[2]]))
        assert unknown.returncode == 4


def rewrite(data) -> None:
    """Change the first entry of a log as a user with the database could, and all digests."""
    with sqlite3.connect(data / "refstack.sqlite") as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE log SET text = replace(text, 'joined', 'gained') WHERE number = 1")


def test_a_log_that_is_rewritten_is_found_with_a_kept_checkpoint(data, alice, tmp_path):
    kept = tmp_path / "kept"
    with serving(data) as server:
        port = server.url.rpartition(":")[2]
        vendor_of(server, alice)
        first = verify("--url", server.url, "--checkpoint", kept)
        assert first.returncode == 0, first.stderr
        vendor_of(server, alice)
        again = verify("--url", server.url, "--checkpoint", kept)
        assert "it begins with the log of the kept checkpoint, size 1" in again.stderr
        assert checkpoint.parse(kept.read_text()).size == 2
    before = kept.read_text()
    rewrite(data)
    with serving(data, "--public-url", f"http://127.0.0.1:{port}") as server:
        vendor_of(server, alice)
        found = verify("--url", server.url, "--checkpoint", kept)
        assert found.returncode == 4
        assert "the log was rewritten after the kept checkpoint, size 2" in found.stderr
    assert kept.read_text() == before  # The evidence stays.


def test_an_export_has_the_log_and_its_checkpoint(data, alice, tmp_path):
    kept, site = tmp_path / "kept", tmp_path / "site"
    with serving(data) as server:
        vendor_of(server, alice)
        key = text(server, "key").strip()
        assert verify("--url", server.url, "--checkpoint", kept).returncode == 0
    subprocess.run([CLIENT, "server", "export", site, "--data", data], check=True, timeout=60)
    assert (site / "log.key").read_text().strip() == key
    good = verify(site, "--key", key, "--checkpoint", kept)
    assert good.returncode == 0, good.stderr
    assert verify(site).returncode == 2
    shutil.copytree(site, tmp_path / "changed")
    entries = json.loads((site / "log.json").read_text())
    entries[0]["text"] = entries[0]["text"].replace("joined", "gained")
    (tmp_path / "changed" / "log.json").write_text(json.dumps(entries))
    changed = verify(tmp_path / "changed", "--key", key)
    assert changed.returncode == 4
    assert "are not those of the checkpoint" in changed.stderr
