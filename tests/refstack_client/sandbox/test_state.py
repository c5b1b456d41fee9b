"""The directory of a sandbox: its name, what is recorded in it, what may be removed."""

import json
from pathlib import Path

import pytest

from refstack_client.errors import MachineError, UsageError
from refstack_client.sandbox import lifecycle, services, state


def start(root: Path, name: str = "box", profile: str = "storage") -> state.Sandbox:
    """Record the settings of a sandbox as its first start does."""
    sandbox = state.find(root, name, profile)
    sandbox.state.mkdir(parents=True)
    state.save(sandbox, state.Settings(profile, {"keystone": 5000}, state.new_secrets()))
    return sandbox


@pytest.mark.parametrize(
    "name", ["..", ".", "../other", "/etc", "a/b", ".hidden", "environments", "box.lock"]
)
def test_a_name_that_leaves_the_root_or_is_reserved_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="is not a valid name"):
        state.find(tmp_path, name, None)


def test_the_settings_are_read_as_they_were_recorded(tmp_path):
    sandbox = start(tmp_path)
    assert state.ports(sandbox) == {"keystone": 5000}
    assert state.load(sandbox).secrets == state.secrets(sandbox)
    assert sandbox.settings_file.stat().st_mode & 0o077 == 0


def test_no_secret_is_shown_by_repr():
    secrets = state.new_secrets()
    shown = repr(state.Settings("storage", {}, secrets))
    assert not [value for value in vars(secrets).values() if value in shown]


def test_the_recorded_profile_applies_also_to_a_name_that_is_a_profile(tmp_path):
    start(tmp_path, "storage", "platform")
    assert state.find(tmp_path, None, None).profile.name == "platform"
    with pytest.raises(UsageError, match="exists with the profile platform, not storage"):
        state.find(tmp_path, None, "storage")


def test_guests_are_decided_at_the_first_start(tmp_path):
    fresh = state.find(tmp_path, "box", "compute", guests=True)
    assert fresh.profile.guests
    assert "validation.run_validation=true" in fresh.profile.tempest
    plain = start(tmp_path, profile="compute")
    assert not plain.profile.guests
    with pytest.raises(UsageError, match="the sandbox box exists with no guests"):
        state.find(tmp_path, "box", None, guests=True)
    state.save(fresh, state.Settings("compute", {}, state.new_secrets(), guests=True))
    assert state.find(tmp_path, "box", None).profile == fresh.profile


def test_a_profile_without_servers_has_no_guests(tmp_path):
    with pytest.raises(UsageError, match="profile storage has no servers"):
        state.find(tmp_path, None, None, guests=True)


def test_a_sandbox_is_the_same_by_way_of_a_symbolic_link(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "link").symlink_to("root")
    assert state.find(tmp_path / "link", "box", None) == state.find(tmp_path / "root", "box", None)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"profile": "storage", "ports": {}, "secrets": {"password": "x"}}']
)
def test_settings_of_another_form_are_reported_and_can_be_removed(content, tmp_path):
    sandbox = start(tmp_path)
    sandbox.settings_file.write_text(content)
    sandbox = state.find(tmp_path, "box", None)
    for action in (services.status, state.secrets):
        with pytest.raises(MachineError, match=r"cannot use .*sandbox\.json") as caught:
            action(sandbox)
        assert f"down --wipe --root {tmp_path} --name box" in caught.value.hint
    lifecycle.wipe(sandbox)
    assert not sandbox.state.exists()


def test_settings_with_a_profile_that_this_version_lacks_are_reported(tmp_path):
    sandbox = start(tmp_path)
    document = json.loads(sandbox.settings_file.read_text())
    sandbox.settings_file.write_text(json.dumps({**document, "profile": "mainframe"}))
    with pytest.raises(MachineError, match="this version has no profile mainframe"):
        services.status(state.find(tmp_path, "box", None))


def test_a_directory_of_the_user_is_neither_used_nor_removed(tmp_path):
    (tmp_path / "documents").mkdir()
    letter = tmp_path / "documents" / "letter"
    letter.write_text("dear")
    sandbox = state.find(tmp_path, "documents", None)
    with pytest.raises(MachineError, match="holds other files"):
        lifecycle.up(sandbox, None, lambda line: None)
    with pytest.raises(UsageError, match="is not a sandbox"):
        lifecycle.wipe(sandbox)
    assert letter.read_text() == "dear"


def test_an_interrupted_start_can_be_wiped(tmp_path):
    sandbox = state.find(tmp_path, "box", None)
    state.create_directories(sandbox)
    (sandbox.state / ".sandbox.json.x1").touch()
    assert lifecycle.wipe(sandbox) == 0
    assert not sandbox.state.exists()


def test_a_sandbox_can_be_an_element_of_a_set(tmp_path):
    assert {start(tmp_path)} == {state.find(tmp_path, "box", None)}


def test_nothing_runs_and_nothing_is_created_under_an_absent_root(tmp_path):
    sandbox = state.find(tmp_path / "absent", None, None)
    assert state.running(tmp_path / "absent") == ()
    assert (lifecycle.down(sandbox), lifecycle.wipe(sandbox)) == (0, 0)
    assert [row.health for row in services.status(sandbox)] == ["stopped"] * 5
    assert list(tmp_path.iterdir()) == []
