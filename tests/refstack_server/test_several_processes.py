"""Three servers over one PostgreSQL database, as behind a proxy that chooses one of them."""

import contextlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from support import postgresql
from support.identities import CLIENT_ID, SECRET, providing
from support.serving import Server, add_user, person, serving

from refstack_server.store.audit_log import is_intact

pytestmark = pytest.mark.long
LIMIT = 60


@pytest.fixture
def alice():
    return person("alice")


@pytest.fixture
def servers(tmp_path, postgres, alice) -> Iterator[list[Server]]:
    url = postgresql.new_database(postgres)
    data = tmp_path / "data"
    add_user(data, alice, url)
    (tmp_path / "secret").write_text(SECRET)
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(providing())
        options = [
            *("--database", url, "--uploads-per-minute", str(LIMIT)),
            *("--oidc-issuer", provider.url, "--oidc-client", CLIENT_ID),
            *("--oidc-secret", tmp_path / "secret"),
        ]
        yield [stack.enter_context(serving(data, *options)) for _ in range(3)]


def test_they_count_the_requests_of_a_client_together(servers):
    def upload(number: int) -> int:
        body = {"cpid": "c", "duration_seconds": number, "results": [{"name": "t"}]}
        return servers[number % 3].call("POST", "/v1/results", json=body).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(upload, range(LIMIT + 12)))
    assert statuses.count(201) == LIMIT
    assert statuses.count(429) == 12


def test_a_session_is_one_for_all(servers):
    first, second, third = servers
    browser = requests.Session()
    browser.headers["Accept"] = "text/html"
    page = browser.get(f"{first.url}/mine", timeout=30)
    assert "My results" in page.text
    assert browser.get(f"{second.url}/mine", timeout=30).url == f"{second.url}/mine"
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    copied = dict(browser.cookies)
    browser.post(f"{third.url}/signout", data={"csrf": token}, timeout=30)
    again = requests.get(f"{second.url}/mine", cookies=copied, allow_redirects=False, timeout=30)
    assert again.status_code == 303


def test_the_log_is_one_chain_in_one_order(servers, alice):
    ids = [servers[0].upload(["t"], alice) for _ in range(12)]

    def publish(number: int) -> None:
        for with_ in ("everybody", "nobody"):
            path = f"/v2/results/{ids[number]}/sharing"
            shared = servers[number % 3].call("PUT", path, alice, json={"with": with_})
            assert shared.status_code == 200, shared.text

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(publish, range(12)))
    logs = [server.call("GET", "/v2/log?most=1000").json() for server in servers]
    assert logs[0] == logs[1] == logs[2]
    assert is_intact(logs[0])
    events = [json.loads(entry["text"])["event"] for entry in logs[0]]
    assert events.count("published") == events.count("withdrawn") == 12
