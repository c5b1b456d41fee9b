"""Pages that code, messages and other pages name exist."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = re.compile(r"\bdocs/[\w/-]+\.(?:rst|txt|py)\b")


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "*.py", "*.rst", "*.yaml", "Dockerfile*", "Makefile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if names.returncode:
        pytest.skip("the source is not a git checkout")
    return [ROOT / name for name in names.stdout.splitlines()]


def test_pages_that_are_named_exist() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in tracked()
        if path.exists() and path != Path(__file__)
        for name in PAGE.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]

    assert not missing, "\n".join(missing)
