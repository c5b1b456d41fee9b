"""Credentials: where they come from, and the message if they are incomplete."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
import yaml
from support.certifying import CLIENT, run

from refstack_client.cloud import clouds_yaml
from refstack_client.cloud.selection import CloudSelection

pytestmark = pytest.mark.cloud
PLAN = (CLIENT, "plan", "--os-cloud", "sandbox", "--programme", "storage")


@pytest.fixture
def password(sandbox, tmp_path, monkeypatch) -> str:
    """The admin's password, which the clouds.yaml in use lacks."""
    document = yaml.safe_load(sandbox.clouds_yaml.read_text())
    found = document["clouds"]["sandbox"]["auth"].pop("password")
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return found


def on_a_terminal(answer: str) -> tuple[int, str]:
    """Plan on a terminal and answer the prompt; return exit code and output."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        PLAN, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
            if shown.endswith(b"Password: "):
                os.write(ours, answer.encode())
    except OSError:  # the other end of the terminal is closed
        pass
    os.close(ours)
    return started.wait(60), shown.decode()


def test_a_password_that_is_missing_is_asked_for_on_a_terminal_and_never_shown(password):
    code, shown = on_a_terminal(f"{password}\n")
    assert (code, "58 wanted" in shown, password in shown) == (0, True, False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [("\x04", "no password was entered"), ("wrong\n", "refused the credentials")],
)
def test_no_password_or_a_wrong_one_is_said(password, answer, said):
    code, shown = on_a_terminal(answer)
    assert (code, said in shown) == (5, True)


def test_without_a_terminal_a_missing_password_is_said_at_once(password):
    done = run(*PLAN, stdin=subprocess.DEVNULL)
    assert done.returncode == 5
    assert done.stderr.startswith("error: the cloud sandbox has no password")


def test_a_portable_clouds_yaml_holds_one_cloud_and_names_its_files_where_they_will_be(
    sandbox, tmp_path, monkeypatch
):
    document = yaml.safe_load(sandbox.clouds_yaml.read_text())
    document["clouds"]["sandbox"]["cacert"] = str(tmp_path / "ca.crt")
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    portable = clouds_yaml.portable(CloudSelection("sandbox"), "/elsewhere")
    assert portable.name == "sandbox"
    (config,) = portable.clouds_yaml["clouds"].values()
    assert config["auth"] == document["clouds"]["sandbox"]["auth"]
    assert config["cacert"] == "/elsewhere/cacert.pem"
    assert portable.files == {"cacert.pem": tmp_path / "ca.crt"}
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(Path("/nosuch")))
    for key, value in document["clouds"]["sandbox"]["auth"].items():
        monkeypatch.setenv(f"OS_{key.upper()}", value)
    from_environment = clouds_yaml.portable(CloudSelection(), "/elsewhere").clouds_yaml
    assert from_environment["clouds"]["envvars"]["auth"] == config["auth"]
