"""The tempest.conf that a run would use: nothing is created unless that is requested."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import openstack
import pytest
import requests
import yaml
from support.certifying import CLIENT, run, secrets_of

from refstack_client.running.effective_conf import UNKNOWN, EffectiveConf
from refstack_client.tempest.conf import Value

SHOW = (CLIENT, "config", "show", "--programme", "storage", "-f", "json")


def test_unknown_values_are_comments_and_not_options():
    conf = EffectiveConf(
        {("identity", "uri_v3"): Value("http://x/v3", "discovered")},
        (("compute", "fixed_network_name"), ("*", "*")),
    )
    assert conf.render(origins=True).splitlines() == [
        f"# compute.fixed_network_name: {UNKNOWN}",
        f"# *.*: {UNKNOWN}",
        "[identity]",
        "# discovered",
        "uri_v3 = http://x/v3",
    ]


def resources() -> set[tuple[str, str]]:
    """Return kind and id of everything that a user may create in the storage sandbox."""
    cloud = openstack.connect(cloud="sandbox")
    identity = cloud.identity
    kinds = {
        "project": identity.projects(),
        "user": identity.users(),
        "role": identity.roles(),
        "group": identity.groups(),
        "credential": identity.credentials(),
        "assignment": identity.role_assignments(),
        "container": cloud.object_store.containers(),
    }
    return {
        (kind, str(item.id or item.to_dict())) for kind, items in kinds.items() for item in items
    }


class Proxy(ThreadingHTTPServer):
    """Forwards requests to Keystone and records those that are not reads."""

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.target = url
        self.changes: set[tuple[str, str]] = set()
        self.reads = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Forward(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def forward(self) -> None:
        if self.command in ("GET", "HEAD"):
            self.server.reads += 1
        else:
            self.server.changes.add((self.command, self.path.rstrip("/")))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        response = requests.request(
            self.command,
            self.server.target + self.path,
            data=body,
            headers=dict(self.headers),
            allow_redirects=False,
            timeout=60,
        )
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def keystone(place: Path, sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A recording proxy for Keystone, to which clouds.yaml and the service catalog point."""
    document = yaml.safe_load(sandbox.clouds_yaml.read_text())
    parts = urlsplit(document["clouds"]["sandbox"]["auth"]["auth_url"])
    identity = openstack.connect(cloud="sandbox").identity
    service = identity.find_service("keystone")
    endpoints = list(identity.endpoints(service_id=service.id, interface="public"))
    with Proxy(f"{parts.scheme}://{parts.netloc}") as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        for config in document["clouds"].values():
            config["auth"]["auth_url"] = f"{proxy.url}{parts.path}"
        path = place / "clouds.yaml"
        path.write_text(yaml.safe_dump(document))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
        try:
            for endpoint in endpoints:
                changed = endpoint.url.replace(proxy.target, proxy.url)
                identity.update_endpoint(endpoint.id, url=changed)
            yield proxy
        finally:
            for endpoint in endpoints:
                identity.update_endpoint(endpoint.id, url=endpoint.url)
            proxy.shutdown()


@pytest.mark.cloud
@pytest.mark.parametrize(
    "command",
    [
        (*SHOW, "--os-cloud", "sandbox"),
        (*SHOW, "--os-cloud", "sandbox-tenant", "--accounts", "accounts.yaml"),
        (CLIENT, "config", "--programme", "storage", "--os-cloud", "sandbox"),
    ],
)
def test_config_creates_nothing_in_the_cloud(place, sandbox, keystone, command):
    Path("accounts.yaml").write_bytes(sandbox.accounts_yaml.read_bytes())
    before = resources()
    keystone.reads = 0
    shown = run(*command)
    assert shown.returncode == 0, shown.stderr
    assert keystone.reads
    assert keystone.changes == {("POST", "/v3/auth/tokens")}
    assert resources() == before


@pytest.mark.cloud
def test_with_provision_tenants_are_created_and_removed(place, sandbox, keystone):
    before = resources()
    shown = run(*SHOW, "--os-cloud", "sandbox", "--provision")
    assert shown.returncode == 0, shown.stderr
    assert {("POST", "/v3/projects"), ("POST", "/v3/users")} <= keystone.changes
    assert resources() == before
    assert all(entry["value"] is not None for entry in json.loads(shown.stdout))


@pytest.mark.cloud
def test_an_application_credential_is_enough_to_know_every_value(place, sandbox, monkeypatch):
    admin = openstack.connect(cloud="sandbox")
    secret = "aA1-secret-of-application"
    credential = admin.identity.create_application_credential(
        admin.current_user_id, name=f"test-{place.name}", secret=secret
    )
    auth = {
        "auth_url": admin.config.get_auth_args()["auth_url"],
        "application_credential_id": credential.id,
        "application_credential_secret": secret,
    }
    config = {"auth_type": "v3applicationcredential", "region_name": "RegionOne", "auth": auth}
    Path("clouds.yaml").write_text(yaml.safe_dump({"clouds": {"application": config}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "clouds.yaml")
    shown = run(*SHOW, "--os-cloud", "application")
    assert shown.returncode == 0, shown.stderr
    entries = {(entry["section"], entry["option"]): entry for entry in json.loads(shown.stdout)}
    assert entries["identity", "uri_v3"]["value"] == auth["auth_url"]
    assert "slo" in entries["object-storage-feature-enabled", "discoverable_apis"]["value"]
    assert entries["object-storage", "operator_role"]["value"] == "SwiftOperator"
    assert not any(text in shown.stdout for text in (secret, *secrets_of(sandbox)))
