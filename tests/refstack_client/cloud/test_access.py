"""By which proxy a URL is reached, and how messages show it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.cloud import access, failures
from refstack_client.errors import CloudError

CLOUD = "http://cloud.example.org:5000/v3"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ""),
        ({"http_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "proxy.example.org:3128"}, "http://proxy.example.org:3128"),
        ({"all_proxy": "https://me:a%40b@proxy"}, "https://me:a%40b@proxy"),
        ({"https_proxy": "http://proxy:3128"}, ""),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "example.org"}, ""),
        (
            {"http_proxy": "http://proxy:3128", "no_proxy": "cloud.example.org:443"},
            "http://proxy:3128",
        ),
    ],
)
def test_the_environment_names_the_proxy_of_each_url(monkeypatch, environ, expected):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert access.proxy_of(CLOUD) == expected


@pytest.mark.parametrize("proxy", ["socks5://me:secret@proxy:1080", "proxy:3128", "http://[::1"])
def test_what_is_not_an_http_proxy_is_refused_without_its_password(monkeypatch, proxy):
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(CloudError, match="is not the URL of an HTTP proxy") as raised:
        access.proxy_of(CLOUD)
    assert "secret" not in str(raised.value)


def test_a_text_that_is_not_a_url_has_no_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert access.proxy_of("http://[::1") == ""


def test_messages_name_each_proxy_once_without_user_and_password(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy:3128")
    monkeypatch.setenv("no_proxy", "swift.example.org")
    urls = (CLOUD, "http://swift.example.org/", "http://nova.example.org/")
    assert access.proxies_of(urls) == ("http://proxy:3128",)
    assert access.by_proxy(CLOUD) == ", by the proxy http://proxy:3128"
    assert access.by_proxy(urls[1]) == ""


@given(st.text(), st.text(), st.sampled_from(["", "http://", "https://"]))
def test_no_part_of_user_and_password_is_shown(user, password, scheme):
    shown = access.without_user(f"{scheme}{user}:{password}@proxy:3128")
    assert shown == f"{scheme}proxy:3128" or "://" in f"{user}:{password}"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Proxy Authentication Required (HTTP 407)", "it requires a valid user and password"),
        ("OSError('Tunnel connection failed: 407 No')", "it requires a valid user and password"),
        (
            "OSError('Tunnel connection failed: 503 Down')",
            f"the proxy http://proxy:3128 does not connect to {CLOUD}: 503 Down",
        ),
        (
            "ProxyError('Unable to connect to proxy', …)",
            f"cannot connect to the proxy http://proxy:3128, by which {CLOUD} is reached",
        ),
        ("Bad Gateway (HTTP 502)", f"cannot use {CLOUD}, by the proxy http://proxy:3128: Bad"),
    ],
)
def test_an_error_of_a_proxy_is_reported_as_one(monkeypatch, reason, expected):
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy:3128")
    error = failures.connect_error(failures.FAILURES[1](reason), "mine", CLOUD)
    assert expected in str(error)
    assert "secret" not in str(error)
