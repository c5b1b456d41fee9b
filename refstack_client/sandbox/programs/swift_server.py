"""Run one Swift server in the foreground: swift_server.py DIRECTORY account|container|object|proxy.

Runs in the sandbox's own environment. Swift reads /etc/swift/swift.conf and has no option to look
elsewhere, so every module that took over the constant is pointed at DIRECTORY/swift.conf.
"""

import os
import sys

import eventlet

eventlet.monkey_patch()

from swift.common.wsgi import run_wsgi  # noqa: E402


def main():
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
