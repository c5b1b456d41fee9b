"""A reason in one line from the attachments of a test."""

import pytest

from refstack_client.outcomes import causes
from scoring.conformance.outcomes import Call, Cause, CauseKind

TEST = "tempest.api.object_storage.test_object.ObjectTest.test_it"
FRAMES = """Traceback (most recent call last):
  File "/x/tempest/api/object_storage/base.py", line 1, in test_it
    self.call()
"""
REFUSED = (
    "urllib3.exceptions.MaxRetryError: HTTPConnectionPool(host='10.0.0.1', port=8080): Max retries "
    "exceeded with url: {url} (Caused by NewConnectionError('…: [Errno 111] Connection refused'))"
)


def sentence(traceback: str, log: str = "") -> str:
    return causes.of_failure(TEST, traceback, log)[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "tempest.lib.exceptions.NotFound: Object not found\nDetails: gone",
            "Object not found Det",
        ),
        ("testtools.matchers._impl.MismatchError: 1 != 2", "MismatchError: 1 != 2"),
        ("AssertionError", "AssertionError"),
        ("", "failed without a traceback"),
    ],
)
def test_the_exception_becomes_a_sentence(error, expected):
    traceback = FRAMES + error if error else ""
    assert sentence(traceback).startswith(expected)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("/v1/AUTH_abc/container", "Swift (object-store)"),
        ("/v3/auth/tokens", "Keystone (identity)"),
        ("/unknown", "Swift (object-store)"),
    ],
)
def test_a_refused_connection_names_the_service_and_where(url, service):
    text = sentence(FRAMES + REFUSED.format(url=url))
    assert text == f"{service} at 10.0.0.1:8080 refused the connection"


@pytest.mark.parametrize(
    "url",
    [
        "http://cloud.example.org:8080/v1/AUTH_abc/container?x=http://elsewhere/",
        "/http://cloud.example.org:8080/v1/AUTH_abc/container",
        "http://127.0.0.1:41234/http://cloud.example.org:8080/v1/AUTH_abc/container",
    ],
)
def test_behind_a_proxy_or_a_relay_the_reason_names_the_server_of_the_service(url):
    text = sentence(FRAMES + REFUSED.format(url=url))
    assert text == "Swift (object-store) at cloud.example.org:8080 refused the connection"


def test_a_proxy_that_refuses_a_tunnel_is_a_service_that_cannot_be_reached():
    error = (
        "urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='10.0.0.1', port=8080): Max "
        "retries exceeded with url: /v1/AUTH_abc (Caused by ProxyError('Unable to connect to "
        "proxy', OSError('Tunnel connection failed: 502 Bad Gateway')))"
    )
    text, cause = causes.of_failure(TEST, FRAMES + error, "")
    assert text == "Swift (object-store) at 10.0.0.1:8080 cannot be reached by the proxy"
    assert cause == Cause(CauseKind.UNREACHABLE)


def test_the_call_of_a_request_through_a_relay_has_the_path_at_the_service():
    url = "http://127.0.0.1:1234/https://[::1]:5000/v3/auth/tokens?x=1"
    log = f"Request (ObjectTest:test_it): 401 POST {url} 0.1s"
    error = "tempest.lib.exceptions.Unauthorized: Unauthorized"
    call = causes.of_failure(TEST, FRAMES + error, log)[1].call
    assert call == Call("POST", "/v3/auth/tokens", 401)


def test_a_broken_connection_is_laid_to_the_client_that_made_the_call():
    frame = '  File "/x/tempest/lib/services/identity/v3/token_client.py", line 1, in auth\n    y\n'
    error = "urllib3.exceptions.ProtocolError: ('Connection aborted.', RemoteDisconnected('…'))"
    text = sentence(FRAMES + frame + error)
    assert text == "Keystone (identity) broke off the connection"


def test_a_server_error_in_the_log_names_the_service_that_gave_it():
    log = "Request (ObjectTest:test_it): 503 PUT http://10.0.0.1:8080/v1/AUTH_x/c 0.1s"
    error = "tempest.lib.exceptions.UnexpectedResponseCode: Unexpected response code received"
    assert sentence(FRAMES + error, log) == (
        "Swift (object-store) answered 503 to PUT: Unexpected response code received"
    )


