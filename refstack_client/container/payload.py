"""Hand files and arguments to a container: one tar archive over its standard input.

An engine keeps arguments, environment and labels of a container and shows them to its other users.
It keeps nothing of standard input, and inside the container the files are put into a tmpfs.
"""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from refstack_client.container import safe_untar
from refstack_client.outcomes.run_directory import Run

PRIVATE = Path("/tmp/refstack")  # noqa: S108 - in the container, which has no other users
RESULTS = Path("/results")
_ORDER = "order.json"


@dataclass(frozen=True)
class Payload:
    """Hold the arguments of refstack-client, environment for its process, and files it needs.

    ``files`` are put into :data:`PRIVATE`, ``resumed`` into :data:`RESULTS`.
    """

    arguments: Sequence[str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    files: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    resumed: Run | None = None


def pack(payload: Payload) -> bytes:
    """Return a payload as a tar archive."""
    order = {"arguments": list(payload.arguments), "environ": dict(payload.environ)}
    members = {PRIVATE / _ORDER: json.dumps(order).encode()}
    members.update({PRIVATE / name: content for name, content in payload.files.items()})
    if run := payload.resumed:
        files = (path for path in sorted(run.directory.iterdir()) if path.is_file())
        members.update(
            {RESULTS / run.id / path.name: path.read_bytes() for path in files if path != run.lock}
        )
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in members.items():
            entry = tarfile.TarInfo(str(path.relative_to("/")))
            entry.size = len(content)
            entry.mode = 0o600 if path.is_relative_to(PRIVATE) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def unpack(stream: BinaryIO, root: Path = Path("/")) -> Payload:
    """Write the files of a payload below ``root``; read nothing behind its end."""
    private = root / PRIVATE.relative_to("/")
    private.mkdir(mode=0o700)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        safe_untar.unpack(archive, root)
    order = json.loads((private / _ORDER).read_bytes())
    return Payload(order["arguments"], order["environ"])
