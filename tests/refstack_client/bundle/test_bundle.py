"""Bundles: the same bytes for the same run, and no change of one goes unnoticed."""

import copy
import hashlib
import io
import json
import random
import subprocess
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from support.making import NAMES, make_run

from capabilities import catalogue, programme
from refstack_client.bundle import archive, pack, ssh_signature
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.manifest import Manifest
from refstack_client.bundle.verify import Trust
from refstack_client.cli.app import main
from refstack_client.errors import InputError
from refstack_client.files import json_text
from refstack_client.outcomes import run_directory
from refstack_client.running import run_recorder

SECRET = "gAAAAA" + "c4nary" * 12
LOG = f"""Request (C:t): 201 PUT http://192.0.2.7:8080/v1/AUTH_x/c 0.1s
    to keystone.example.org and [2001:db8::7]:80, version 1.2.3, at 10:11:12
    {SECRET} "password": "c4nary-password" """


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A directory with two keys, of which ``allowed`` names only alice's."""
    place = tmp_path / "keys"
    place.mkdir()
    for name in ("alice", "mallory"):
        make_key(place / name)
    (place / "allowed").write_text(f"alice@example.org {(place / 'alice.pub').read_text()}")
    return place


def make_key(path: Path, *options: str, passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", *options, "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def made(tmp_path: Path) -> run_directory.Run:
    """A run of the storage programme in which one test failed."""
    return make_run(
        tmp_path / "runs",
        lambda name: "fail" if name == NAMES[0] else "success",
        traceback="E: no",
        pythonlogging=LOG,
    )


def packed(
    made: run_directory.Run, key: Path | None = None, *, anonymous: bool = False
) -> dict[str, bytes]:
    members = pack.make(pack.of_run(made), anonymous=anonymous, attested={})
    return pack.signed(members, key) if key else members


def rehashed(members: dict[str, bytes]) -> dict[str, bytes]:
    """Return members with a manifest that lists them as they are."""
    manifest = json.loads(members[bundle_contents.MANIFEST])
    kept = {
        name: content
        for name, content in members.items()
        if name not in (bundle_contents.MANIFEST, bundle_contents.SIGNATURE)
    }
    manifest["members"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in kept.items()
    }
    return {**members, bundle_contents.MANIFEST: json.dumps(manifest).encode()}


def failed(members: dict[str, bytes], keys: Path) -> list[str]:
    found = bundle_verify.verify_bundle(Bundle(members), Trust(keys / "allowed"))
    return [each.name for each in found.checks if not each.passed]


def leaves(value, path=()):
    """Yield the path of every value of a JSON document that holds no other."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(inner, (dict, list)) and inner:
            yield from leaves(inner, (*path, key))
        else:
            yield (*path, key)


def changed(document, path):
    """Return a document with the value at ``path`` another one."""
    copied = copy.deepcopy(document)
    place = copied
    for key in path[:-1]:
        place = place[key]
    value = place[path[-1]]
    place[path[-1]] = {str: f"{value}x", bool: not value, int: 7}.get(type(value), "x")
    if place[path[-1]] == value:
        place[path[-1]] = 8
    return copied


def test_the_same_run_gives_the_same_bytes(made, keys):
    one, other = (archive.pack(packed(made, keys / "alice")) for _ in range(2))
    assert one == other
    assert archive.pack(archive.unpack(one, "x")) == one


def test_a_bundle_that_nobody_touched_holds_and_gives_the_verdict(made, keys, tmp_path, capsys):
    path = tmp_path / "b.zip"
    sign = ["bundle", "sign", str(made.directory), "--key", str(keys / "alice"), "-o", str(path)]
    assert main(sign) == 0
    capsys.readouterr()
    trust = ["--signers", str(keys / "allowed")]
    assert main(["bundle", "verify", str(path), *trust, "-f", "json"]) == 1  # one test failed
    printed = capsys.readouterr()
    checks = {each["check"]: each for each in json.loads(printed.out)}
    assert {name for name, each in checks.items() if each["holds"] != "yes"} == {"packages"}
    assert checks["packages"]["holds"] == "unknown"
    assert [line for line in printed.err.splitlines() if ": pass" in line or ": unk" in line] == [
        "intact: pass",
        "consistent: pass",
        "genuine tests: unknown",
        "fit to certify: pass",
    ]
    assert "alice@example.org" in checks["signature"]["found"]
    assert "57/58 required tests" in checks["verdict"]["found"]
    assert "Unofficial Results – Not Yet Accepted" in printed.err
    assert main(["verdict", str(path), "-f", "json"]) == 1
    again = json.loads(capsys.readouterr().out)
    assert again == json.loads(archive.read(path)[bundle_contents.VERDICT])
    assert main(["bundle", "show", str(path), "-f", "json"]) == 0
    shown = {each["what"]: each["stated"] for each in json.loads(capsys.readouterr().out)}
    assert (shown["roles"], shown["programme"]) == (["member"], "storage")
    assert shown["started"] < shown["ended"]
    assert main(["bundle", "verify", str(path)]) == 4  # no key is trusted
    assert main(["bundle", "verify", str(path), "--any-signer"]) == 1


def test_a_stream_alone_makes_a_bundle_by_the_guideline_that_is_named(made, tmp_path, capsys):
    out = tmp_path / "b.zip"
    create = ["bundle", "create", str(made.stream), "-o", str(out)]
    assert main(create) == 2
    assert main([*create, "--guideline", "2020.06", "--programme", "storage"]) == 0
    assert main(["bundle", "verify", str(out)]) == 4
    assert main(["bundle", "verify", str(out), "--any-signer"]) == 1
    assert "57/58" in capsys.readouterr().err


def test_a_bundle_without_a_signature_is_created(made, tmp_path, capsys):
    out = tmp_path / "b.zip"
    assert main(["bundle", "create", str(made.directory), "-o", str(out)]) == 0
    assert f"written: {out}" in capsys.readouterr().err
    assert bundle_contents.SIGNATURE not in archive.read(out)
    assert main(["bundle", "verify", str(out), "--any-signer"]) == 1
    assert main(["bundle", "verify", str(out)]) == 4
    assert "verification failed: signature" in capsys.readouterr().err


def test_sign_without_a_key_still_creates_and_names_the_command_to_use(made, tmp_path, capsys):
    created, signed = tmp_path / "created.zip", tmp_path / "signed.zip"
    assert main(["bundle", "create", str(made.directory), "-o", str(created)]) == 0
    assert "deprecated" not in capsys.readouterr().err
    assert main(["bundle", "sign", str(made.directory), "-o", str(signed)]) == 0
    notice = capsys.readouterr().err
    assert "warning: bundle sign without --key is deprecated" in notice
    assert "refstack-client bundle create" in notice
    assert created.read_bytes() == signed.read_bytes()


def test_a_bundle_by_a_list_of_tests_holds(writer, tmp_path, capsys):
    chosen = programme.programmes(catalogue.load("scs-0128")[0])[0]
    for test in chosen.counted_tests():
        writer.test(f"{test.name}[{test.idempotent_id}]", "success")
    (tmp_path / "s").write_bytes(writer.content)
    out = tmp_path / "b.zip"
    create = ["bundle", "create", str(tmp_path / "s"), "--guideline", "scs-0128", "-o", str(out)]
    assert main(create) == 0
    assert main(["bundle", "verify", str(out), "--any-signer"]) == 0
    assert main(["verdict", str(out)]) == 0

    # A page of an earlier release has other words for the same.
    bundle = Bundle.read(out)
    members = dict(bundle.members)
    for new, old in (
        (b"scs-0128 \xc2\xb7 list of 258 tests", b"scs-0128 \xc2\xb7 guideline scs-0128"),
        ("— 258 passed, 0 failed, 0 skipped".encode(), "— 258/258 required tests passed".encode()),
        (b"refstack-client report ", b"refstack-client report 0"),
    ):
        assert new in members["report.html"]
        members["report.html"] = members["report.html"].replace(new, old, 1)
    assert report_check(out, members) == ("unknown", 0)
    members["report.html"] = members["report.html"].replace(b"258/258", b"257/258", 1)
    assert report_check(out, members) == ("NO", 4)


def report_check(out, members: dict[str, bytes]) -> tuple[str, int]:
    """Return whether the page holds in a bundle that states these members, and the exit code."""
    manifest = json.loads(members["manifest.json"])
    page = members["report.html"]
    digest = {"sha256": hashlib.sha256(page).hexdigest(), "size": len(page)}
    manifest["members"]["report.html"] = digest
    out.write_bytes(archive.pack({**members, "manifest.json": json.dumps(manifest).encode()}))
    found = bundle_verify.verify_file(out, Trust(any_signer=True))
    (check,) = [check for check in found.checks if check.name == "report"]
    return {"pass": "yes", "fail": "NO"}.get(check.state, "unknown"), 0 if found.is_valid else 4


def test_no_secret_and_no_private_path_is_in_any_member(made):
    members = packed(made)
    for name, content in members.items():
        for canary in (b"c4nary", b"/private/place"):
            assert canary not in content, name


def test_an_anonymous_bundle_names_no_host_and_holds(made, keys):
    members = packed(made, keys / "alice", anonymous=True)
    for name, content in members.items():
        for known in (b"keystone.example.org", b"192.0.2.7", b"2001:db8::7"):
            assert known not in content, name
    assert b"pythonlogging" not in members[bundle_contents.STREAM]
    assert b"https://host-2:5000/v3" in members[bundle_contents.CONF]
    assert b"http://address-1:8080/v1/" in members[bundle_contents.PLAN]
    assert failed(members, keys) == []


def test_a_changed_byte_is_never_overlooked(made, keys, tmp_path):
    content = archive.pack(packed(made, keys / "alice"))
    rng = random.Random(20261121)
    path = tmp_path / "b.zip"
    for _ in range(400):
        data = bytearray(content)
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        found = bundle_verify.verify(path, keys / "allowed")
        assert [each.name for each in found.checks if not each.passed] == ["archive"], place
        assert found.verdict is None


@pytest.mark.parametrize("fields", [10, pytest.param(40, marks=pytest.mark.long)])
def test_a_changed_field_of_any_member_is_named(made, keys, fields):
    members = packed(made, keys / "alice")
    rng = random.Random(20261121)
    count = 0
    for name in (
        bundle_contents.PLAN,
        bundle_contents.OUTCOMES,
        bundle_contents.VERDICT,
        "guideline.json",
    ):
        document = json.loads(members[name])
        for path in rng.sample(list(leaves(document)), fields):
            other = {**members, name: json.dumps(changed(document, path)).encode()}
            assert failed(other, keys)[0] == "hashes", path
            assert failed(rehashed(other), keys)[0] == "signature", path
            count += 2
    manifest = json.loads(members[bundle_contents.MANIFEST])
    for path in leaves(manifest):
        other = {**members, bundle_contents.MANIFEST: json.dumps(changed(manifest, path)).encode()}
        assert set(failed(other, keys)) & {"signature", "manifest", "hashes"}, path
        count += 1
    assert count > 8 * fields + 20


def falsified(members: dict[str, bytes], name: str, key: Path, change) -> dict[str, bytes]:
    """Return a bundle with a member changed, listed anew and signed anew."""
    document = json.loads(members[name])
    change(document)
    return pack.signed(rehashed({**members, name: json.dumps(document).encode()}), key)


def pass_all(document):
    for each in document:
        each["outcome"] = "pass"


def rename_found(document):
    document["tests"][0]["found"] = document["tests"][1]["found"]


def unflag(document):
    document["metadata"]["os_trademark_approval"]["status"] = "draft"


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        (
            bundle_contents.VERDICT,
            lambda document: document.update(verdict="conformant"),
            "verdict",
        ),
        (
            bundle_contents.VERDICT,
            lambda document: document["required"].update(passed=58),
            "verdict",
        ),
        (bundle_contents.VERDICT, lambda document: document["capabilities"].pop(), "verdict"),
        (bundle_contents.OUTCOMES, pass_all, "outcomes"),
        (bundle_contents.OUTCOMES, lambda document: document.pop(), "outcomes"),
        (bundle_contents.PLAN, rename_found, "tempest-list"),
        (bundle_contents.PLAN, lambda document: document["tests"].pop(), "tempest-list"),
        ("guideline.json", unflag, "guideline"),
        (
            bundle_contents.MANIFEST,
            lambda document: document.update(verdict="conformant"),
            "statements",
        ),
        (bundle_contents.MANIFEST, lambda document: document.update(label="Official"), "manifest"),
        (bundle_contents.MANIFEST, lambda document: document.update(format=2), "manifest"),
        (
            bundle_contents.MANIFEST,
            lambda document: document.update(programme="compute"),
            "tempest-list",
        ),
    ],
)
def test_even_a_trusted_signer_cannot_state_what_does_not_follow(made, keys, name, change, check):
    members = packed(made, keys / "alice")
    assert check in failed(falsified(members, name, keys / "alice", change), keys)
    assert "signature" in failed(falsified(members, name, keys / "mallory", change), keys)


def test_a_page_or_stream_of_another_verdict_is_noticed(made, keys):
    members = packed(made, keys / "alice")
    page = members[bundle_contents.REPORT].replace(b"NOT CONFORMANT", b"SPLENDID")
    assert failed(
        pack.signed(rehashed({**members, bundle_contents.REPORT: page}), keys / "alice"), keys
    ) == ["report"]
    stream = members[bundle_contents.STREAM][: len(members[bundle_contents.STREAM]) // 2]
    cut = pack.signed(rehashed({**members, bundle_contents.STREAM: stream}), keys / "alice")
    assert failed(cut, keys) == ["outcomes", "verdict", "report"]
    other = pack.signed(rehashed({**members, "extra": b"x"}), keys / "alice")
    assert failed(other, keys) == ["manifest"]
    missing = {name: each for name, each in members.items() if name != bundle_contents.STREAM}
    assert failed(missing, keys) == ["hashes"]


def test_a_page_of_the_opposite_verdict_is_noticed(tmp_path, keys):
    members = packed(make_run(tmp_path / "conformant"), keys / "alice")
    page = members[bundle_contents.REPORT].replace(b">CONFORMANT<", b">NOT CONFORMANT<")
    assert page != members[bundle_contents.REPORT]
    changed_page = rehashed({**members, bundle_contents.REPORT: page})
    assert failed(pack.signed(changed_page, keys / "alice"), keys) == ["report"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("guideline", "id"), None, "manifest.json: /guideline/id: must be a string"),
        (("members", "a/b"), {}, 'manifest.json: /members/a~1b: "sha256" is missing'),
        (("cpid",), ["x"], "manifest.json: /cpid: must be a string"),
        (("cloud",), 7, "manifest.json: /cloud: must be an object"),
        (("roles",), [1], "manifest.json: /roles/0: must be a string"),
        (("format",), 2, "manifest.json: /format: this release reads format 1, not 2"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_by_its_pointer(made, path, value, message):
    document = json.loads(packed(made)[bundle_contents.MANIFEST])
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    content = json.dumps(document).encode()
    found = bundle_verify.verify_bundle(
        Bundle({bundle_contents.MANIFEST: content}), Trust(any_signer=True)
    )
    assert ("manifest", False, message) in [
        (check.name, check.passed, check.found) for check in found.checks
    ]


def test_a_manifest_is_written_as_it_was_read(made):
    for anonymous in (False, True):
        content = packed(made, anonymous=anonymous)[bundle_contents.MANIFEST]
        assert json_text(Manifest.parse(content, "m").as_json()).encode() == content


def zipped(*entries: tuple[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as target:
        for name, content in entries:
            target.writestr(name, content)
    return out.getvalue()


def bomb() -> bytes:
    return zipped(("manifest.json", bytes(200_000_000)), compression=zipfile.ZIP_DEFLATED)


def encrypted() -> bytes:
    data = bytearray(zipped(("manifest.json", b"{}")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def lying_about_its_size() -> bytes:
    data = bytearray(zipped(("manifest.json", b"{}")))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    return bytes(data)


def commented() -> bytes:
    data = zipped(("manifest.json", b"{}"))
    return data[:-2] + (7).to_bytes(2, "little") + b"comment"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: b"", "is not a complete zip file"),
        (lambda: b"PK\x05\x06" + b"\0" * 18, ""),
        (lambda: zipped(("manifest.json", b"{}"))[:-10], "is not a complete zip file"),
        (lambda: b"junk" + zipped(("manifest.json", b"{}")), "was changed after it was packed"),
        (lambda: zipped(("manifest.json", b"{}")) + b"junk", ""),
        (lambda: zipped(("../x", b"{}")), "is not a plain file name"),
        (lambda: zipped(("/etc/passwd", b"{}")), "is not a plain file name"),
        (lambda: zipped(("a\\b", b"{}")), "is not a plain file name"),
        (lambda: zipped(("a/", b"")), "is not a plain file name"),
        (lambda: zipped(("x", b"1"), ("x", b"2")), "two members are called x"),
        (lambda: zipped(*((f"m{each}", b"") for each in range(1000))), "1000 members"),
        (lambda: zipped(*((f"m{each}", b"") for each in range(40_000))), "40000 members"),
        (commented, "is not a complete zip file: its end is missing"),
        (bomb, "is compressed or encrypted"),
        (encrypted, "is compressed or encrypted"),
        (lying_about_its_size, ""),
    ],
)
def test_a_hostile_archive_is_refused_in_little_memory(content, message, tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(content())
    tracemalloc.start()
    try:
        found = bundle_verify.verify(path, None, any_signer=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    failures = {each.name: each.found for each in found.checks if not each.passed}
    assert failures
    assert set(failures) <= {"archive", "manifest", "hashes", "signature"}
    assert message in failures.get("archive", "")
    assert peak < 8_000_000


def test_what_is_too_large_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    (tmp_path / "b.zip").write_bytes(bytes(5000))
    found = bundle_verify.verify(tmp_path / "b.zip", None)
    assert "larger than 1000 bytes" in found.checks[0].found


@pytest.mark.parametrize("options", [(), ("-t", "rsa"), ("-t", "ecdsa")])
def test_any_ssh_key_signs(tmp_path, options):
    key = make_key(tmp_path / "key", *options)
    signature = ssh_signature.sign(b"content", key, "n@x")
    (tmp_path / "allowed").write_text(f"bob {(tmp_path / 'key.pub').read_text()}")
    found = ssh_signature.verify(b"content", signature, tmp_path / "allowed", "n@x")
    assert found.identity == "bob"
    assert "SHA256:" in found.key
    for content, namespace in ((b"Content", "n@x"), (b"content", "m@x")):
        with pytest.raises(ssh_signature.SignatureError):
            ssh_signature.verify(content, signature, tmp_path / "allowed", namespace)


def test_a_key_in_an_agent_signs_by_its_public_half(tmp_path, monkeypatch):
    key = make_key(tmp_path / "key")
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    agent = dict(each.split("=", 1) for each in said.replace("\n", "").split(";") if "=" in each)
    for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID"):
        monkeypatch.setenv(name, agent[name])
    try:
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        key.unlink()
        signature = ssh_signature.sign(b"content", tmp_path / "key.pub", "n@x")
        assert ssh_signature.check(b"content", signature, "n@x").key.startswith("ED25519")
    finally:
        subprocess.run(["ssh-agent", "-k"], capture_output=True, check=False)


def open_to_others(key):
    key.chmod(0o644)
    return key


def garbage(key):
    key.write_text("not a key")
    return key


def public_half(key):
    key.unlink()
    return key.with_suffix(".pub")


@pytest.mark.parametrize(
    ("change", "reason", "hint"),
    [
        (open_to_others, "Permissions 0644 for", "chmod 600"),
        (garbage, "", "ssh-keygen"),
        (public_half, "No private key found", "ssh-add"),
    ],
)
def test_why_a_key_cannot_sign_is_shown_in_the_words_of_ssh_keygen(
    tmp_path, monkeypatch, change, reason, hint
):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key = change(make_key(tmp_path / "key"))
    with pytest.raises(InputError, match=f"cannot sign with {key}: .*{reason}") as caught:
        ssh_signature.sign(b"content", key, "n@x")
    assert hint in caught.value.hint


def test_an_encrypted_key_without_a_terminal_is_said_not_waited_for(tmp_path, made, capsys):
    key = make_key(tmp_path / "key", passphrase="c4nary")
    sign = ["bundle", "sign", str(made.directory), "--key", str(key), "-o", str(tmp_path / "b")]
    assert main(sign) == 4
    said = capsys.readouterr().err
    assert "cannot sign with" in said
    assert "run the command in a terminal" in said
    assert not (tmp_path / "b").exists()
    assert main([*sign[:-3], str(tmp_path / "absent"), *sign[-2:]]) == 4


def test_the_vendors_word_is_a_line_of_its_own_beside_the_tests(made, keys, tmp_path, capsys):
    answers = tmp_path / "answers.yaml"
    answers.write_text("keystone: yes\nswift: {answer: yes, note: 'upstream, unpatched'}\n")
    out = tmp_path / "attestation.json"
    command = ["attest", "--programme", "storage", "--product", "P 1", "--by", "Alice"]
    command += ["--answers", str(answers), "-o", str(out), "--key", str(keys / "alice")]
    assert main(command) == 0
    verdict = ["verdict", str(made.directory), "--attestation", str(out)]
    assert main(verdict) == 1
    said = capsys.readouterr().out
    assert "OpenStack Compatible (the tests alone decide): no" in said
    assert "OpenStack Powered (tests, and designated sections attested by Alice on" in said
    path = tmp_path / "b.zip"
    sign = ["bundle", "sign", str(made.directory), "--key", str(keys / "alice"), "-o", str(path)]
    assert main([*sign, "--attestation", str(out)]) == 0
    trust = ["--signers", str(keys / "allowed")]
    assert main(["bundle", "verify", str(path), *trust, "-f", "json"]) == 1
    checks = {each["check"]: each for each in json.loads(capsys.readouterr().out)}
    assert checks["attestation"]["found"] == "by Alice, signed by alice@example.org"

    answers.write_text("keystone: yes\nswift: no\n")
    assert main(command) == 0
    assert main(verdict) == 1
    assert "OpenStack Powered (tests and designated sections): no, not attested for swift" in (
        capsys.readouterr().out
    )
    other = [*command[:2], "compute", *command[3:]]
    answers.write_text("keystone: yes\n")
    assert main(other) == 4
    assert main(["verdict", str(made.directory), "--guideline", "2018.02", *verdict[2:]]) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keystone: yes\n", "/swift: expected yes or no"),
        ("keystone: yes\nswift: perhaps\n", "/swift: expected yes or no"),
        ("keystone: yes\nswift: yes\nnova: yes\n", "/nova: the programme designates no section"),
        ("- yes\n", "expected an answer per section"),
        ("a: [", "is not valid YAML"),
    ],
)
def test_answers_that_are_none_are_refused(tmp_path, capsys, text, message):
    answers = tmp_path / "answers.yaml"
    answers.write_text(text)
    command = ["attest", "--programme", "storage", "--product", "P", "--by", "A"]
    assert main([*command, "--answers", str(answers), "-o", str(tmp_path / "a.json")]) == 4
    assert message in capsys.readouterr().err
    assert main([*command, "-o", str(tmp_path / "a.json")]) == 2  # there is no terminal


SBOM = {"components": [{"name": "tempest", "version": "47.0.0"}, {"name": "b", "version": "1"}]}


def in_an_image(made: run_directory.Run, sbom: dict) -> dict[str, bytes]:
    """Return the members of the bundle of a run in a container."""
    made.sbom.write_text(json.dumps(sbom))
    image = {
        "name": "i",
        "digest": None,
        "sbom": hashlib.sha256(made.sbom.read_bytes()).hexdigest(),
    }
    run_recorder.keep_attempt(made, {"attempt": 1, "image": image})
    return packed(made)


def check_of(members: dict[str, bytes], name: str) -> bundle_verify.Check:
    found = bundle_verify.verify_bundle(Bundle(members), Trust(any_signer=True))
    return next(each for each in found.checks if each.name == name)


def test_the_list_of_packages_is_that_of_the_image_and_agrees_with_the_run(made):
    members = in_an_image(made, SBOM)
    assert check_of(members, "sbom").found.startswith("2 packages, Tempest and its plugins")
    other = json.dumps(SBOM).replace("47.0.0", "46.0.0").encode()
    changed = check_of(rehashed({**members, bundle_contents.SBOM: other}), "sbom")
    assert (changed.passed, "not that of an image" in changed.found) == (False, True)


def test_a_list_of_packages_with_another_tempest_does_not_hold(made):
    other = {"components": [{"name": "tempest", "version": "46.0.0"}]}
    found = check_of(in_an_image(made, other), "sbom")
    assert (found.passed, found.found) == (False, "it lists tempest 46.0.0, the run had 47.0.0")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + b"#\n",
        lambda text: b"#\n" + text,
        lambda text: text + b"\n",
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\nU1NIU0lH", b"\nU1NIU0lH\n"),
        lambda text: text.replace(b"\nU1NIU0lH", b"\n U1NIU0lH"),
        lambda text: text + text,
        lambda text: text.replace(b"=", b"="),
        lambda text: b"\xff" + text,
        lambda text: b"",
    ],
)
def test_a_signature_has_one_form(made, keys, change):
    """ssh-keygen ignores what is added, and each form would be another bundle of the signer."""
    members = packed(made, keys / "alice")
    signature = members[bundle_contents.SIGNATURE]
    changed = change(signature)
    found = failed({**members, bundle_contents.SIGNATURE: changed}, keys)
    assert found == ([] if changed == signature else ["signature"])