def test_a_reason_is_one_line_of_bearable_length():
    text = sentence(FRAMES + "ValueError: " + "long\nstory " * 100)
    assert "\n" not in text
    assert len(text) <= 240


def test_a_skip_for_a_bug_of_tempest_is_explained():
    assert (
        "creates the test projects itself" in causes.of_skip("Skipped because of bug#2147232.")[0]
    )
    assert causes.of_skip("Swift is not available")[0] == "Swift is not available"
    assert causes.of_skip("")[0] == "skipped without a reason"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (REFUSED.format(url="/v1/AUTH_x"), CauseKind.UNREACHABLE),
        ("requests.exceptions.SSLError: CERTIFICATE_VERIFY_FAILED", CauseKind.CONFIG),
        ("tempest.lib.exceptions.InvalidConfiguration: no image", CauseKind.CONFIG),
        ("tempest.lib.exceptions.OverLimit: Quota exceeded for cores", CauseKind.QUOTA),
        ("tempest.lib.exceptions.Forbidden: Forbidden\nDetails: x", CauseKind.CREDENTIAL),
        ("tempest.lib.exceptions.Unauthorized: Unauthorized", CauseKind.CREDENTIAL),
        ("tempest.lib.exceptions.EndpointNotFound: Endpoint not found", CauseKind.SERVICE_MISSING),
        ("tempest.lib.exceptions.NotImplemented: not here", CauseKind.EXTENSION_MISSING),
        ("requests.exceptions.ReadTimeout: Read timed out", CauseKind.TIMEOUT),
        ("tempest.lib.exceptions.TimeoutException: volume x not available", CauseKind.TIMEOUT),
        (
            "tempest.exceptions.VolumeResourceBuildErrorException: in ERROR status",
            CauseKind.RESOURCE,
        ),
        ("testtools.matchers._impl.MismatchError: 1 != 2", CauseKind.WRONG_RESPONSE),
        ("tempest.lib.exceptions.InvalidHTTPResponseBody: no schema", CauseKind.WRONG_RESPONSE),
        ("KeyError: 'flavor'", CauseKind.TEST),
        ("AttributeError: 'NoneType' object has no attribute 'id'", CauseKind.TEST),
    ],
)
def test_an_error_has_a_kind(error, kind):
    assert causes.of_failure(TEST, FRAMES + error, "")[1].kind is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("os-fips extension not enabled.", CauseKind.EXTENSION_MISSING),
        ("ObjectTest skipped as swift is not available", CauseKind.SERVICE_MISSING),
        ("Missing Identity Admin API credentials in configuration.", CauseKind.CREDENTIAL),
        ("Instance validation tests are disabled.", CauseKind.CONFIG),
    ],
)
def test_a_skip_has_a_kind(text, kind):
    assert causes.of_skip(text)[1] == Cause(kind)


LOG = """\
2026-01-01 INFO [x] Request (ObjectTest:test_it): 202 POST http://10.0.0.1:8776/v3/volumes?a=b 0.1s
    Response - Headers: {'x-openstack-request-id': 'req-1', 'status': '202'}
2026-01-01 INFO [x] Request (ObjectTest:test_it): 409 PUT http://10.0.0.1:8776/v3/volumes/1 0.1s
    Response - Headers: {'x-compute-request-id': 'req-2', 'status': '409'}
2026-01-01 INFO [x] Request (ObjectTest:test_it): 200 GET http://10.0.0.1:8776/v3/volumes/1 0.1s
    Response - Headers: {'x-trans-id': 'tx3', 'status': '200'}
2026-01-01 INFO [x] Request (ObjectTest:_run_cleanups): 404 DELETE http://10.0.0.1:8776/v3/v 0.1s
    Response - Headers: {'x-openstack-request-id': 'req-4', 'status': '404'}
"""


