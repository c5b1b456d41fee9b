"""Finding an engine, and what passes between it and the launcher; without an engine."""

import json
import os
import socket
import socketserver
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.container import engine, launch, orphans, payload, safe_untar
from refstack_client.container.payload import Payload
from refstack_client.errors import InputError, MachineError
from refstack_client.outcomes.run_directory import Run


class OldEngine(socketserver.ThreadingUnixStreamServer):
    """Answers as an engine of 2015 does."""

    class RequestHandlerClass(BaseHTTPRequestHandler):
        def do_GET(self):
            content = json.dumps({"ApiVersion": "1.18"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

        def address_string(self):
            return "unix"

    def __init__(self, path: Path):
        super().__init__(str(path), self.RequestHandlerClass)


@pytest.fixture
def old_engine(tmp_path) -> Iterator[str]:
    server = OldEngine(tmp_path / "old.sock")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"unix://{tmp_path}/old.sock"
    server.shutdown()


def test_an_engine_that_is_too_old_is_told(old_engine, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", old_engine)
    with pytest.raises(MachineError, match="the container engine is too old"):
        engine.connect()


def test_no_engine_a_dead_one_and_one_that_may_not_be_used_are_told_apart(tmp_path, monkeypatch):
    def message() -> str:
        with pytest.raises(MachineError) as raised:
            engine.connect()
        return f"{raised.value} {raised.value.hint}"

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert "cannot find a container engine" in message()
    dead = socketserver.UnixStreamServer(str(tmp_path / "dead.sock"), None)
    dead.server_close()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/dead.sock")
    assert "cannot reach a container engine" in message()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    assert "permission denied" in message()
    assert "group docker" in message()


def test_an_archive_cannot_write_elsewhere(tmp_path):

    for name, kind in (("../out", tarfile.REGTYPE), ("/../out", tarfile.REGTYPE), ("l", b"2")):
        packed = tmp_path / "a.tar"
        with tarfile.open(packed, "w") as archive:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        with tarfile.open(packed) as archive, pytest.raises(InputError, match="plain file"):
            safe_untar.unpack(archive, tmp_path / "in")


def test_a_payload_keeps_secrets_to_their_owner_and_names_nothing_outside(tmp_path):
    made = Run(tmp_path / "20260131T000000Z-abcdef")
    made.directory.mkdir()
    (made.directory / "plan.json").write_text("{}")
    made.lock.touch()
    packed = tmp_path / "parcel.tar"
    ordered = Payload(["certify", "--set", "a.b=c"], {"K": "v"}, {"clouds.yaml": b"secret"}, made)
    packed.write_bytes(payload.pack(ordered))
    with tarfile.open(packed) as archive:
        modes = {each.name: oct(each.mode) for each in archive}
    assert modes == {
        "tmp/refstack/order.json": "0o600",
        "tmp/refstack/clouds.yaml": "0o600",
        f"results/{made.id}/plan.json": "0o644",
    }
    (tmp_path / "root" / "tmp").mkdir(parents=True)
    with packed.open("rb") as stream:
        received = payload.unpack(stream, tmp_path / "root")
    assert (received.arguments, received.environ) == (ordered.arguments, ordered.environ)
    private = tmp_path / "root" / "tmp" / "refstack"
    assert (private / "clouds.yaml").stat().st_mode & 0o777 == 0o600
    assert private.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "root" / "results" / made.id / "plan.json").read_text() == "{}"


@given(st.text(alphabet="aé€🙂\n"), st.lists(st.integers(1, 5)))
def test_lines_are_whole_however_they_come_in_pieces(text, sizes):
    content, said = text.encode(), []
    lines = launch._Lines(said.append)
    for size in sizes:
        piece, content = content[:size], content[size:]
        lines.feed(piece)
    lines.feed(content)
    lines.end()
    assert said == (text[:-1] if text.endswith("\n") else text).split("\n")[: None if text else 0]


def test_a_launcher_is_alive_as_long_as_its_process_is():
    me = psutil.Process()
    mine = f"{socket.gethostname()} {os.getpid()} {me.create_time():.2f}"
    assert orphans.is_alive(mine)
    assert not orphans.is_alive(f"{socket.gethostname()} {os.getpid()} 1.00")  # its number again
    assert not orphans.is_alive(f"{socket.gethostname()} {2**22 + 1} 1.00")
    assert orphans.is_alive("another-host 1 1.00")  # unknown here
