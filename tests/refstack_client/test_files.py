"""Files are whole or absent."""

import errno
import os
import stat

import pytest

from refstack_client import files
from refstack_client.errors import InputError
from refstack_client.files import read_json, write_json, write_private, write_text


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_private_file_is_its_owners_alone(tmp_path):
    write_private(tmp_path / "file", "secret")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_json_comes_back_as_it_was(tmp_path):
    write_json(tmp_path / "file", {"é": [1, None]})
    assert read_json(tmp_path / "file", default=None) == {"é": [1, None]}
    assert read_json(tmp_path / "gone", default={}) == {}


@pytest.mark.parametrize("has_files_without_name", [True, False])
def test_a_new_private_file_appears_once_it_is_complete(
    tmp_path, monkeypatch, has_files_without_name
):
    def open_(path, flags, mode=0o777):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return real(path, flags, mode)

    real = os.open
    if not has_files_without_name:  # as on a network file system
        monkeypatch.setattr(os, "open", open_)
    path = tmp_path / "new"
    with files.new_private(path) as file:
        file.write(b"content")
        assert not path.exists()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"content", 0o600)
    with pytest.raises(InputError, match="exists"), files.new_private(path):
        pass
    other = tmp_path / "other"
    with pytest.raises(InputError, match="exists"), files.new_private(other):
        other.write_bytes(b"of another process")
    with pytest.raises(KeyError), files.new_private(tmp_path / "third"):
        raise KeyError
    assert other.read_bytes() == b"of another process"
    assert {path.name for path in tmp_path.iterdir()} == {"new", "other"}
