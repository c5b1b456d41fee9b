"""What python-tempestconf asks of a cloud: it changes nothing, and its failures are reported.

Keystone is real. It lists services that record each request and have nothing to offer.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openstack
import pytest
from support.certifying import CLIENT, run, secrets_of

from refstack_client.cloud.connection import Cloud, Tls
from refstack_client.errors import CloudError
from refstack_client.tempest import discovery, workspace
from refstack_client.tempest.conf import Choices, Conf
from refstack_client.tempest.swift_roles import SwiftRoles

pytestmark = pytest.mark.cloud

TYPES = ("compute", "image", "network")
VERSIONS = [{"id": "v2.0", "status": "CURRENT", "version": "2.1", "min_version": "2.1"}]
ROLES = SwiftRoles("AbsentOperator", "AbsentReseller")


class EmptyServices(ThreadingHTTPServer):
    """Services that hold no resources; ``fault`` is the text of an error 500 to list images."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.fault = ""


class Handler(BaseHTTPRequestHandler):
    server: EmptyServices

    def answer(self) -> None:
        self.server.requests.append((self.command, self.path))
        name = self.path.rpartition("/")[2].partition(".")[0].removeprefix("os-") or "versions"
        status, document = 200, {name: VERSIONS if name == "versions" else []}
        if name == "images" and self.server.fault:
            status, document = 500, {"message": self.server.fault}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def services(sandbox) -> Iterator[EmptyServices]:
    """Services without resources, in the service catalog of the sandbox."""
    identity = openstack.connect(cloud="sandbox").identity
    with EmptyServices() as server, contextlib.ExitStack() as stack:
        threading.Thread(target=server.serve_forever).start()
        stack.callback(server.shutdown)
        for service_type in TYPES:
            service = identity.create_service(type=service_type, name=f"empty-{service_type}")
            stack.callback(identity.delete_service, service)
            identity.create_endpoint(
                service_id=service.id,
                interface="public",
                region_id="RegionOne",
                url=f"http://127.0.0.1:{server.server_port}/",
            )
        yield server


def discover_as_admin(sandbox) -> Conf:
    """Return what is discovered as a user who may create whatever python-tempestconf wants."""
    cloud = Cloud.of(openstack.connect(cloud="sandbox"))
    choices = Choices(cloud.facts, (cloud.own_account(),), ROLES, (), "test", Tls())
    with workspace.workspace() as space:
        return discovery.discover(space, choices, secrets_of(sandbox))


def test_services_without_resources_are_discovered_and_nothing_is_created(services, sandbox):
    identity = openstack.connect(cloud="sandbox").identity
    roles = {role.name for role in identity.roles()}
    conf = discover_as_admin(sandbox)
    assert conf["service_available", "glance"].text == "True"
    assert conf["service_available", "nova"].text == "True"
    assert {method for method, _ in services.requests} == {"GET"}
    assert ("GET", "/v2/images") in services.requests
    assert {role.name for role in identity.roles()} == roles


def test_a_programme_without_an_image_service_is_configured_on_a_cloud_with_one(services):
    shown = run(CLIENT, "config", "show", "--os-cloud", "sandbox", "--programme", "storage")
    assert shown.returncode == 0, shown.stderr
    assert {method for method, _ in services.requests} == {"GET"}


def test_the_reason_for_a_failed_discovery_is_reported_without_secrets(services, sandbox):
    password = secrets_of(sandbox)[0]
    services.fault = f"no database for {password}"
    with pytest.raises(CloudError) as caught:
        discover_as_admin(sandbox)
    message = str(caught.value)
    assert "could not be discovered: ServerFault: Got server fault" in message
    assert "500 GET http://127.0.0.1" in message
    assert "no database for <redacted>" in message
    assert password not in message
