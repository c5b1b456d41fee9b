"""Build the image from a checkout, save it to a file and load it."""

import hashlib
import json
import shutil
import tarfile
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import docker.errors

from capabilities import catalogue
from refstack_client.container import safe_untar
from refstack_client.container.engine import Engine, explained
from refstack_client.errors import InputError, MachineError
from refstack_client.files import write_bytes, write_json

BASE = "python:3.11-slim-bookworm"
CHECKOUT = Path(__file__).parents[2]
_PLACE = "refstack-client"
_CONTENTS = f"{_PLACE}/contents.json"


@dataclass(frozen=True)
class SavedImage:
    """Hold the name of a saved image, and the names of the files saved with it."""

    name: str
    files: tuple[str, ...]


def default_name() -> str:
    """Return the name of the image of this version."""
    return f"refstack-client:{metadata.version('refstack-client')}"


def ensure(engine: Engine, name: str, talk: Callable[[str], None]) -> str:
    """Return the image as ``NAME@DIGEST``; build it if it is missing.

    :raises MachineError: it is missing and cannot be built, for want of a checkout
    """
    with explained(f"look for the image {name}"):
        try:
            found = engine.client.images.get(name)
        except docker.errors.ImageNotFound:
            if not (CHECKOUT / "Dockerfile").exists() or name != default_name():
                raise MachineError(
                    f"the engine has no image {name}",
                    hint="get it with refstack-client container load FILE or docker pull, or build "
                    "it in a checkout: refstack-client container build",
                ) from None
            build(engine, name, BASE, talk)
            found = engine.client.images.get(name)
    return f"{name}@{found.id}"


def build(engine: Engine, name: str, base: str, talk: Callable[[str], None]) -> None:
    """Build the image of this checkout on ``base``.

    :raises MachineError: there is no checkout, the base cannot be pulled, or a step failed
    """
    if not (CHECKOUT / "Dockerfile").exists():
        raise MachineError(
            "there is no Dockerfile beside the installed package",
            hint="clone the repository of the project and run the command there",
        )
    digest = _base_digest(engine, base)
    with explained(f"build the image {name}"):
        events = engine.client.api.build(
            path=str(CHECKOUT),
            tag=name,
            target="client",
            buildargs={"BASE": base, "BASE_DIGEST": digest},
            network_mode="host",
            rm=True,
            forcerm=True,
            decode=True,
        )
        output: list[str] = []
        for event in events:
            output += event.get("stream", "").splitlines()
            if event.get("stream", "").startswith("Step "):
                talk(textwrap.shorten(event["stream"], 100, placeholder=" …"))
            if "error" in event:
                tail = "\n".join(line for line in output[-10:] if line.strip())
                raise MachineError(
                    f"cannot build the image: {event['error'].strip()}\n{tail}",
                    hint="see the output of the step above; a package index must be reachable",
                )


def _base_digest(engine: Engine, base: str) -> str:
    """Return the digest of the base in a registry, else its ID in the engine."""
    try:
        found = engine.client.images.get(base)
    except docker.errors.ImageNotFound:
        hint = f"get it with docker load, or set another than {base} with --base IMAGE"
        with explained(f"pull the base image {base}", hint=hint):
            found = engine.client.images.pull(base)
    digests = found.attrs.get("RepoDigests") or []
    return digests[0].partition("@")[2] if digests else str(found.id)


# -- for use without a registry --------------------------------------------------------------------


def save(engine: Engine, name: str, target: Path, test_image: Path | None) -> SavedImage:
    """Write the image to a file, with the guidelines and optionally a guest image for tests.

    The format is that of ``docker save`` with one more directory; ``docker load`` reads it too.

    :raises InputError: ``target`` exists or cannot be written, or ``test_image`` cannot be read
    """
    if target.exists() or not target.absolute().parent.is_dir():
        why = "it exists" if target.exists() else "its directory does not exist"
        raise InputError(f"cannot write {target}: {why}", hint="name another file")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as place:
            extras = _extras(Path(place), test_image)
            packed = Path(place) / "image"
            with packed.open("wb") as out, explained(f"save the image {name}"):
                image = engine.client.images.get(name)
                out.writelines(image.save(named=True))
            contents = {
                "image": {"name": name, "id": image.id},
                "files": {file_name: _digest(path) for file_name, path in extras.items()},
            }
            extras["contents.json"] = Path(place) / "contents.json"
            write_json(extras["contents.json"], contents)
            with tarfile.open(packed, "a") as archive:
                for file_name, path in extras.items():
                    archive.add(path, f"{_PLACE}/{file_name}", filter=_anonymous)
            packed.rename(target)
    except OSError as error:
        raise InputError(f"{error.filename or target}: {error.strerror}") from error
    return SavedImage(name, tuple(contents["files"]))


def _extras(place: Path, test_image: Path | None) -> dict[str, Path]:
    """Return the files to add to the image, by their names in the archive."""
    extras = {}
    for guideline in catalogue.shipped():
        name = catalogue.file_name(guideline)
        write_bytes(place / name, catalogue.content(guideline))
        extras[f"guidelines/{name}"] = place / name
    if test_image:
        extras[f"test-image/{test_image.name}"] = test_image
    return extras


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return an entry without the user who saved it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def load(engine: Engine, source: Path, output: Path | None) -> SavedImage:
    """Load the image in a file into the engine; write the other files to ``output``.

    :returns: the image and the files in it
    :raises InputError: the file was not written by :func:`save`, or has changed since
    """
    try:
        with tempfile.TemporaryDirectory(prefix="refstack-load-") as place:
            with tarfile.open(source) as archive:
                names = [name for name in archive.getnames() if name.startswith(f"{_PLACE}/")]
            with tarfile.open(source) as archive:
                safe_untar.unpack(archive, Path(place), names or [_CONTENTS])
            unpacked = Path(place) / _PLACE
            contents = json.loads((unpacked / "contents.json").read_bytes())
            for name, digest in contents["files"].items():
                if _digest(unpacked / name) != digest:
                    raise InputError(f"{source}: {name} has changed since it was saved")
            with explained(f"load the image of {source}"), source.open("rb") as content:
                engine.client.images.load(content)
                loaded = engine.client.images.get(contents["image"]["name"])
            if loaded.id != contents["image"]["id"]:
                raise InputError(f"{source}: its image is not the one that was saved")
            if output:
                shutil.copytree(unpacked, output, dirs_exist_ok=True)
            return SavedImage(contents["image"]["name"], tuple(contents["files"]))
    except OSError as error:
        raise InputError(f"{error.filename or source}: {error.strerror}") from error
    except (tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{source} is not a saved image: {' '.join(str(error).split())}",
            hint="give a file written by refstack-client container save",
        ) from error
