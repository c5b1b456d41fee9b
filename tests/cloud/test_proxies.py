"""A real Keystone behind a proxy that requires user and password, beside a Swift without."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.certifying import (
    CERTIFY,
    CLIENT,
    assert_no_secret_is_left,
    only_run,
    run,
    tenants_of,
)
from support.proxies import Proxy, proxy

from refstack_client.outcomes.run_directory import Run
from refstack_client.sandbox.state import Sandbox

pytestmark = pytest.mark.cloud
PASSWORD = "p@ss:w/rd"
STORAGE = ("--programme", "storage", "--os-cloud", "sandbox")
COMMANDS = (
    (CLIENT, "cloud", "check", *STORAGE),
    (CLIENT, "plan", *STORAGE),
    (*CERTIFY, "--os-cloud", "sandbox"),
)


@pytest.fixture
def cloud_name(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have clouds.yaml name the sandbox's Keystone by a host name that resolves nowhere."""
    clouds = tmp_path / "clouds.yaml"
    text = sandbox.clouds_yaml.read_text()
    assert "auth_url: http://127.0.0.1:" in text
    clouds.write_text(
        text.replace("auth_url: http://127.0.0.1:", "auth_url: http://cloud.invalid:")
    )
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    return "cloud.invalid"


@pytest.fixture
def the_proxy(cloud_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with proxy({cloud_name: "127.0.0.1"}, f"me:{PASSWORD}") as found:
        monkeypatch.setenv("http_proxy", found.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield found


@pytest.mark.long
def test_a_certification_uses_the_proxy_for_the_hosts_that_need_it(
    place, sandbox, the_proxy, cloud_name
):
    done = run(*CERTIFY, "--os-cloud", "sandbox", "--mode", "quick")
    assert "19/19 tests passed" in done.stdout, done.stdout + done.stderr
    tokens = [request for request in the_proxy.forwarded if request.startswith("POST")]
    assert len(tokens) > 20
    assert {request.partition(" ")[2].partition(":")[0] for request in the_proxy.forwarded} == {
        cloud_name
    }
    assert the_proxy.refused == []
    assert_no_secret_is_left(place, [PASSWORD, quote(PASSWORD, safe=":")])
    kept = Run(only_run(place)).tempest_conf.read_text()
    assert f"/http://{cloud_name}:" in kept
    assert "proxy_url = http://127.0.0.1:" in kept
    assert tenants_of(sandbox) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://me:wrong-word@127.0.0.1:{port}", "it requires a valid user and password"),
        ("http://127.0.0.1:1", "cannot connect to the proxy http://127.0.0.1:1, by which"),
        ("socks5://me:wrong-word@127.0.0.1:1", "is not the URL of an HTTP proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_reported_in_the_same_words_by_every_command(
    place, the_proxy, monkeypatch, url, expected
):
    monkeypatch.setenv("http_proxy", url.format(port=the_proxy.port))
    for command in COMMANDS:
        done = run(*command)
        output = " ".join((done.stdout + done.stderr).split())
        assert (done.returncode, expected in output) == (3 if "check" in command else 5, True), (
            output
        )
        assert "wrong-word" not in output
    assert not (place / "a place" / "runs").exists() or not any(
        (place / "a place" / "runs").iterdir()
    )


def test_config_show_shows_what_lasts_longer_than_a_relay(place, the_proxy, cloud_name):
    for more in ((), ("--provision",)):
        shown = run(CLIENT, "config", "show", "--origin", *STORAGE, *more).stdout
        assert f"uri_v3 = http://{cloud_name}:" in shown
        assert f"relay to http://127.0.0.1:{the_proxy.port}" in shown
        assert "proxy_url" not in shown
        assert PASSWORD not in shown
