"""The cpid is the one that the original refstack-client computes for a tempest.conf."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from refstack_client.errors import InputError
from refstack_client.running import legacy_identity

SERVICE = "5f1c9a3e8d7b4c2fa6e0b1d2c3f4a5b6"
HOST_MD5 = hashlib.md5(b"127.0.0.1", usedforsecurity=False).hexdigest()
PASSWORD = "p$ss%(word)s $$ #é"
USER = {"username": "alice", "password": PASSWORD, "project_name": "p"}


class Handler(BaseHTTPRequestHandler):
    """Signs in alice, in the domain and with the password of the server, as Keystone does."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = body["auth"]["identity"]["password"]["user"]
        project = body["auth"]["scope"]["project"]
        server = self.server
        good = (user["name"], user["password"], project["name"]) == (
            "alice",
            PASSWORD,
            "p",
        ) and user["domain"]["name"] == project["domain"]["name"] == server.domain
        server.seen.append(user["name"])
        token = {"token": {"catalog": server.catalog, "methods": ["password"]}}
        refused = {"error": {"code": 401, "title": "Unauthorized", "message": "No."}}
        content = json.dumps(token if good else refused).encode()
        self.send_response(201 if good else 401)
        self.send_header("X-Subject-Token", "t")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def keystone():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.domain = "Default"
    server.seen = []
    endpoint = {"interface": "public", "url": "http://x", "region": "R", "id": "e"}
    server.catalog = [
        {"type": "compute", "id": "other", "endpoints": [endpoint]},
        {"type": "identity", "id": SERVICE, "endpoints": [endpoint]},
    ]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def cpid_of(keystone, tmp_path):
    """Return the cpid for a tempest.conf with these lines, and an accounts file if there is one."""

    def compute(lines: str, accounts: object = None) -> legacy_identity.Cpid:
        url = f"http://127.0.0.1:{keystone.server_port}/v3"
        path = tmp_path / "tempest.conf"
        path.write_text(lines.replace("URL", url))
        if accounts is not None:
            (tmp_path / "accounts.yaml").write_text(yaml.safe_dump(accounts, allow_unicode=True))
        return legacy_identity.cpid_of(legacy_identity.read(path))

    return compute


ACCOUNTS = "[identity]\nuri_v3 = URL\n[auth]\ntest_accounts_file = accounts.yaml\n"
ESCAPED = PASSWORD.replace("$", "$$")


@pytest.mark.parametrize(
    "accounts",
    [
        [USER],
        [{"username": "alice", "password": PASSWORD, "tenant_name": "p"}],
        [{**USER, "tenant_name": "p", "project_name": "newer name"}],
        [{**USER, "domain_name": "default", "roles": ["Member"]}],
        [USER, {"username": "second"}],
    ],
)
def test_the_first_user_of_the_accounts_file_signs_in(cpid_of, keystone, accounts):
    assert cpid_of(ACCOUNTS, accounts) == legacy_identity.Cpid(SERVICE)
    assert keystone.seen == ["alice"]


@pytest.mark.parametrize(
    "user",
    [
        f"[identity]\nusername = alice\npassword = {ESCAPED}\ntenant_name = p\n",
        f"[identity]\nusername = alice\npassword = '{ESCAPED}'\nproject_name = p\n",
        f"[auth]\nadmin_username = alice\nadmin_password = {ESCAPED}\nadmin_project_name = p\n",
    ],
)
@pytest.mark.parametrize("uri", ["uri_v3 = URL", "uri = URL", "uri_v3 = URL/\nauth_version = v3"])
def test_a_password_is_read_as_tempest_reads_it(cpid_of, user, uri):
    assert cpid_of(f"[identity]\n{uri}\n{user}") == legacy_identity.Cpid(SERVICE)


