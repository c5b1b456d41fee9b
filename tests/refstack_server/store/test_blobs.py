"""Uploads as files: complete ones are kept once, partial ones are removed."""

import contextlib
import hashlib
import os

from refstack_server.store import blobs

CONTENT = b"a bundle"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def files(data) -> list[str]:
    return [str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()]


def test_a_kept_upload_is_read_by_its_hash(tmp_path):
    for _ in range(2):  # The same content again changes nothing.
        with blobs.incoming(tmp_path) as upload:
            upload.write(CONTENT[:3])
            upload.write(CONTENT[3:])
            assert (upload.sha256, upload.complete().read_bytes()) == (SHA256, CONTENT)
            blobs.keep(tmp_path, upload)
    assert files(tmp_path) == [f"uploads/{SHA256[:2]}/{SHA256}"]
    assert blobs.read(tmp_path, SHA256) == CONTENT


def test_an_upload_that_is_not_kept_is_removed(tmp_path):
    with contextlib.suppress(ConnectionError), blobs.incoming(tmp_path) as upload:
        upload.write(bytes(blobs.IN_MEMORY))
        assert not files(tmp_path)
        upload.write(CONTENT)
        assert files(tmp_path)
        raise ConnectionError
    assert files(tmp_path) == []


def test_partial_uploads_are_removed_after_a_day(tmp_path):
    with blobs.incoming(tmp_path) as upload:
        path = upload.complete()
        blobs.remove_partial(tmp_path)
        assert path.exists()
        os.utime(path, (1, 1))
        blobs.remove_partial(tmp_path)
        assert not path.exists()
