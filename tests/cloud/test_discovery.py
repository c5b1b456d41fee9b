"""What is discovered of a cloud: only tested services are asked, and what is wrong is named.

Keystone is real. It lists services that record each request and respond as the test has it.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openstack
import pytest
from support.certifying import CLIENT, run, secrets_of

from refstack_client.cloud import service_catalog
from refstack_client.cloud.connection import Cloud
from refstack_client.errors import CloudError
from refstack_client.tempest import discovery
from refstack_client.tempest.discovery import Offer
from refstack_client.tempest.service_settings import of_offers

pytestmark = pytest.mark.cloud

PROJECTS = ("nova", "glance", "neutron")
TYPES = ("compute", "image", "network")
VERSION = {"id": "v2.1", "status": "CURRENT", "version": "2.90", "min_version": "2.1"}
EXTENSIONS = {"extensions": [{"alias": "router"}, {"alias": "quotas"}]}


class Services(ThreadingHTTPServer):
    """Services with one version; ``status`` and ``extensions`` are what they list those with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.status = 200
        self.extensions: object = EXTENSIONS

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Services

    def answer(self) -> None:
        self.server.requests.append((self.command, self.path))
        status = 200
        links = [{"rel": "self", "href": f"{self.server.url}/v2.1"}]
        document: object = {"versions": [{**VERSION, "links": links}]}
        if self.path.endswith("/extensions"):
            status, document = self.server.status, self.server.extensions
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-openstack-request-id", "req-1")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def services(sandbox) -> Iterator[Services]:
    """Services in the service catalog of the sandbox."""
    identity = openstack.connect(cloud="sandbox").identity
    with Services() as server, contextlib.ExitStack() as stack:
        threading.Thread(target=server.serve_forever).start()
        stack.callback(server.shutdown)
        for service_type in TYPES:
            service = identity.create_service(type=service_type, name=f"test-{service_type}")
            stack.callback(identity.delete_service, service)
            identity.create_endpoint(
                service_id=service.id,
                interface="public",
                region_id="RegionOne",
                url=f"{server.url}/",
            )
        yield server


def discover() -> tuple[Offer, ...]:
    cloud = Cloud.of(openstack.connect(cloud="sandbox"))
    return discovery.offers(cloud, service_catalog.endpoints(cloud, PROJECTS))


def test_versions_and_extensions_become_options_and_nothing_is_changed(services):
    conf = {
        (setting.section, setting.option): setting.value
        for _, settings in of_offers(discover())
        for setting in settings
    }
    assert conf["compute", "max_microversion"] == "2.90"
    assert conf["network-feature-enabled", "api_extensions"] == "quotas,router"
    assert conf["service_available", "nova"] == "true"
    assert conf["service_available", "swift"] == "false"
    assert {method for method, _ in services.requests} == {"GET"}


def test_a_service_that_no_test_needs_is_not_asked(services):
    shown = run(CLIENT, "config", "show", "--os-cloud", "sandbox", "--programme", "storage")
    assert shown.returncode == 0, shown.stderr
    assert services.requests == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_user_who_may_not_list_extensions_has_the_defaults_of_tempest(services, status):
    services.status = status
    network = discover()[2]
    assert network.extensions is None
    options = {item.option for _, settings in of_offers([network]) for item in settings}
    assert "api_extensions" not in options


def test_a_wrong_response_of_a_tested_service_is_named_without_secrets(services, sandbox):
    password = secrets_of(sandbox)[0]
    services.status, services.extensions = 500, {"message": "no database"}
    with pytest.raises(CloudError) as caught:
        discover()
    message = str(caught.value)
    assert message.startswith("Neutron (network) does not report what it offers: GET http://127.")
    assert 'v2.0/extensions: status 500 (req-1): {"message": "no database"}' in message
    assert caught.value.hint == "see the log of Neutron"
    assert password not in message


@pytest.mark.parametrize("document", [{}, [], {"extensions": 3}, {"extensions": [{"alias": 1}]}])
def test_a_list_of_another_form_is_reported(services, document):
    services.extensions = document
    with pytest.raises(CloudError, match="the response has no list of extensions"):
        discover()
