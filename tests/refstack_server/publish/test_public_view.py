"""Reasons in the public view have no URLs, IP addresses, hosts and ids."""

import pytest

from refstack_server.publish import public_view


@pytest.mark.parametrize(
    "reason",
    [
        "passed at attempt 2",
        "tempest.lib.exceptions.ServerFault: Got server fault. Details: 500 at 10:22",
        "setUpClass (tempest.api.compute.servers.test_x.ServersTest): Compute is not available",
        "class set-up: os-floating-ips extension is not enabled",
        "testtools.matchers._impl.MismatchError: 200 != 404: the status differs",
    ],
)
def test_reasons_without_addresses_are_unchanged(reason):
    assert public_view.text(reason) == reason


@pytest.mark.parametrize(
    ("reason", "public"),
    [
        ("GET http://10.0.0.1:8774/v2.1/servers failed", "GET … failed"),
        ("Connection to 192.0.2.7 refused", "Connection to … refused"),
        ("no route to 2001:db8::8:800:200c:417a", "no route to …"),
        ("host='cloud.example', port=5000", "host=…, port=5000"),
        ("server 7f3e2a10-9a1b-4c6d-8e2f-0123456789ab is in ERROR", "server … is in ERROR"),
        ("amqp://guest:guest@rabbit:5672// timed out", "… timed out"),
        ("mail ops@example.org", "mail …"),
    ],
)
def test_addresses_hosts_and_ids_are_hidden(reason, public):
    assert public_view.text(reason) == public
