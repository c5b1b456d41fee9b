"""Files are read in bounded memory."""

from pathlib import Path

import pytest

from capabilities import file_content


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_a_file_up_to_the_limit_is_read(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert file_content.read(path, 100) == b"x" * size


@pytest.mark.parametrize("large", [True, False], ids=["file", "device"])
def test_what_is_larger_is_refused(tmp_path, large):
    path = tmp_path / "file" if large else Path("/dev/zero")
    if large:
        path.write_bytes(b"x" * 101)
    with pytest.raises(OSError, match="larger than 100 bytes"):
        file_content.read(path, 100)
