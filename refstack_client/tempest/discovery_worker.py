"""Run python-tempestconf to discover what a cloud offers.

Run as ``python -m refstack_client.tempest.discovery_worker OUT``.

It runs in a process of its own because python-tempestconf configures logging and Tempest for its
process. Credentials are read as JSON from standard input, never from arguments or environment:
{"credentials": {…}, "overrides": [[section, option, value], …]}.
"""

import json
import sys
from typing import Any

from config_tempest.flavors import Flavors
from config_tempest.main import config_tempest
from config_tempest.services.image import ImageService
from tempest.lib.common.rest_client import RestClient
from tempest.lib.exceptions import Forbidden
from tempest.lib.services.identity.v3.token_client import V3TokenClient

FLAVORS_TO_CHOOSE = 2
"""python-tempestconf chooses two flavors and fails if the cloud has fewer."""


def main() -> None:
    """Read the question, run python-tempestconf, exit with the reason if it fails."""
    request = json.load(sys.stdin)
    credentials = request["credentials"]
    # python-tempestconf puts them into a ConfigParser, for which % starts a reference.
    escaped = {
        key: value.replace("%", "%%") if isinstance(value, str) else value
        for key, value in credentials.items()
    }
    _prevent_changes()
    try:
        config_tempest(
            cloud_creds=escaped,
            non_admin=True,
            overrides=[tuple(setting) for setting in request["overrides"]],
            out=sys.argv[1],
            test_accounts="unused",
        )
    except Exception as error:
        # Without this Tempest logs a traceback, in which the exceptions are hard to find.
        sys.exit("\n".join(_chain(error)))


def _chain(error: BaseException) -> list[str]:
    """Return ``error`` and the exceptions that caused it, the first one first."""
    cause = error.__cause__ or error.__context__
    return [*(_chain(cause) if cause else ()), f"{type(error).__name__}: {error}"]


def _prevent_changes() -> None:
    """Prevent python-tempestconf from creating anything in the cloud.

    It uploads an image if none is chosen, and creates roles for Swift and a network for Heat. The
    overrides name the images and flavors that the tests use
    (:mod:`refstack_client.tempest.cloud_resources`).
    """
    send, choose_flavors = RestClient.raw_request, Flavors.create_tempest_flavors

    def read(client: RestClient, url: str, method: str, *args: Any, **options: Any) -> Any:
        if method not in ("GET", "HEAD") and not isinstance(client, V3TokenClient):
            raise Forbidden(f"discovery changes nothing in the cloud: no {method} {url}")
        return send(client, url, method, *args, **options)

    def choose(flavors: Flavors) -> None:
        if len(flavors.flavor_list) >= FLAVORS_TO_CHOOSE:
            choose_flavors(flavors)

    RestClient.raw_request = read
    Flavors.create_tempest_flavors = choose
    ImageService.create_tempest_images = lambda *_, **__: None


if __name__ == "__main__":
    main()
