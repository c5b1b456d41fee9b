"""The ``refstack-client`` command."""

import logging
import os
import signal
import sys
from importlib import metadata
from types import FrameType

from cliff.app import App
from cliff.commandmanager import CommandManager

from refstack_client.cli.exit_codes import EXIT_USAGE

_LIBRARIES = ("keystoneauth", "openstack", "stevedore", "tempest", "urllib3")


class Commands(CommandManager):
    """Knows the commands without importing them: cliff's own imports all to run one."""

    def load_commands(self, namespace: str) -> None:
        self.group_list.append(namespace)
        for entry in metadata.entry_points(group=namespace):
            self.commands[entry.name.replace("_", " ")] = entry


class Shell(App):
    """Finds and runs one command; its exit code is part of the interface (README, Exit codes)."""

    NAME = "refstack-client"

    def __init__(self) -> None:
        super().__init__(
            description="Certify OpenStack clouds against interoperability guidelines.",
            version=metadata.version("refstack-client"),
            command_manager=Commands("refstack_client.commands"),
            deferred_help=True,
        )

    def configure_logging(self) -> None:
        super().configure_logging()
        # What libraries log is for --debug; what a user needs to know is said in sentences.
        if not self.options.debug:
            for name in _LIBRARIES:
                logging.getLogger(name).setLevel(logging.CRITICAL)

    def run(self, argv: list[str]) -> int:
        if not argv:
            super().run(["help"])
            return EXIT_USAGE
        return super().run(argv)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    _keep_loopback_from_proxies()
    return Shell().run(sys.argv[1:] if argv is None else argv)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does, so that what was started is stopped and what was made is removed."""
    raise KeyboardInterrupt


def _keep_loopback_from_proxies() -> None:
    for name in ("no_proxy", "NO_PROXY"):
        kept = os.environ.get(name)
        os.environ[name] = ",".join(filter(None, (kept, "127.0.0.1", "localhost")))
