"""Start the daemons of a profile in the environment of their sandbox."""

import os
from pathlib import Path

from refstack_client.sandbox import daemon
from refstack_client.sandbox.deployment import Deployment
from refstack_client.sandbox.service_model import Daemon
from refstack_client.sandbox.state import Sandbox


def start(sandbox: Sandbox, model: Daemon, deployment: Deployment) -> None:
    """Start one daemon."""
    daemon.start(
        [deployment.fill(text) for text in model.argv],
        {
            **environ(sandbox),
            **{key: deployment.fill(text) for key, text in model.environ.items()},
        },
        sandbox.state,
        sandbox.pid_file(model.name),
        sandbox.log(model.name),
    )


def environ(sandbox: Sandbox) -> dict[str, str]:
    """Return an environment without the caller's variables: they may hold passwords."""
    inherited = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    return {**inherited, "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore", "HOME": str(sandbox.state)}


def last_line(log: Path) -> str:
    """Return the last line of a log, for an error message."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "its log is empty"
