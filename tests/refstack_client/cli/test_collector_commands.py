"""The collector from the command line: a vendor's and a certifier's day, and what is refused."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests
import tenacity
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from support.bundles import attestation_of, make_key, packed
from support.serving import Person, Server, add_user, serving

from refstack_client.cli.app import main
from refstack_client.upload import http, login

KINDS = {"alice": "ed25519", "bob": "ecdsa", "root": "rsa"}
Run = Callable[..., object]


def openid(name: str) -> str:
    return f"https://id.example.org/{name}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    """Return a directory with a key for each user."""
    directory = tmp_path_factory.mktemp("keys")
    for name, kind in KINDS.items():
        make_key(directory / name, kind)
    return directory


@pytest.fixture(scope="module")
def server(tmp_path_factory, keys) -> Iterator[Server]:
    """Run a server with three users; root acts for the Foundation."""
    data = tmp_path_factory.mktemp("server") / "data"
    for name in KINDS:
        key = load_ssh_private_key((keys / name).read_bytes(), None)
        add_user(data, Person(openid(name), key), is_foundation=name == "root")
    with serving(data) as started:
        yield started


@pytest.fixture
def user(server, keys, tmp_path, monkeypatch, capsys) -> Callable[[str], Run]:
    """Return a function that logs a user in; the user's commands return what they print."""
    monkeypatch.setattr(http, "WAIT", tenacity.wait_none())

    def as_user(name: str) -> Run:
        home = tmp_path / f"home of {name}"

        def run(*command: str, code: int = 0) -> object:
            monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
            try:
                shown = main([*command])
            except SystemExit as error:  # argparse itself refuses the command line
                shown = error.code
            captured = capsys.readouterr()
            assert shown == code, captured.err
            if code or "json" not in command:
                return captured.out + captured.err
            return json.loads(captured.out)

        run("server", "login", server.url, "--key", str(keys / name), "--user", openid(name))
        return run

    return as_user


JSON = ("-f", "json")
_FAILING = itertools.count(1)
"""The same bundle twice is the same result."""


