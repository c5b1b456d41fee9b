"""The commands of the original refstack-client against this server."""

import json
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from support.certifying import CLIENT
from support.streams import StreamWriter

UUID = "11111111-2222-3333-4444-555555555555"
NAME = "tempest.api.object_storage.x.C.test_y"


@pytest.fixture
def call(server, alice, tmp_path):
    """Run the client as alice, with her key in ``key``."""
    (tmp_path / "key").write_bytes(
        alice.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
    )

    def run(*arguments):
        return subprocess.run(
            [CLIENT, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run


def test_a_signed_stream_is_listed_after_it_is_shared(server, alice, call, tmp_path):
    writer = StreamWriter()
    writer.test(f"{NAME}[id-{UUID}]", "success")
    (tmp_path / "run.subunit").write_bytes(writer.content)
    sent = call(
        *("upload-subunit", "run.subunit", "--keystone-endpoint", "https://cloud:5000/v3"),
        *("--url", server.url, "-i", "key", "-y"),
    )
    assert sent.returncode == 0, sent.stderr
    (result_id,) = {
        word.rpartition("/")[2]
        for word in f"{sent.stdout} {sent.stderr}".split()
        if "/results/" in word
    }
    shown = server.call("GET", f"/v1/results/{result_id}", alice).json()
    assert shown["results"] == [NAME]
    assert shown["user_role"] == "owner"

    def listed():
        done = call("list", "--url", server.url, "-f", "json")
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert result_id not in listed()
    server.call("POST", f"/v1/results/{result_id}/meta/shared", alice, data="true")
    assert result_id in listed()


def test_an_unregistered_key_is_refused_with_a_hint(server, call, tmp_path):
    (tmp_path / "r.json").write_text(
        json.dumps({"cpid": "c", "duration_seconds": 1, "results": [{"name": NAME}]})
    )
    stranger = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", stranger], check=True)
    done = call("upload", "r.json", "--url", server.url, "-i", "stranger", "-y")
    assert done.returncode == 4
    assert "register the key" in done.stderr
    assert call("upload", "r.json", "--url", server.url, "-y").returncode == 0


def test_the_output_of_sign_registers_a_key(server, bob, call, tmp_path):
    key = tmp_path / "new"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", key], check=True)
    printed = call("sign", "new").stdout
    public = key.with_suffix(".pub").read_text().split()
    signature = next(
        word for word in printed.split() if len(word) > 400 and set(word) <= set("0123456789abcdef")
    )
    document = {"raw_key": " ".join(public[:2]), "self_signature": signature}
    answer = server.call("POST", "/v1/profile/pubkeys", bob, json=document)
    assert answer.status_code == 201, answer.text
