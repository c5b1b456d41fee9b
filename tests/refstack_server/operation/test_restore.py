"""Damaged and hostile backups: each is refused, and leaves nothing."""

import io
import json
import random
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.operating import client, upload_stream
from support.serving import add_user, person, serving

from refstack_client.errors import InputError
from refstack_server.operation import archive, restore
from refstack_server.settings import DATABASE, Settings

Members = list[tuple[str, bytes]]
DAMAGES = 100


@pytest.fixture(scope="module")
def backup(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("backup")
    alice = person("alice")
    add_user(place / "data", alice)
    with serving(place / "data") as server:
        upload_stream(server, alice, "because")
        assert client("backup", place / "file", "--data", server.data).returncode == 0
    return place / "file"


def members_of(path: Path) -> Members:
    with path.open("rb") as file:
        return [(member.name, member.content.readall()) for member in archive.read(path, file)]


def written(path: Path, members: Members) -> Path:
    """Write an archive with a valid checksum."""
    with path.open("wb") as file:
        writer = archive.Writer(file)
        for name, content in members:
            writer.add(name, content)
        writer.close()
    return path


def refusal(path: Path, tmp_path: Path) -> InputError:
    """Return the error with which a backup is refused."""
    with pytest.raises(InputError) as caught:
        restore.read(Settings(tmp_path / "new", ""), path)
    assert not (tmp_path / "new").exists()
    assert caught.value.hint
    return caught.value


def rows_of(data: Path) -> list[str]:
    with sqlite3.connect(data / DATABASE) as restored:
        return list(restored.iterdump())


def test_each_change_of_a_byte_is_detected_or_has_no_effect(backup, tmp_path):
    original, rng, refused = backup.read_bytes(), random.Random(20261127), 0
    restore.read(Settings(tmp_path / "whole", ""), backup)
    expected = rows_of(tmp_path / "whole")
    for number in range(DAMAGES):
        content, at = bytearray(original), rng.randrange(len(original))
        content[at] ^= 1 << rng.randrange(8)
        (tmp_path / "damaged").write_bytes(content)
        new = tmp_path / f"new-{number}"
        try:
            restore.read(Settings(new, ""), tmp_path / "damaged")
        except InputError:
            refused += 1
            assert not new.exists()
        else:  # Padding of members and of numbers in their headers has no meaning.
            assert original[at] in b"\0 "
            assert rows_of(new) == expected
    assert refused > DAMAGES / 4


def test_a_backup_that_ends_early_is_refused(backup, tmp_path):
    original = backup.read_bytes()
    ends = original.rstrip(b"\0")
    for length in (0, 1, 511, 512, 600, 1024, *range(1024, len(ends), 512), len(ends) - 1):
        (tmp_path / "short").write_bytes(original[:length])
        refusal(tmp_path / "short", tmp_path)


def plain(name: str, content: bytes = b"x", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


@pytest.mark.parametrize(
    "entry",
    [
        plain("../escaped"),
        plain("/tmp/escaped"),
        plain("uploads/../../escaped"),
        plain("secrets/other"),
        plain("secrets/secret/x"),
        plain("rows/alembic_version/000001.jsonl", b'{"version_num": "1"}\n'),
        plain("rows/sqlite_master/000001.jsonl", b"{}\n"),
        plain("uploads/" + "a" * 64),
        plain("uploads/" + "A" * 64),
        plain("manifest.json"),
        plain("secrets/secret", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        plain("secrets/secret", b"", type=tarfile.LNKTYPE, linkname="manifest.json"),
        plain("uploads", b"", type=tarfile.DIRTYPE),
        plain("secrets/secret", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5),
        plain("secrets/secret", b"", type=tarfile.FIFOTYPE),
        plain("secrets/secret", b"x" * 512, type=tarfile.GNUTYPE_SPARSE),
        plain("x" * 300),
        plain("ü", pax_headers={"comment": "x" * 5000}),
    ],
    ids=lambda entry: f"{entry[0].name[:40]}-{entry[0].type.decode()}",
)
@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_member_that_does_not_belong_there_is_refused(backup, tmp_path, entry, kind):
    (name, manifest), *_ = members_of(backup)
    with tarfile.open(tmp_path / "hostile", "w", format=kind) as hostile:
        hostile.addfile(plain(name, manifest)[0], io.BytesIO(manifest))
        hostile.addfile(entry[0], io.BytesIO(entry[1]))
    refusal(tmp_path / "hostile", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"hostile"}


def test_a_member_that_claims_to_be_huge_is_refused(backup, tmp_path):
    (_, manifest), *_ = members_of(backup)
    for name in ("uploads/" + "a" * 64, "rows/users/000001.jsonl", "secrets/secret"):
        info, _ = plain(name, size=2**40)
        with (tmp_path / "huge").open("wb") as file:
            archive.Writer(file).add("manifest.json", manifest)
            file.write(info.tobuf(tarfile.GNU_FORMAT))
            file.write(b"x" * 5000)
        refusal(tmp_path / "huge", tmp_path)


def replaced(name: str, change: Callable[[bytes], bytes]) -> Callable[[Members], Members]:
    return lambda members: [
        (other, change(content) if other.startswith(name) else content)
        for other, content in members
    ]


def with_value(column: str, value: object) -> Callable[[bytes], bytes]:
    return lambda line: json.dumps({**json.loads(line), column: value}).encode() + b"\n"


USERS, RESULTS = "rows/users/", "rows/results/"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: members[1:], "is not a backup"),
        (lambda members: [*members, members[-1]], "occurs twice"),
        (lambda members: [*members, ("uploads/" + "0" * 64, b"x")], "has changed"),
        (lambda members: [m for m in members if not m[0].startswith(USERS)], "FOREIGN KEY"),
        (replaced(USERS, lambda line: line * 2), "UNIQUE"),
        (replaced("uploads/", lambda content: content + b"x"), "has changed"),
        (replaced(USERS, lambda _: b"nonsense\n"), "does not fit the table"),
        (replaced(USERS, lambda _: b"[]\n"), "the columns are not"),
        (replaced(USERS, lambda _: b"[" * 100_000), "does not fit the table"),
        (replaced(USERS, lambda _: b"1" * 10_000), "does not fit the table"),
        (replaced(USERS, lambda _: b"\xff\n"), "does not fit the table"),
        (replaced(USERS, with_value("other", "x")), "the columns are not"),
        (replaced(USERS, with_value("openid", None)), "NOT NULL"),
        (replaced(USERS, with_value("openid", {"a": 1})), "does not fit the table"),
        (replaced(USERS, with_value("created_at", "yesterday")), "isoformat"),
        (replaced(USERS, with_value("created_at", 7)), "created_at is not text"),
        (replaced(RESULTS, with_value("number", 2**80)), "does not fit the table"),
        (replaced(RESULTS, with_value("listed", "maybe")), "does not fit the table"),
        (replaced(RESULTS, with_value("outcomes", "ü")), "does not fit the table"),
        (replaced("manifest", lambda _: b"{}"), "is not a backup"),
        (replaced("manifest", lambda _: b"\xff" * 70_000), "is not a backup"),
        (
            replaced("manifest", with_value("format", "refstack-server-backup/2")),
            "is not a backup that this release can read",
        ),
        (replaced("manifest", with_value("revision", "9999")), "is newer than this release"),
        (replaced("manifest", with_value("revision", "head")), "is newer than this release"),
        (replaced("manifest", with_value("revision", "")), "is not a backup"),
        (replaced("manifest", with_value("revision", "0001")), "the columns are not"),
    ],
)
def test_content_that_does_not_fit_is_refused(backup, tmp_path, change, message):
    path = written(tmp_path / "hostile", change(members_of(backup)))
    assert message in str(refusal(path, tmp_path))