def uploaded(keys, tmp_path, alice: Run) -> str:
    """Upload a bundle that alice signed; return the URL of the result."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(packed(tmp_path, keys / "alice", failing=next(_FAILING)))
    output = str(alice("bundle", "upload", str(path)))
    return output.splitlines()[0]


def test_a_bundle_is_published_so_that_others_can_verify_it(server, keys, tmp_path, user):
    alice, bob = user("alice"), user("bob")
    page = uploaded(keys, tmp_path, alice)
    shown = alice("results", "publish", page, "--bundle", "--yes", *JSON)
    assert shown["shared_with"] == "everybody"
    copy = tmp_path / "bundle.zip"
    copy.write_bytes(requests.get(f"{page}/bundle.zip", timeout=60).content)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == shown["public_bundle"]
    verified = bob("bundle", "verify", str(copy), "--any-signer", code=1)
    assert "verification failed" not in verified
    assert "refused" in bob("results", "withdraw", page, "--bundle", code=4)
    assert alice("results", "withdraw", page, "--bundle", *JSON)["public_bundle"] is None
    assert alice("results", "show", page, *JSON)["shared_with"] == "everybody"


def test_a_day_of_a_vendor_and_a_certifier(server, keys, tmp_path, user):
    alice, root = user("alice"), user("root")

    page = uploaded(keys, tmp_path, alice)
    result = alice("results", "show", page, *JSON)
    assert result["shared_with"] == "nobody"
    vendor = alice("vendor", "create", "Aurora Clouds", "--description", "Clouds", *JSON)
    assert vendor["type"] == "private"
    assert alice("vendor", "register", vendor["id"], *JSON)["type"] == "pending"
    assert alice("vendor", "cancel", vendor["id"], *JSON)["type"] == "private"
    assert alice("vendor", "register", f"{server.url}/vendors/{vendor['id']}", *JSON)
    denied = root("vendor", "deny", vendor["id"], "--why", "no web site", *JSON)
    assert "no web site" in denied["properties"]
    alice("vendor", "register", vendor["id"])
    message = root("vendor", "approve", vendor["id"], "--name", "Another", code=4)
    assert "409 the vendor was renamed to Aurora Clouds" in message
    approved = root("vendor", "approve", vendor["id"], "--name", "Aurora Clouds", *JSON)
    assert approved["type"] == "official"

    product = alice(
        *("product", "create", "Aurora", "--vendor", vendor["id"], "--kind", "public-cloud"), *JSON
    )
    assert product["product_type"] == "public-cloud"
    version = alice("product", "version", "add", product["id"], "2026.1", *JSON)
    assert alice("product", "publish", product["id"], "--yes", *JSON)["public"] is True
    versions = alice("product", "version", "list", product["id"], *JSON)
    assert version["id"] in {row["id"] for row in versions}
    assert [row["name"] for row in alice("product", "list", "--vendor", vendor["id"], *JSON)] == [
        "Aurora"
    ]

    alice("results", "attach", page, "--product-version", version["id"])
    assert alice("results", "share", page, *JSON)["shared_with"] == "certifier"
    assert root("results", "show", page, *JSON)["shared_with"] == "certifier"
    assert alice("results", "publish", page, "--yes", *JSON)["shared_with"] == "everybody"
    until = (date.today() + timedelta(days=90)).isoformat()
    verify = ("results", "verify", result["id"], "--until", until)
    assert f"refused PUT /v2/results/{result['id']}/verification: 4" in root(*verify, code=4)
    verified = root(*verify, "--why", "a known bug of the test", *JSON)
    assert verified["verified"] is True
    assert verified["verified_until"].startswith(until)
    listed = root("results", "list", *JSON)
    assert [row["standing"] for row in listed if row["id"] == result["id"]] == ["verified"]
    assert "403 Forbidden" in alice("results", "withdraw", page, "--yes", code=4)
    assert (
        root("results", "revoke", page, "--why", "a test was changed", *JSON)["verified"] is False
    )
    assert alice("results", "withdraw", page, "--yes", *JSON)["shared_with"] == "nobody"
    mine = alice("results", "list", "--mine", *JSON)
    assert result["id"] in {row["id"] for row in mine}
    alice("results", "delete", page, "--yes")
    assert "404" in alice("results", "show", page, code=4)


def test_a_result_is_judged_by_its_url(server, keys, tmp_path, user, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alice, root = user("alice"), user("root")
    page = uploaded(keys, tmp_path, alice)
    code = main(["verdict", "bundle.zip"])
    assert alice("verdict", page, code=code)
    bob, nobody = user("bob"), anonymous(user)
    for who in (root, bob, nobody):
        message = who("verdict", page, code=4)
        assert "refused GET /v2/results/" in message
        assert "401 Unauthorized: this result is not shared; sign in as its owner" in message
        assert "hint:  as the owner of a private result, log in: refstack-client" in message
    alice("report", page, "-o", "from-url.json")
    alice("report", "bundle.zip", "-o", "from-file.json")
    assert Path("from-url.json").read_bytes() == Path("from-file.json").read_bytes()
    assert alice("diff", page, "bundle.zip", *JSON) == []
    alice("results", "publish", page, "--yes")
    assert root("verdict", page, code=code)
    assert "is not the URL of a result" in alice("verdict", f"{server.url}/vendors/1", code=4)
    other = f"{server.url}/results/00000000-0000-0000-0000-000000000000"
    assert ": 404 Test result 0" in nobody("verdict", other, code=4)


def anonymous(user: Callable[[str], Run]) -> Run:
    """Return the commands of a user without a login."""
    run = user("root")

    def as_nobody(*command: str, code: int = 0) -> object:
        with pytest.MonkeyPatch.context() as changed:
            changed.setattr(login, "find", lambda: None)
            return run(*command, code=code)

    return as_nobody


def outcomes(file: str) -> list[tuple[str, str]]:
    capabilities = json.loads(Path(file).read_text())["capabilities"]
    return [(test["name"], test["outcome"]) for part in capabilities for test in part["tests"]]


def test_others_judge_the_public_outcomes_of_a_result(server, keys, tmp_path, user, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alice, bob = user("alice"), user("bob")
    page = uploaded(keys, tmp_path, alice)
    alice("results", "publish", page, "--yes")
    whole = alice("verdict", "bundle.zip", code=1).splitlines()
    alice("report", "bundle.zip", "-o", "whole.json")
    of_api = page.replace("/results/", "/v2/results/")
    for reader in (bob, anonymous(user)):
        for url in (page, f"{page}/", f"{page}?guideline=2020.06", of_api, f"{of_api}/verdict"):
            shown = reader("verdict", url, code=1).splitlines()
            assert whole[-1] in shown
            assert f"{url}: judged from the outcomes that the server shows" in "\n".join(shown)
            assert not any(line.startswith("warning: the verdict") for line in shown)
        reader("report", url, "-o", "public.json")
        assert outcomes("public.json") == outcomes("whole.json")
        assert reader("diff", url, "bundle.zip", *JSON) == []


def test_an_attestation_is_read_by_url(server, keys, tmp_path, user, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alice = user("alice")
    path = tmp_path / "attested.zip"
    path.write_bytes(packed(tmp_path, keys / "alice", attested=attestation_of()))
    page = str(alice("bundle", "upload", str(path))).splitlines()[0]
    alice("results", "publish", page, "--yes")
    for reader, by in ((alice, "Alice Liddell"), (anonymous(user), "the vendor")):
        reader("report", page, "-o", "report.txt")
        powered = f"designated sections attested by {by} on 2026-11-20): yes"
        assert powered in Path("report.txt").read_text()
        reader("report", page, "--guideline", "2018.02", "-o", "report.txt")
        assert "the vendor also attests" in Path("report.txt").read_text()
        reader("verdict", page, "--guideline", "2018.02")


def test_a_user_joins_a_vendor_and_leaves_it(server, user):
    alice, bob = user("alice"), user("bob")
    vendor = alice("vendor", "create", "Borealis", *JSON)["id"]
    assert openid("bob") in alice("vendor", "invite", vendor, openid("bob"))
    assert [row["vendor"] for row in bob("invitation", "list", *JSON)] == ["Borealis"]
    bob("invitation", "decline", vendor)
    assert bob("invitation", "list", *JSON) == []
    alice("vendor", "invite", vendor, openid("bob"))
    bob("invitation", "accept", vendor)
    found = bob("vendor", "list", *JSON)
    assert [(row["name"], row["type"]) for row in found if row["id"] == vendor] == [
        ("Borealis", "private")
    ]
    users = alice("vendor", "users", vendor, *JSON)
    assert {row["openid"] for row in users} == {openid("alice"), openid("bob")}
    alice("vendor", "remove-user", vendor, openid("bob"))
    assert len(alice("vendor", "users", vendor, *JSON)) == 1


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_further_key_is_registered_used_and_removed(server, user, tmp_path, kind):
    bob = user("bob")
    key = make_key(tmp_path / "new", kind)
    added = bob("key", "add", str(key), *JSON)
    fingerprint = subprocess.check_output(["ssh-keygen", "-lf", key], text=True).split()[1]
    assert added["fingerprint"] == fingerprint
    rows = bob("key", "list", *JSON)
    assert fingerprint in {row["fingerprint"] for row in rows}
    bob("server", "login", server.url, "--key", str(key))  # the user of the last login
    assert "409" in bob("key", "add", str(key), code=4)
    bob("key", "remove", added["id"])
    message = bob("vendor", "list", code=4)
    assert "refused GET /v1/vendors: 400 Token is not valid" in message
    assert "hint:  the server does not accept the login: log in" in message


def test_a_key_in_the_agent_is_used_by_its_public_half(server, keys, user, tmp_path, monkeypatch):
    bob = user("bob")
    socket = f"/tmp/agent-{os.getpid()}"  # a path of a socket must be short
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as agent:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            while not Path(socket).exists():
                assert agent.poll() is None
            for name in KINDS:
                command = ("server", "login", server.url, "--user", openid(name), "--key")
                public = tmp_path / "public.pub"
                public.write_text((keys / f"{name}.pub").read_text())
                assert "does not sign with" in bob(*command, str(public), code=4)
                subprocess.run(["ssh-add", "-q", keys / name], check=True)
                assert openid(name) in bob(*command, str(public))
        finally:
            agent.terminate()
    assert "the SSH agent at" in bob("vendor", "list", code=5)
    monkeypatch.delenv("SSH_AUTH_SOCK")
    assert "SSH_AUTH_SOCK is not set" in bob("vendor", "list", code=5)


def test_a_login_remembers_the_path_of_the_key_alone(server, keys, user, tmp_path):
    alice = user("alice")
    (path,) = (tmp_path / "home of alice").rglob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    text = path.read_text()
    assert str(keys / "alice") in text
    assert "PRIVATE" not in text
    assert "logged out" in alice("server", "logout")
    assert not path.exists()
    assert "not logged in" in alice("server", "logout")
    message = alice("results", "list", code=2)
    assert "error: not logged in to a server" in message
    assert "refstack-client server login URL" in message


def test_a_refused_login_is_not_remembered(server, keys, user, tmp_path):
    alice = user("alice")
    before = next((tmp_path / "home of alice").rglob("*.json")).read_text()
    login = ("server", "login", server.url, "--key")
    message = alice(*login, str(keys / "bob"), "--user", openid("alice"), code=4)
    assert "400 Token is not valid" in message
    assert "hint:  register the public key of" in message
    other = server.url.replace("127.0.0.1", "localhost")
    message = alice(
        *login[:2], other, "--key", str(keys / "alice"), "--user", openid("alice"), code=4
    )
    assert "give the public URL of the server" in message
    assert next((tmp_path / "home of alice").rglob("*.json")).read_text() == before


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("results", "show", "https://other.example.org/results/1"), 4, "is not the page of"),
        (("results", "show", ".."), 4, "'..' is not the id of a result"),
        (("results", "show", "a/../../v1/vendors"), 4, "is not the id of a result"),
        (("results", "show", "absent"), 4, "refused GET /v2/results/absent: 404"),
        (("results", "verify", "absent"), 4, "403 Forbidden: only the Foundation may do this"),
        (("results", "verify", "absent", "--until", "soon"), 2, "expected a date such as"),
        (("vendor", "deny", "absent", "--why", "no"), 4, "refused POST /v1/vendors/absent/action"),
        (("vendor", "create", " "), 4, "400 name should not be empty"),
        (("product", "publish", "absent", "--yes"), 4, "refused PUT /v1/products/absent: 404"),
        (("product", "create", "x", "--kind", "car"), 2, "invalid choice"),
        (("key", "remove", "absent"), 4, "404"),
        (("key", "add", "absent"), 4, "absent.pub"),
        (("results", "list", "-c", "colour"), 2, "there is no column colour"),
        (("results", "show", "absent", "--column", "colour"), 4, "404"),
        (("server", "login", "refstack.example.org", "--key", "k"), 2, "URL is not that of"),
        (("server", "login", "https://a:b@c.example.org", "--key", "k"), 2, "URL is not that of"),
    ],
)
def test_what_is_refused_is_explained(user, command, code, message):
    alice = user("alice")
    output = alice(*command, code=code)
    assert message in output
    assert "Traceback" not in output
    assert code != 4 or "hint:  " in output


@pytest.mark.parametrize("verb", ["publish", "withdraw", "delete"])
def test_changes_that_others_see_are_confirmed(server, keys, user, tmp_path, monkeypatch, verb):
    alice = user("alice")
    page = uploaded(keys, tmp_path, alice)
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert "there is no terminal" in alice("results", verb, page, code=2)
    monkeypatch.setattr("sys.stdin", Terminal("", is_terminal=True))
    assert "nothing was changed" in alice("results", verb, page, code=130)
    monkeypatch.setattr("sys.stdin", Terminal("no\n", is_terminal=True))
    output = alice("results", verb, page, code=130)
    assert f"The result {page} (2020.06 storage" in output
    assert "nothing was changed" in output
    assert alice("results", "show", page, *JSON)["shared_with"] == "nobody"
    monkeypatch.setattr("sys.stdin", Terminal("yes\n", is_terminal=True))
    assert alice("results", verb, page)


class Terminal:
    """Standard input with one line."""

    def __init__(self, line: str, *, is_terminal: bool = False):
        self.line, self.is_terminal = line, is_terminal

    def isatty(self) -> bool:
        return self.is_terminal

    def readline(self, *_) -> str:
        return self.line


def test_no_secret_is_shown_or_written(server, keys, user, tmp_path, monkeypatch):
    """Neither a token nor the key is in any output, log or file of the program."""
    alice = user("alice")
    made = []
    real = http._session

    def session():
        created = real()
        created.hooks["response"].append(
            lambda response, **_: made.append(response.request.headers["Authorization"])
        )
        return created

    monkeypatch.setattr(http, "_session", session)
    log = tmp_path / "log"
    output = str(alice("--debug", "--log-file", str(log), "results", "list"))
    output += str(alice("--debug", "--log-file", str(log), "results", "show", "absent", code=4))
    assert made
    written = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "alice"
    )
    secrets = [token.removeprefix("Bearer ") for token in made]
    secrets += [token.rpartition(".")[2] for token in secrets]
    secrets += (keys / "alice").read_text().splitlines()[1:-1]
    for secret in secrets:
        assert secret not in output
        assert secret.encode() not in written


def test_the_commands_work_without_the_packages_of_a_server(server, keys, tmp_path):
    """The command line is a real process here, in which these packages cannot be imported."""
    blocked = ["sqlalchemy", "fastapi", "jwt", "uvicorn", "pydantic", "refstack_server"]
    code = f"""
import sys
sys.modules.update(dict.fromkeys({blocked}))
from refstack_client.__main__ import main
sys.exit(main())
"""
    command = [sys.executable, "-c", code, "server", "login", server.url]
    options = ["--key", keys / "root", "--user", openid("root")]
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, *options], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "for the Foundation" in done.stderr
