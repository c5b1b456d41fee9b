"""Requests as browsers send them, and a script that must not run."""

import re

import requests

from support.identities import Provider
from support.serving import Person, Server, add_user, person

HTML = {"Accept": "text/html,*/*;q=0.8"}
EVIL = "<script>alert(1)</script>"


def get(server, path, **filters):
    return server.call("GET", path, headers=HTML, params=filters)


def signed_in(served: Server, provider: Provider, name: str) -> requests.Session:
    """Return a browser with a session of a user."""
    provider.subject = name
    browser = requests.Session()
    browser.headers["Accept"] = "text/html"
    page = browser.get(f"{served.url}/mine", timeout=30)
    assert page.url == f"{served.url}/mine"
    assert f"{provider.url}/{name}" in page.text
    return browser


def signed_in_for_the_foundation(served: Server, provider: Provider) -> requests.Session:
    """Return a browser with a session of a user of the Foundation."""
    chief = person("root")
    add_user(served.data, Person(f"{provider.url}/root", chief.key), is_foundation=True)
    return signed_in(served, provider, "root")


def csrf(browser: requests.Session, served: Server, path: str = "/mine") -> str:
    page = browser.get(f"{served.url}{path}", timeout=30).text
    return re.search(r'name="csrf" value="([^"]+)"', page)[1]


def post(browser, served, path, **fields):
    return browser.post(f"{served.url}{path}", data=fields, timeout=60)
