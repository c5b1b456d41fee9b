"""Reasons of failures of Tempest stay readable in public: exact texts, of messages of each kind."""

import pytest

from refstack_client.outcomes import public_text


@pytest.mark.parametrize(
    ("reason", "public"),
    [
        (
            "Nova (compute): Server 7f3e2a10-9a1b-4c6d-8e2f-0123456789ab failed to build and "
            "is in ERROR status Details: {'code': 500, 'created': '2026-01-31T10:22:04Z', "
            "'message': 'No valid host was found. There are not enough hosts available.'}",
            "Nova (compute): Server … failed to build and is in ERROR status Details: {'code': "
            "500, 'created': '…', 'message': 'No valid host was found. There are not enough "
            "hosts available.'}",
        ),
        (
            "(ServersTestJSON:setUpClass) Server 7f3e2a10-9a1b-4c6d-8e2f-0123456789ab failed "
            'to reach ACTIVE status and task state "None" within the required time (196 s). '
            "Current status: BUILD. Current task state: spawning.",
            "(ServersTestJSON:setUpClass) Server … failed to reach ACTIVE status and task "
            'state "None" within the required time (196 s). Current status: BUILD. Current '
            "task state: spawning.",
        ),
        (
            "Details: (AttachVolumeTestJSON:test_attach_detach_volume) volume "
            "7f3e2a10-9a1b-4c6d-8e2f-0123456789ab failed to reach in-use status (current "
            "available) within the required time (300 s).",
            "Details: (AttachVolumeTestJSON:test_attach_detach_volume) volume … failed to "
            "reach in-use status (current available) within the required time (300 s).",
        ),
        (
            "(VolumesActionsTest:tearDownClass) Failed to delete volume "
            "7f3e2a10-9a1b-4c6d-8e2f-0123456789ab within the required time (300 s). Timer "
            "started at 1700000000. Timer ended at 1700000300. Waited for 300 s.",
            "(VolumesActionsTest:tearDownClass) Failed to delete volume … within the required "
            "time (300 s). Timer started at …. Timer ended at …. Waited for 300 s.",
        ),
        (
            "Keystone (identity) at keystone.corp.example:5000 refused the connection",
            "Keystone (identity) at … refused the connection",
        ),
        (
            "Swift (object-store) at 10.0.0.7:8080 did not answer in time",
            "Swift (object-store) at … did not answer in time",
        ),
        (
            "Glance (image) at glance.corp:9292 has a TLS certificate that cannot be verified",
            "Glance (image) at … has a TLS certificate that cannot be verified",
        ),
        (
            "Neutron (network) answered 503 to POST: MismatchError: 503 != 201",
            "Neutron (network) answered 503 to POST: MismatchError: 503 != 201",
        ),
        (
            "Keystone (identity): Unauthorized Details: The request you have made requires "
            "authentication.",
            "Keystone (identity): Unauthorized Details: The request you have made requires "
            "authentication.",
        ),
        (
            "Forbidden Details: {'code': 403, 'message': \"Policy doesn't allow "
            'os_compute_api:servers:create:forced_host to be performed."}',
            "Forbidden Details: {'code': 403, 'message': \"Policy doesn't allow … to be "
            'performed."}',
        ),
        (
            "Forbidden Details: {'code': 403, 'title': 'Forbidden', 'message': 'You are not "
            "authorized to perform the requested action: identity:create_user.'}",
            "Forbidden Details: {'code': 403, 'title': 'Forbidden', 'message': 'You are not "
            "authorized to perform the requested action: ….'}",
        ),
        (
            "Object not found Details: {'type': 'NetworkNotFound', 'message': 'Network "
            "7f3e2a10-9a1b-4c6d-8e2f-0123456789ab could not be found.', 'detail': ''}",
            "Object not found Details: {'type': 'NetworkNotFound', 'message': 'Network … could "
            "not be found.', 'detail': ''}",
        ),
        (
            "Object not found Details: {'code': 404, 'message': 'Flavor "
            "0123456789abcdef0123456789abcdef could not be found.'}",
            "Object not found Details: {'code': 404, 'message': 'Flavor … could not be found.'}",
        ),
        (
            "Conflict with state of target resource Details: {'type': 'SecurityGroupInUse', "
            "'message': 'Security Group 7f3e2a10-9a1b-4c6d-8e2f-0123456789ab in use.', "
            "'detail': ''}",
            "Conflict with state of target resource Details: {'type': 'SecurityGroupInUse', "
            "'message': 'Security Group … in use.', 'detail': ''}",
        ),
        (
            "Bad request Details: {'code': 400, 'message': 'Invalid input for field/attribute "
            "name. Value: tempest-server-1. It is too short'}",
            "Bad request Details: {'code': 400, 'message': 'Invalid input for … name. Value: "
            "…. It is too short'}",
        ),
        (
            "Quota exceeded Details: Quota exceeded for cores: Requested 1, but already used "
            "20 of 20 cores",
            "Quota exceeded Details: Quota exceeded for cores: Requested 1, but already used "
            "20 of 20 cores",
        ),
        (
            "An object with that identifier already exists Details: {'code': 409, 'message': "
            "\"Key pair 'tempest-keypair-12' already exists.\"}",
            "An object with that identifier already exists Details: {'code': 409, 'message': "
            "\"Key pair '…' already exists.\"}",
        ),
        (
            "Request timed out Details: (TestMinimumBasicScenario:test_minimum_basic_scenario) "
            "Timed out waiting for 172.24.5.13 to become reachable",
            "Request timed out Details: (TestMinimumBasicScenario:test_minimum_basic_scenario) "
            "Timed out waiting for … to become reachable",
        ),
        (
            "cannot log in to a guest as cirros: Authentication failed",
            "cannot log in to a guest as …: Authentication failed",
        ),
        (
            "SSHTimeout: Connection to the 172.24.4.9 via SSH timed out. User: cirros, "
            "Password: None",
            "SSHTimeout: Connection to the … via SSH timed out. User: …, Password: …",
        ),
        (
            "Got server fault Details: The server has either erred or is incapable of "
            "performing the requested operation.",
            "Got server fault Details: The server has either erred or is incapable of "
            "performing the requested operation.",
        ),
        (
            "Unexpected response code received Details: 300",
            "Unexpected response code received Details: 300",
        ),
        (
            "HTTPSConnectionPool(host='cloud.example.org', port=13774): Max retries exceeded "
            "with url: /v2.1/servers (Caused by "
            "NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f11>: Failed "
            "to establish a new connection: [Errno 111] Connection refused'))",
            "HTTPSConnectionPool(host='…', port=…): Max retries exceeded with url: … (Caused "
            "by NewConnectionError('<urllib3.connection.HTTPSConnection object at …>: Failed "
            "to establish a new connection: [Errno 111] Connection refused'))",
        ),
        (
            "MaxRetryError: HTTPSConnectionPool(host='cloud.example.org', port=443): Max "
            "retries exceeded with url: / (Caused by SSLError(SSLCertVerificationError(1, "
            "'[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
            "certificate (_ssl.c:1006)')))",
            "MaxRetryError: HTTPSConnectionPool(host='…', port=…): Max retries exceeded with "
            "url: / (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate "
            "(…)')))",
        ),
        (
            "MismatchError: 'ACTIVE' != 'ERROR'",
            "MismatchError: 'ACTIVE' != 'ERROR'",
        ),
        (
            "MismatchError: !=: reference = 'x-container-object-count' actual = '0'",
            "MismatchError: !=: reference = 'x-container-object-count' actual = '0'",
        ),
        (
            "AssertionError: False is not true",
            "AssertionError: False is not true",
        ),
        (
            "AssertionError: 1 not less than or equal to 0 : Number of servers differs",
            "AssertionError: 1 not less than or equal to 0 : Number of servers differs",
        ),
        (
            "KeyError: 'OS-EXT-STS:task_state'",
            "KeyError: 'OS-EXT-STS:task_state'",
        ),
        (
            "Nova (compute) answered 200 to GET without addresses",
            "Nova (compute) answered 200 to GET without addresses",
        ),
        (
            "InvalidConfiguration: Invalid Configuration Details: Image with id "
            "7f3e2a10-9a1b-4c6d-8e2f-0123456789ab was not found",
            "InvalidConfiguration: Invalid Configuration Details: Image with id … was not found",
        ),
        (
            "class set-up: os-floating-ips extension is not enabled",
            "class set-up: os-floating-ips extension is not enabled",
        ),
        (
            "setUpClass (tempest.api.network.test_routers.RoutersTest): router extension not "
            "enabled.",
            "setUpClass (tempest.api.network.test_routers.RoutersTest): router extension not "
            "enabled.",
        ),
        (
            "Cinder is not available",
            "Cinder is not available",
        ),
        (
            "Nova (compute): snapshot 7f3e2a10-9a1b-4c6d-8e2f-0123456789ab failed to build and "
            "is in error_deleting status",
            "Nova (compute): snapshot … failed to build and is in error_deleting status",
        ),
        (
            "IdentityError: Got identity error Details: Could not find user with name demo in "
            "domain default",
            "IdentityError: Got identity error Details: Could not find user with name … in "
            "domain …",
        ),
        (
            "Over limit Details: {'code': 413, 'message': 'Maximum number of volumes allowed "
            "(10) exceeded for quota volumes', 'retryAfter': '0'}",
            "Over limit Details: {'code': 413, 'message': 'Maximum number of volumes allowed "
            "(10) exceeded for quota volumes', 'retryAfter': '0'}",
        ),
        (
            "passed only at attempt 3; at most 1 retries count",
            "passed only at attempt 3; at most 1 retries count",
        ),
        (
            "expected 1 (ran as "
            "tempest.api.object_storage.test_account_services.AccountTest.test_list_containers)",
            "expected 1 (ran as "
            "tempest.api.object_storage.test_account_services.AccountTest.test_list_containers)",
        ),
        (
            "JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
            "JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        ),
        (
            "InvalidHTTPResponseBody: HTTP response body is invalid json or xml Details: "
            "b'<html><head><title>502 Bad Gateway</title></head>'",
            "InvalidHTTPResponseBody: HTTP response body is invalid json or xml Details: "
            "b'<html><head><title>502 Bad Gateway<…><…>'",
        ),
        (
            "RestClientException: HTTP response header is invalid Details: the header "
            "content-length is missing",
            "RestClientException: HTTP response header is invalid Details: the header "
            "content-length is missing",
        ),
        (
            "Floating IP 203.0.113.9 is not associated with a port",
            "Floating IP … is not associated with a port",
        ),
        (
            "The image d3 is not ready: status is queued, expected active",
            "The image … is not ready: status is queued, expected active",
        ),
    ],
)
def test_messages_of_failures_stay_readable(reason, public):
    assert public_text.text(reason) == public
