"""Judging results needs neither Tempest, stestr, Docker's SDK nor OpenStack's."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support.bundles import packed
from support.making import NAMES
from support.streams import StreamWriter

ROOT = Path(__file__).parents[3]
WITHOUT = ("docker", "keystoneauth1", "openstack", "stestr", "tempest")
# Runs one command in a process that cannot import what is left out.
BLOCKED = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {WITHOUT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from refstack_client.cli import app
sys.exit(app.main(sys.argv[1:]))
"""
SHEET = "Heading\n-------\none: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*\n"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A directory with results to judge: a bundle, a stream, and a worksheet."""
    (tmp_path / "bundle.zip").write_bytes(packed(tmp_path))
    writer = StreamWriter()
    for name in NAMES:
        writer.test(name, "success")
    (tmp_path / "stream").write_bytes(writer.content)
    (tmp_path / "sheet.txt").write_text(SHEET)
    return tmp_path


def run_blocked(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *arguments],
        cwd=place,
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.parametrize(
    "command",
    [
        "bundle verify bundle.zip --any-signer",
        "bundle show bundle.zip",
        "verdict bundle.zip",
        "verdict stream --programme storage",
        "verdict stream --guideline all --programme storage",
        "report bundle.zip -o r.html -o r.txt -o r.json -o r.xml -o r.csv -o r.xlsx",
        "explain 058 bundle.zip",
        "diff bundle.zip stream --all",
        "guideline list",
        "guideline show 2020.06",
        "guideline tests 2020.06",
        "guideline check 2020.06",
        "guideline diff 2019.11 2020.06",
        "guideline timeline",
        "guideline convert 2019.11",
        "capability list",
        "capability show objectstore-object-get --programme storage",
        "capability explain objectstore-object-get",
        "score show sheet.txt",
        "score criteria",
        "score what-if sheet.txt --cutoff 70",
        "score export sheet.txt --csv out.csv",
        "--help",
        "help",
        "help verdict",
        "server --help",
    ],
)
def test_judging_imports_nothing_that_runs_tests(results, command):
    arguments = command.split()
    if arguments[0] == "explain":
        arguments[1] = NAMES[0].partition("[")[0]
    done = run_blocked(results, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout or arguments[0] == "report"


@pytest.mark.parametrize(
    ("command", "missing"), [("certify", "openstack"), ("container build", "docker")]
)
def test_a_command_names_the_package_that_is_missing(tmp_path, command, missing):
    done = run_blocked(tmp_path, *command.split())
    assert done.returncode == 5
    assert "is not installed" in done.stderr
    assert 'pip install "refstack-client"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_what_verifying_needs_is_pinned_and_is_enough(results, tmp_path):
    place = tmp_path / "venv"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    hashed = ["--require-hashes", "-r", ROOT / "requirements-verify.txt"]
    subprocess.run([*pip, *hashed], check=True)
    subprocess.run([*pip, "--no-deps", ROOT], check=True)
    environ = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}"}

    def run(*arguments: str) -> str:
        command = [place / "bin" / "refstack-client", *arguments]
        return subprocess.run(
            command, cwd=results, env=environ, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    for name in WITHOUT:
        tried = subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True)
        assert tried.returncode, name
    assert "| signature" in run("bundle", "verify", "bundle.zip", "--any-signer")
    assert "CONFORMANT" in run("verdict", "bundle.zip")
    assert "certify" in run("--help")
