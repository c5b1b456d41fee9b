"""Files are whole or absent."""

import stat

import pytest

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
