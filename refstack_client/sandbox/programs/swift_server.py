"""Run one Swift server in the foreground: swift_server.py DIRECTORY account|container|object|proxy.

Runs in the virtual environment of the services. Swift reads /etc/swift/swift.conf and has no option
for another path. This program changes the path in every module that has a copy of the constant.
"""

import os
import sys

import eventlet

eventlet.monkey_patch()

from swift.common.wsgi import run_wsgi  # noqa: E402


def main():
    """Run the server of the command line."""
    directory, server = sys.argv[1:]
    swift_conf = os.path.join(directory, "swift.conf")
    for name, module in list(sys.modules.items()):
        if name.startswith("swift") and hasattr(module, "SWIFT_CONF_FILE"):
            module.SWIFT_CONF_FILE = swift_conf
    conf_file = os.path.join(directory, f"{server}-server.conf")
    sys.argv = [f"swift-{server}-server", conf_file]
    sys.exit(run_wsgi(conf_file, f"{server}-server", verbose=True))


if __name__ == "__main__":
    main()