def test_the_accounts_file_takes_precedence(cpid_of, keystone):
    others = "[identity]\nusername = bob\npassword = x\ntenant_name = p\n"
    others += "[auth]\nadmin_username = admin\nadmin_password = x\nadmin_project_name = p\n"
    assert cpid_of(ACCOUNTS + others, [USER]).value == SERVICE
    assert keystone.seen == ["alice"]


def test_the_domain_is_that_of_the_section_identity(cpid_of, keystone):
    keystone.domain = "customers"
    listed = [{**USER, "domain_name": "customers"}]
    found = cpid_of(ACCOUNTS, listed)
    assert found.value == HOST_MD5  # as for the original refstack-client
    assert "cannot sign in" in found.reason
    assert found.reason.endswith("set domain_name = customers in the section identity")
    assert cpid_of(f"{ACCOUNTS}[identity]\ndomain_name = customers\n", listed).value == SERVICE


@pytest.mark.parametrize(
    ("lines", "accounts", "reason"),
    [
        (ACCOUNTS, [{**USER, "password": "wrong"}], "(alice) cannot sign in: "),
        (ACCOUNTS, [{"username": "alice", "password": PASSWORD}], "has no project_name"),
        (ACCOUNTS, [{"tenant_name": "p"}], "has no username"),
        ("[identity]\nuri_v3 = URL\n", None, "tempest.conf names no user"),
        (f"{ACCOUNTS}[identity]\nauth_version = v2\n", [USER], "auth_version is v2"),
        (
            "[identity]\nuri_v3 = http://127.0.0.1:1/v3\n[auth]\nadmin_username = alice\n"
            "admin_password = x\nadmin_project_name = p\n",
            None,
            "(alice) cannot sign in: ",
        ),
    ],
)
def test_the_true_reason_for_the_cpid_of_the_host_is_given(cpid_of, lines, accounts, reason):
    found = cpid_of(lines, accounts)
    assert found.value == HOST_MD5
    assert reason in found.reason
    assert "wrong" not in found.reason
    assert "service catalog" not in found.reason


@pytest.mark.parametrize(
    "catalog", [[], [{"type": "identity", "id": None, "endpoints": []}], [{"type": "compute"}]]
)
def test_a_catalog_without_the_identity_service_is_a_reason(cpid_of, keystone, catalog):
    keystone.catalog = catalog
    found = cpid_of(ACCOUNTS, [USER])
    reason = "the service catalog has no id of the identity service"
    assert found == legacy_identity.Cpid(HOST_MD5, reason)


@pytest.mark.parametrize(
    ("lines", "accounts", "message"),
    [
        ("[auth]\n", None, "the section identity has no uri_v3"),
        (ACCOUNTS, [], "has no user"),
        (ACCOUNTS, {"a": 1}, "expected a list of users"),
        (ACCOUNTS.replace("accounts.yaml", "absent.yaml"), None, "absent.yaml: No such file"),
        ("[identity]\nuri_v3 = URL\npassword = a$b\n", None, "tempest.conf: "),
    ],
)
def test_what_cannot_be_read_is_named(cpid_of, lines, accounts, message):
    with pytest.raises(InputError, match=message):
        cpid_of(lines, accounts)


def test_a_path_may_begin_with_the_home_directory(cpid_of, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    Path("~/mine.yaml").expanduser().write_text(yaml.safe_dump([USER], allow_unicode=True))
    assert cpid_of(ACCOUNTS.replace("accounts.yaml", "~/mine.yaml")).value == SERVICE


@pytest.mark.parametrize(
    ("lines", "verify"),
    [
        ("", True),
        ("ca_certificates_file = /ca.pem\n", "/ca.pem"),
        ("disable_ssl_certificate_validation = True\nca_certificates_file = /ca.pem\n", False),
    ],
)
def test_certificates_are_verified_as_tempest_does(tmp_path, lines, verify):
    path = tmp_path / "tempest.conf"
    path.write_text(f"[identity]\nuri_v3 = https://k/v3\n{lines}")
    assert legacy_identity.read(path).verify == verify
    assert legacy_identity.read(path, insecure=True).verify is False
