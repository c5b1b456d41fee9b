"""Run refstack-client with other limits than its own: limited_server.py JSON ARGUMENT…

The JSON object has the limits of :class:`Settings` by name, and ``files``, the limit of open files.
"""

import json
import resource
import sys
from dataclasses import replace

from refstack_client.__main__ import main
from refstack_server.cli import data


def run() -> None:
    """Run the command with the limits of the first argument."""
    limits = json.loads(sys.argv.pop(1))
    if files := limits.pop("files", None):
        # The server raises the lower one.
        resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files))
    common = data.settings
    data.settings = lambda args: replace(common(args), **limits)
    sys.exit(main())


if __name__ == "__main__":  # Workers of the server import this module too.
    run()