def test_the_failing_call_is_named_with_its_request_id():
    wrong = "testtools.matchers._impl.MismatchError: 1 != 2"
    assert causes.of_failure(TEST, FRAMES + wrong, LOG)[1].call == Call(
        "PUT", "/v3/volumes/1", 409, "req-2"
    )
    built = "tempest.exceptions.VolumeResourceBuildErrorException: volume 1 is in ERROR status"
    assert str(causes.of_failure(TEST, FRAMES + built, LOG)[1].call) == (
        "POST /v3/volumes answered 202 (req-1)"
    )
    assert causes.of_failure(TEST, FRAMES + wrong, "")[1].call is None


CLIENT_FRAME = (
    '  File "/x/tempest/lib/services/network/networks_client.py", line 1, in list\n    y\n'
)
ANSWERED = (
    "Request (ServersTest:setUpClass): 200 GET http://10.0.0.1:9696/v2.0/networks 0.01s\n"
    "    Request - Headers: {'X-Auth-Token': '<omitted>'}\n"
    "        Body: None\n"
    "    Response - Headers: {'content-location': 'http://10.0.0.1:9696/v2.0/networks'}\n"
    "        Body: b'BODY'\n"
)


def test_what_a_client_of_tempest_raises_is_laid_to_its_service():
    error = "tempest.lib.exceptions.ServerFault: Got server fault\nDetails: broken"
    assert sentence(FRAMES + CLIENT_FRAME + error) == (
        "Neutron (network): Got server fault Details: broken"
    )


def test_an_answer_that_lacks_what_it_is_to_have_is_laid_to_who_gave_it():
    frame = '  File "/x/tempest/lib/common/fixed_network.py", line 1, in get\n    y\n'
    traceback = FRAMES + frame + "KeyError: 'networks'"
    told, cause = causes.of_failure(TEST, traceback, ANSWERED.replace("BODY", '{"other": 1}'))
    assert told == "Neutron (network) answered 200 to GET without networks"
    assert cause.kind is CauseKind.WRONG_RESPONSE
    told, cause = causes.of_failure(TEST, traceback, ANSWERED.replace("BODY", '{"networks": []}'))
    assert (told, cause.kind) == ("KeyError: 'networks'", CauseKind.TEST)


def test_a_thing_that_could_not_be_made_is_laid_to_who_makes_such_things():
    error = "tempest.exceptions.BuildErrorException: {} 1a failed to build and is in ERROR status"
    for thing, service in (("Server", "Nova (compute)"), ("volume", "Cinder (block-storage)")):
        told = sentence(FRAMES + error.format(thing))
        assert told.startswith(f"{service}: {thing} 1a failed to build")


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v2.0/networks", "Neutron (network)"),
        ("/networking/v2.0/ports", "Neutron (network)"),
        ("/compute/v2.1/servers", "Nova (compute)"),
        ("/v2/images/1/file", "Glance (image)"),
        ("/volume/v3/0123456789abcdef0123456789abcdef/volumes", "Cinder (block-storage)"),
        ("/v3/projects", "Keystone (identity)"),
    ],
)
def test_an_address_tells_whose_it_is(path, service):
    log = f"Request (ObjectTest:test_it): 503 GET http://10.0.0.1{path} 0.01s\n"
    assert sentence(FRAMES + "AssertionError: no", log).startswith(f"{service} answered 503")


def test_a_failed_login_names_user_and_error_of_the_last_attempt():
    failed = "Failed to establish authenticated ssh connection to "
    log = (
        f"{failed}root@192.0.2.1 ([Errno None] Unable to connect to port 22 on 192.0.2.1). "
        "Number attempts: 1. Retry after 2 seconds.\n"
        f"{failed}root@192.0.2.1 (Authentication failed.). Number attempts: 2. Retry after 3 s.\n"
        f"{failed}root@192.0.2.1 after 2 attempts. Proxy client: no proxy client\n"
    )
    error = (
        "tempest.lib.exceptions.SSHTimeout: Connection to the 192.0.2.1 via SSH timed out.\n"
        "User: root, Password: None"
    )
    text, cause = causes.of_failure(TEST, FRAMES + error, log)
    assert text == "cannot log in to a guest as root@192.0.2.1: Authentication failed"
    assert cause.kind is CauseKind.TIMEOUT
    text, _ = causes.of_failure(TEST, FRAMES + error, "")
    assert text.startswith("Connection to the 192.0.2.1 via SSH timed out.")
