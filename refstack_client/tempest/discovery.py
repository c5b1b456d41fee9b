"""Discover with python-tempestconf what a cloud offers.

It runs in a process of its own (:mod:`.discovery_worker`), which is started early because it takes
a while to load.
"""

import configparser
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from refstack_client.errors import CloudError
from refstack_client.tempest import discovery_log
from refstack_client.tempest.conf import Choices, Conf, Value
from refstack_client.tempest.settings import Setting
from refstack_client.tempest.workspace import Workspace

_WORKER = (sys.executable, "-m", "refstack_client.tempest.discovery_worker")
ORIGIN = "discovered"
"""Origin of the values."""

_LEFT_OUT = ("auth", "oslo-concurrency")
"""Sections with users that do not exist, and with a name that Tempest does not read."""


@dataclass(frozen=True)
class Discovery:
    """A process of python-tempestconf that answers one question.

    :param process: reads the question from its standard input
    :param result: the tempest.conf that it writes
    """

    process: subprocess.Popen[str]
    result: Path

    def ask(self, choices: Choices) -> None:
        """Start the discovery as the first user of ``choices``."""
        if self.process.stdin:
            # The answer reports why a process has ended already.
            with contextlib.suppress(BrokenPipeError), self.process.stdin as stream:
                json.dump(_question(choices, self.result.parent), stream)

    def answer(self, secrets: Iterable[str]) -> Conf:
        """Wait for the result and return it.

        :param secrets: are hidden in the reason for a failure
        :raises CloudError: python-tempestconf failed
        """
        if self.process.wait() or not self.result.exists():
            reason = discovery_log.reason(_log(self.result).read_bytes(), secrets)
            raise CloudError(
                "what the cloud offers could not be discovered: "
                + (reason or f"python-tempestconf ended with status {self.process.returncode}"),
                hint="refstack-client cloud check shows whether each service can be reached",
            )
        return _read(self.result)


def _log(result: Path) -> Path:
    """Return the file of the process's output; Tempest logs its errors to standard output."""
    return result.with_suffix(".log")


@contextlib.contextmanager
def start(workspace: Workspace) -> Iterator[Discovery]:
    """Start python-tempestconf, and end it when the block ends."""
    result = workspace.directory / "discovered.conf"
    with (
        _log(result).open("wb") as log,
        subprocess.Popen(
            [*_WORKER, str(result)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=workspace.directory,
            env=workspace.environ(),
        ) as process,
    ):
        try:
            yield Discovery(process, result)
        finally:
            process.kill()


def discover(workspace: Workspace, choices: Choices, secrets: Iterable[str]) -> Conf:
    """Discover as the first user of ``choices`` and return the result.

    :param secrets: are hidden in the reason for a failure
    :raises CloudError: python-tempestconf failed
    """
    with start(workspace) as process:
        process.ask(choices)
        return process.answer(secrets)


def _question(choices: Choices, directory: Path) -> dict[str, object]:
    """Return what the worker reads; a file that it needs is written to ``directory``."""
    user = choices.users[0]
    return {
        "credentials": {
            **user.as_auth(),
            "auth_url": choices.cloud.auth_url,
            "region_name": choices.cloud.region,
            "request_args": {"verify": choices.tls.cacert or choices.tls.verify},
        },
        # python-tempestconf creates the roles that it finds missing; these exist.
        "overrides": [
            *choices.roles.settings(),
            *choices.resources,
            *_image_files(directory),
            *choices.overrides,
        ],
    }


def _read(path: Path) -> Conf:
    """Return the options that python-tempestconf discovered, without those that it makes up."""
    parsed = configparser.ConfigParser()
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(path, encoding="utf-8")
    return {
        (section, option): Value(value, ORIGIN)
        for section in parsed.sections()
        if section not in _LEFT_OUT
        for option, value in parsed.items(section)
        if option not in parsed.defaults() and not option.endswith(("username", "password"))
    }


def _image_files(directory: Path) -> tuple[Setting, ...]:
    """Return the settings that name a stand-in for a guest image, written to ``directory``."""
    path = directory / "guest.img"
    path.write_bytes(b"nothing boots from this\n")
    return (
        Setting("image", "image_path", str(path)),
        Setting("scenario", "img_file", str(path)),
    )
