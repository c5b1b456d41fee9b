"""Judging results needs neither Tempest, stestr, Docker's SDK nor OpenStack's."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support.bundles import make_key, packed
from support.making import NAMES
from support.streams import StreamWriter

ROOT = Path(__file__).parents[3]
WITHOUT = ("docker", "keystoneauth1", "openstack", "psutil", "stestr", "tempest", "tenacity")
# Runs commands in a process that cannot import what is left out; prints how each ended.
BLOCKED = f"""
import contextlib, io, json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {WITHOUT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from refstack_client.cli import app

def run(command):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = app.main(command.split())
        except SystemExit as end:
            code = end.code or 0
    return code, out.getvalue(), err.getvalue()

print(json.dumps({{command: run(command) for command in sys.argv[1:]}}))
"""
TEST = NAMES[0].partition("[")[0]
COMMANDS = {
    "bundle verify bundle.zip --any-signer": 0,
    "bundle show bundle.zip": 0,
    "bundle challenge --for key.pub --key certifier --certifier Foundation": 0,
    "bundle statement bundle.zip --any-signer --key key -o s.json": 0,
    "verdict bundle.zip": 0,
    "verdict stream --programme storage": 0,
    "verdict stream --guideline all --programme storage": 0,
    "report bundle.zip -o r.html -o r.txt -o r.json -o r.xml -o r.csv -o r.xlsx": 0,
    f"explain {TEST} bundle.zip": 0,
    "diff bundle.zip stream --all": 0,
    "guideline list": 0,
    "guideline show 2020.06": 0,
    "guideline tests 2020.06": 0,
    "guideline check 2020.06": 4,  # it breaks rules of the process
    "guideline diff 2019.11 2020.06": 0,
    "guideline timeline": 0,
    "guideline convert 2019.11": 0,
    "capability list": 0,
    "capability show objectstore-object-get --programme storage": 0,
    "capability explain objectstore-object-get": 0,
    "score show sheet.txt": 0,
    "score criteria": 0,
    "score what-if sheet.txt --cutoff 70": 0,
    "score export sheet.txt --csv out.csv": 0,
    "--help": 0,
    "help": 0,
    "help verdict": 0,
    "server --help": 0,
}
WITHOUT_OUTPUT = ("report", "bundle challenge", "bundle statement")
"""What these write is in files."""
MISSING = (
    "certify",
    "container build",
    "help test",
    "plan",
    "sandbox down",
    "bundle challenge request --for key.pub",
    "bundle upload bundle.zip",
    "results list",
    "server login https://refstack.example.org --key key --user alice",
)
SHEET = "Heading\n-------\none: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with results to judge: a bundle, a stream, and a worksheet."""
    place = tmp_path_factory.mktemp("results")
    (place / "bundle.zip").write_bytes(packed(place))
    writer = StreamWriter()
    for name in NAMES:
        writer.test(name, "success")
    (place / "stream").write_bytes(writer.content)
    for name in ("key", "certifier"):
        make_key(place / name)
    (place / "sheet.txt").write_text(SHEET)
    return place


@pytest.fixture(scope="module")
def ends(results: Path) -> dict[str, tuple[int, str, str]]:
    """Exit code, standard output and standard error of each command."""
    command = [sys.executable, "-c", BLOCKED, *COMMANDS, *MISSING]
    done = subprocess.run(command, cwd=results, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_judging_imports_nothing_that_runs_tests(ends, command):
    code, out, err = ends[command]
    assert code == COMMANDS[command], err
    assert "is not installed" not in err
    assert out or command.startswith(WITHOUT_OUTPUT)


@pytest.mark.parametrize("command", MISSING)
def test_a_command_names_the_package_that_is_missing(ends, command):
    code, _, err = ends[command]
    assert code == 5
    assert "is not installed" in err
    assert 'hint:  pip install "refstack-client"' in err


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
