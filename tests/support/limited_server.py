"""Run refstack-client with other limits than its own: limited_server.py JSON ARGUMENT…

The JSON object has the limits of :class:`Settings` by name, and ``files``, the limit of open files.
"""

import json
import resource
import sys
from dataclasses import replace

from refstack_client.__main__ import main
from refstack_server import cli

limits = json.loads(sys.argv[1])
files = limits.pop("files", None)
if files:
    # The server raises the lower one.
    resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files))
common = cli._settings
cli._settings = lambda args: replace(common(args), **limits)
del sys.argv[1]
sys.exit(main())
