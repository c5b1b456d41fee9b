"""The environment of Tempest's processes."""

from pathlib import Path

from refstack_client.tempest.workspace import Workspace


def test_no_password_is_in_the_environment_of_tempest(monkeypatch):
    monkeypatch.setenv("OS_PASSWORD", "canary")
    monkeypatch.setenv("PGPASSWORD", "canary")
    monkeypatch.setenv("https_proxy", "http://user:canary@proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    environ = Workspace(Path("/tmp/refstack-client-x")).environ()
    assert not [name for name, value in environ.items() if "canary" in value]
    assert environ["http_proxy"] == "http://proxy.example:3128"
