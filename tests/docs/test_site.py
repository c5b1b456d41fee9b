"""The documentation builds without a warning, and its pages load nothing from the network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc=["'](?:https?:)?//|<link[^>]*\shref=["'](?:https?:)?//"""
    r"""|url\(["']?(?:https?:)?//|@import""",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    outcome = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return target


def test_the_command_reference_has_every_command_and_option(site: Path) -> None:
    page = (site / "reference" / "commands" / "certify.html").read_text(encoding="utf-8")

    assert 'id="cmdoption-refstack-client-certify-programme"' in page
    assert "/home/alice/.local/share/refstack-client/sandbox" in page
    assert str(Path.home()) not in page.replace("/home/alice", "")


def test_the_python_api_has_the_public_names(site: Path) -> None:
    page = (site / "reference" / "python-api.html").read_text(encoding="utf-8")

    for name in ("capabilities.Guideline", "capabilities.load", "scoring.judge"):
        assert f'id="{name}"' in page


def test_pages_load_nothing_from_the_network(site: Path) -> None:
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    loading = {
        str(path.relative_to(site))
        for path in files
        if LOADED.search(path.read_text(encoding="utf-8"))
    }

    assert len(files) > 40
    assert not loading
