"""What is handed over to a container: one tar archive over its standard input.

An engine keeps arguments, environment and labels of a container and shows them to everyone who may
ask. What comes over standard input it only passes on, and inside it is put into a tmpfs.
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

PRIVATE = Path("/tmp/refstack")  # noqa: S108 - in the container, where nobody else is
RESULTS = Path("/results")
_ORDER = "order.json"


@dataclass(frozen=True)
class Parcel:
    """The arguments of refstack-client, environment for its process, and files it needs.

    ``files`` end up in ``PRIVATE``, ``resumed`` in ``RESULTS``.
    """

    arguments: Sequence[str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    files: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    resumed: Run | None = None


def pack(parcel: Parcel) -> bytes:
    order = {"arguments": list(parcel.arguments), "environ": dict(parcel.environ)}
    members = {PRIVATE / _ORDER: json.dumps(order).encode()}
    members.update({PRIVATE / name: content for name, content in parcel.files.items()})
    if parcel.resumed:
        made = parcel.resumed
        kept = (path for path in sorted(made.directory.iterdir()) if path.is_file())
        members.update(
            {RESULTS / made.id / path.name: path.read_bytes() for path in kept if path != made.lock}
        )
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in members.items():
            entry = tarfile.TarInfo(str(path.relative_to("/")))
            entry.size = len(content)
            entry.mode = 0o600 if path.is_relative_to(PRIVATE) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def unpack(stream: BinaryIO, root: Path = Path("/")) -> Parcel:
    """Put the files of a parcel where they belong; nothing behind its end is read."""
    private = root / PRIVATE.relative_to("/")
    private.mkdir(mode=0o700)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        safe_untar.unpack(archive, root)
    order = json.loads((private / _ORDER).read_bytes())
    return Parcel(order["arguments"], order["environ"])
