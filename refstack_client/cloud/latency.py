"""Measure the API round-trip time of a cloud."""

import time

import keystoneauth1.exceptions

from refstack_client.cloud.connection import Cloud

_SAMPLES = 2


def measure(cloud: Cloud) -> float:
    """Return the round-trip time in seconds; 0 if the identity service does not respond.

    The list of Keystone's versions is requested: it needs no database, so the time is that of the
    network and not of a slow cloud. Of several times, the shortest is the one that nothing delayed.
    """
    seconds = []
    for _ in range(_SAMPLES):
        started = time.monotonic()
        try:
            cloud.connection.session.get(cloud.auth_url, authenticated=False, raise_exc=False)
        except keystoneauth1.exceptions.ClientException:
            return 0.0
        seconds.append(time.monotonic() - started)
    return min(seconds)
