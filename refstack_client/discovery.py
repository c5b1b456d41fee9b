"""Ask python-tempestconf what a cloud offers: ``python -m refstack_client.discovery OUT``.

A program of its own because python-tempestconf configures logging and Tempest for its process. The
credentials come as a JSON document on standard input, never in arguments or environment:
{"credentials": {…}, "overrides": [[section, option, value], …]}.
"""

import json
import sys

from config_tempest.main import config_tempest


def main() -> None:
    request = json.load(sys.stdin)
    credentials = request["credentials"]
    # python-tempestconf keeps them in a ConfigParser, which takes % for the start of a reference.
    escaped = {
        key: value.replace("%", "%%") if isinstance(value, str) else value
        for key, value in credentials.items()
    }
    config_tempest(
        cloud_creds=escaped,
        non_admin=True,
        overrides=[tuple(each) for each in request["overrides"]],
        out=sys.argv[1],
        test_accounts="unused",
    )


if __name__ == "__main__":
    main()
