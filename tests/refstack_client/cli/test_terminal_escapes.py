"""What a cloud or a bundle of others contains cannot control the terminal."""

import json

import pytest
from support.making import NAMES, make_run

from refstack_client.bundle import archive, contents
from refstack_client.cli.app import main

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe"
TEST = NAMES[0].partition("[")[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    """The directory of a run whose cloud answered with escape sequences."""
    made = make_run(
        tmp_path_factory.mktemp("run"),
        lambda name: "fail" if name == NAMES[0] else "success",
        traceback=f"Traceback:\ntempest.lib.exceptions.ServerFault: {ESCAPES}\n",
        pythonlogging=f"Request (T:t): 500 GET http://k.example/{ESCAPES}\n    Body: {ESCAPES}\n",
    )
    return str(made.directory)


@pytest.fixture(scope="module")
def bundle(run, tmp_path_factory) -> str:
    """A bundle of it, whose manifest has them too."""
    path = tmp_path_factory.mktemp("bundle") / "b.zip"
    assert main(["bundle", "create", run, "-o", str(path)]) == 0
    members = archive.read(path)
    manifest = json.loads(members[contents.MANIFEST])
    manifest["versions"] = {"tempest": ESCAPES}
    manifest["cpid"] = ESCAPES
    path.write_bytes(archive.pack({**members, contents.MANIFEST: json.dumps(manifest).encode()}))
    return str(path)


@pytest.mark.parametrize(
    "command",
    [
        ["verdict", "RUN"],
        ["verdict", "RUN", "--guideline", "all"],
        ["explain", TEST, "RUN"],
        ["diff", "RUN", "RUN"],
        ["verdict", "BUNDLE"],
        ["explain", TEST, "BUNDLE"],
        ["bundle", "show", "BUNDLE"],
        ["bundle", "show", "BUNDLE", "-f", "value"],
        ["bundle", "verify", "BUNDLE", "--any-signer"],
        ["verdict", f"no{ESCAPES}"],
        ["guideline", "check", f"no{ESCAPES}"],
    ],
)
def test_no_command_prints_a_control_character(run, bundle, capsys, command):
    main([{"RUN": run, "BUNDLE": bundle}.get(word, word) for word in command])
    printed = capsys.readouterr()
    shown = (printed.out + printed.err).replace("\n", "").replace("\t", "")
    assert shown
    assert [character for character in shown if not character.isprintable()] == []