def test_an_error_is_a_sentence_without_values(backup, tmp_path):
    canary = with_value("openid", "canary" * 100)
    changed = replaced(USERS, lambda line: canary(line) * 2)(members_of(backup))
    path = written(tmp_path / "hostile", changed)
    done = client("restore", path, "--data", tmp_path / "new")
    assert (done.returncode, "Traceback" in done.stderr, "canary" in done.stderr) == (
        4,
        False,
        False,
    )
    assert "hint:  use another copy of the backup" in done.stderr


def test_a_checksum_of_other_content_is_refused(backup, tmp_path):
    members = members_of(backup)
    path = written(tmp_path / "hostile", members[:-1])
    content = path.read_bytes()
    right, wrong = (file.read_bytes()[-1536:-1024] for file in (backup, path))
    path.write_bytes(content.replace(wrong, right))
    assert "its checksum is wrong" in str(refusal(path, tmp_path))


@pytest.mark.parametrize("name", ["file", "directory", "nothing"])
def test_what_is_not_a_backup_is_an_error_message(tmp_path, name):
    (tmp_path / "file").write_bytes(b"PK\x03\x04" * 1000)
    (tmp_path / "directory").mkdir()
    done = client("restore", tmp_path / name, "--data", tmp_path / "new")
    assert done.returncode in (4, 5)
    assert ("Traceback" in done.stderr, str(tmp_path / name) in done.stderr) == (False, True)
    assert not (tmp_path / "new").exists()
