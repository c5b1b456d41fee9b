"""The public API of the package: every name is there, and none costs more than it must."""

import ast
import runpy
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from support.bundles import make_key, packed
from support.making import STORAGE, make_run

import refstack_client

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
CLOUD = ("openstack", "keystoneauth1", "tempest", "stestr", "docker", "cliff")


@pytest.mark.parametrize("name", refstack_client.__all__)
def test_each_public_name_is_there(name):
    assert getattr(refstack_client, name) is not None
    assert name in dir(refstack_client)


def test_names_for_type_checkers_are_those_that_are_imported():
    tree = ast.parse(Path(refstack_client.__file__).read_text())
    imports = {
        (alias.asname or alias.name): (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0
        for alias in node.names
    }
    declared = {name: home for name, home in imports.items() if name in refstack_client.__all__}
    assert declared == refstack_client._HOMES
    assert sorted(declared) == sorted(refstack_client.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = refstack_client.nonsense


@pytest.mark.parametrize(
    "statement",
    [
        "import refstack_client",
        "from refstack_client import judge, read_stream, text_report, html_report, junit_report",
        "from refstack_client import open_results, verify_bundle, make_bundle",
    ],
)
def test_judging_results_imports_no_code_for_clouds(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & set(CLOUD)


def test_the_names_work_together(tmp_path):
    run = make_run(tmp_path / "runs")
    results = refstack_client.open_results(run.directory)
    verdict = results.judge(results.programme(None))
    assert refstack_client.headline(verdict).startswith("CONFORMANT")
    stream = refstack_client.read_stream(run.stream)
    assert refstack_client.judge(STORAGE, stream).conformance == verdict.conformance
    assert list(refstack_client.text_report(verdict))[-1] == refstack_client.headline(verdict)
    assert refstack_client.headline(verdict).split("  ")[0] in refstack_client.html_report(verdict)
    assert b"<testsuite" in refstack_client.junit_report(verdict)
    members = refstack_client.make_bundle(refstack_client.run_source(run))
    assert refstack_client.Bundle(members).verdict == verdict


@pytest.mark.parametrize(
    "package", ["capabilities", "scoring", "refstack_client", "refstack_server"]
)
def test_each_package_is_marked_as_typed(package):
    assert (resources.files(package) / "py.typed").is_file()


def test_the_example_writes_a_report(samples, tmp_path, capsys, monkeypatch):
    report = tmp_path / "report.html"
    arguments = ["", str(samples / "storage-swift-stopped.subunit"), str(report)]
    monkeypatch.setattr("sys.argv", arguments)
    runpy.run_path(str(EXAMPLES / "api_report.py"))
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "NOT CONFORMANT  OpenStack Powered Storage  2020.06  25/58 required tests"
    assert "NOT CONFORMANT" in report.read_text()


def test_the_example_verifies_a_bundle(tmp_path, capsys, monkeypatch):
    key = make_key(tmp_path / "key")
    bundle, signers = tmp_path / "b.zip", tmp_path / "allowed_signers"
    bundle.write_bytes(packed(tmp_path, key))
    signers.write_text(f"alice@example.org {key.with_suffix('.pub').read_text()}")
    monkeypatch.setattr("sys.argv", ["", str(bundle), str(signers)])
    runpy.run_path(str(EXAMPLES / "api_bundle.py"))
    first, *checks, last = capsys.readouterr().out.splitlines()
    assert first == "58 tests, not verified"
    assert all(": passed: " in check for check in checks)
    assert last == "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"
