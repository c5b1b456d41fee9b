"""Whatever a file is, each command that reads it ends with a sentence, and not as a bug."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from refstack_client.cli.app import main

FILE = "FILE"
COMMANDS = (
    "guideline show FILE",
    "guideline check FILE",
    "guideline check 2020.06 --since FILE",
    "guideline tests FILE",
    "guideline convert FILE",
    "guideline diff 2020.06 FILE",
    "guideline diff 2020.06 2019.11 --results FILE",
    "guideline drift 2020.06 --tempest-list FILE",
    "verdict FILE",
    "verdict STREAM --guideline FILE",
    "verdict STREAM --attestation FILE",
    "report FILE",
    "diff STREAM FILE",
    "explain objectstore-account-list --results FILE",
    "bundle create FILE",
    "bundle sign STREAM --key FILE",
    "bundle show FILE",
    "bundle verify FILE",
    "bundle upload FILE --url http://127.0.0.1:9",
    "capability show objectstore-account-list --guideline FILE",
    "plan --guideline FILE",
    "certify --resume FILE",
    "certify --clean FILE",
    "merge FILE",
    "score show FILE",
    "score criteria --criteria FILE",
    "score diff FILE FILE",
    "score import FILE FILE",
    "score merge FILE FILE",
    "sign FILE",
    "upload FILE --url http://127.0.0.1:9",
    "upload-subunit FILE --url http://127.0.0.1:9",
    "test -c FILE --test-list /nonexistent/list",
)


def content(text: bytes) -> Callable[[Path], Path]:
    def write(place: Path) -> Path:
        path = place / "file.json"
        path.write_bytes(text)
        return path

    return write


def directory(place: Path) -> Path:
    (place / "directory").mkdir()
    return place / "directory"


def loop(place: Path) -> Path:
    (place / "loop").symlink_to(place / "loop")
    return place / "loop"


def refused(place: Path) -> Path:
    path = content(b"{}")(place)
    path.chmod(0)
    return path


KINDS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda place: place / "missing",
    "below a file": lambda place: content(b"")(place) / "file",
    "directory": directory,
    "loop": loop,
    "refused": refused,
    "device": lambda place: Path("/dev/null"),
    "endless": lambda place: Path("/dev/zero"),
    "long name": lambda place: place / ("n" * 300),
    "empty": content(b""),
    "binary": content(bytes(range(256)) * 20),
    "zeros": content(b"\0" * 3000),
    "nested": content(b"[" * 100_000),
    "nested objects": content(b'{"a":' * 100_000),
    "number": content(b"3"),
    "long number": content(b"1" * 100_000),
    "null": content(b"null"),
    "list": content(b"[1, 2]"),
    "other object": content(b'{"metadata": 3, "schema": "2.0", "results": 3, "weights": {}}'),
    "surrogate": content(b'{"results": ["\\ud800"]}'),
    "YAML": content(b"a: &a [*a]\nb: !!python/object:os.system x\n"),
    "empty archive": content(b"PK\x05\x06" + b"\0" * 18),
    "large": content(b'["' + b"x" * 20_000_000 + b'"]'),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_is_a_bug(kind, tmp_path, samples, monkeypatch, capsys):
    if kind == "refused" and os.access(refused(tmp_path), os.R_OK):
        pytest.skip("this user may read every file")
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "place"
    place.mkdir()
    file = str(KINDS[kind](place))
    words = {FILE: file, "STREAM": str(samples / "storage.subunit")}
    for command in COMMANDS:
        arguments = [words.get(word, word) for word in command.split()]
        try:
            code = main(arguments)
        except SystemExit as error:
            code = error.code
        message = capsys.readouterr().err
        assert code in {0, 1, 2, 3, 4, 5}, command
        assert "bug in refstack-client" not in message, (command, message)
        assert "Traceback" not in message, (command, message)
