"""What the templates of a profile are filled with, and the configuration files made of them."""

import dataclasses
import getpass
import grp
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from refstack_client.files import write_private
from refstack_client.sandbox.service_model import LOCKOUT, Service, Step
from refstack_client.sandbox.state import Sandbox, Secrets, Settings

HOST = "127.0.0.1"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Deployment:
    """One sandbox on this machine: where it lies, who runs it, on which ports.

    The fields and properties are the names that templates use.
    """

    python: Path
    conf: Path
    data: Path
    run: Path
    user: str
    group: str
    port: Mapping[str, int]
    """The port of each daemon, by name."""
    secrets: Secrets
    has_lockout: bool
    """Keystone locks users out after wrong passwords."""
    guests: bool
    """Servers have guests."""
    programs: Path = _HERE / "programs"
    host: str = HOST

    @property
    def prefix(self) -> Path:
        """The virtual environment that the services run from."""
        return self.python.parent.parent

    @property
    def auth_url(self) -> str:
        """The URL of the identity service."""
        return f"http://{self.host}:{self.port['keystone']}/v3"

    def fill(self, template: str) -> str:
        """Return a ``str.format`` template with the values of this deployment."""
        return template.format(**self._values())

    def command(self, step: Step) -> tuple[list[str], str]:
        """Return the arguments and the standard input of ``step``."""
        stdin = {key: self.fill(text) for key, text in step.stdin.items()}
        return [self.fill(text) for text in step.argv], json.dumps(stdin)

    def configure(self, service: Service) -> None:
        """Write the configuration files of ``service``, readable by their owner alone."""
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - configuration files, not HTML
        )
        for name in service.templates:
            text = templates.get_template(name).render(self._values())
            write_private(self.conf / name, text)

    def with_ports(self, port: Mapping[str, int]) -> "Deployment":
        """Return this deployment as it is for a client that uses other ports."""
        return dataclasses.replace(self, port={**self.port, **port})

    def _values(self) -> dict[str, object]:
        return {**vars(self), "prefix": self.prefix, "auth_url": self.auth_url}


def deployment(sandbox: Sandbox, settings: Settings, python: Path) -> Deployment:
    """Return what the templates of ``sandbox`` are filled with.

    :param python: of the virtual environment that the services run from
    """
    return Deployment(
        python=python,
        conf=sandbox.state / "conf",
        data=sandbox.state / "data",
        run=sandbox.state / "run",
        user=getpass.getuser(),
        group=grp.getgrgid(os.getgid()).gr_name,
        port=settings.ports,
        secrets=settings.secrets,
        has_lockout=LOCKOUT in sandbox.profile.tempest,
        guests=sandbox.profile.guests,
    )
