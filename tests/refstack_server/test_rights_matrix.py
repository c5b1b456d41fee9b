"""Each route, requested by each role for each state of its object: who is let in and who is not.

A role is a letter: ``a`` anonymous, ``s`` another signed-in user, ``o`` the owner of the result,
``m`` another user of the vendor, ``f`` the Foundation.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import fastapi.routing
import pytest
import requests
from itsdangerous import TimestampSigner
from sqlalchemy.orm import Session
from support.bundles import make_key, registered
from support.making import BEGIN, make_run
from support.serving import (
    Person,
    Server,
    add_user,
    join,
    new_id,
    official_vendor_of,
    person,
    product_of,
    serving,
    user_path,
    vendor_of,
)

from refstack_client.bundle import archive, pack
from refstack_client.bundle.contents import Bundle
from refstack_server import app
from refstack_server.settings import Settings
from refstack_server.store import database, sessions
from refstack_server.web.signin import COOKIE

ALL, USERS, TEAM, CERTIFIER = "asmof", "smof", "mo", "f"
HIDDEN = (401, 403, 404)
CSRF = "token-of-the-form"
HOURS = itertools.count()
"""Each bundle is of another run."""


@dataclass(frozen=True)
class Site:
    """A server, its users by role, and the key with which the owner signs bundles."""

    server: Server
    people: dict[str, Person | None]
    place: Path

    def call(self, role: str, method: str, path: str, **more) -> requests.Response:
        return self.server.call(method, path, self.people[role], allow_redirects=False, **more)

    def must(self, role: str, method: str, path: str, **more) -> requests.Response:
        answer = self.call(role, method, path, **more)
        assert answer.ok, answer.text
        return answer

    def browser(self, role: str) -> dict[str, str]:
        """Return the cookie of a signed-in browser."""
        who = self.people[role]
        if who is None:
            return {}
        engine = database.writer(database.connect(f"sqlite:///{self.server.data}/refstack.sqlite"))
        with Session(engine) as session:
            secret = sessions.start(session, who.openid)
            session.commit()
        engine.dispose()
        content = json.dumps({"session": secret, "csrf": CSRF}).encode()
        signer = TimestampSigner((self.server.data / "secret").read_text())
        return {COOKIE: signer.sign(base64.b64encode(content)).decode()}


@dataclass(frozen=True)
class Objects:
    """What a request is about: a vendor, its product, and a result of it, in some states."""

    site: Site
    result_state: str = "private"
    vendor_state: str = "private"

    @cached_property
    def vendor_id(self) -> str:
        site = self.site
        owner, foundation = site.people["o"], site.people["f"]
        if self.vendor_state == "official":
            made = official_vendor_of(site.server, owner, foundation)
        else:
            made = vendor_of(site.server, owner)
        join(site.server, made, owner, site.people["m"])
        if self.vendor_state == "pending":
            site.must("o", "POST", f"/v1/vendors/{made}/action", json={"register": True})
        return made

    @cached_property
    def product_id(self) -> str:
        made = product_of(self.site.server, self.site.people["o"], self.vendor_id)
        if self.vendor_state == "official":
            self.site.must("o", "PUT", f"/v1/products/{made}", json={"public": True})
        return made

    @cached_property
    def version_id(self) -> str:
        path = f"/v1/products/{self.product_id}/versions"
        return self.site.must("o", "POST", path, json={"version": new_id()}).json()["id"]

    @cached_property
    def result_id(self) -> str:
        """A bundle of the owner, attached to the version."""
        run = make_run(self.site.place / "runs", started=BEGIN + timedelta(hours=next(HOURS)))
        members = pack.make(pack.of_run(run), anonymous=False, attested={})
        content = archive.pack(pack.signed(members, self.site.place / "key"))
        made = self.site.must("o", "POST", "/v2/bundles", data=content).json()["id"]
        version = {"product_version_id": self.version_id}
        self.site.must("o", "PUT", f"/v1/results/{made}", json=version)
        for key, value in (("guideline", "2020.06"), ("target", "object")):
            self.site.must("o", "POST", f"/v1/results/{made}/meta/{key}", data=value)
        with_ = {
            "submitted": "certifier",
            "published": "everybody",
            "with a bundle": "everybody",
        }.get(self.result_state)
        if with_:
            self.site.must("o", "PUT", f"/v2/results/{made}/sharing", json={"with": with_})
        if self.result_state == "with a bundle":
            copy = pack.signed(pack.anonymised(Bundle(members)), self.site.place / "key")
            path = f"/v2/results/{made}/public-bundle"
            self.site.must("o", "PUT", path, data=archive.pack(copy))
        return made


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("matrix")
    people = {name: person(name) for name in ("stranger", "member", "owner", "foundation")}
    data = place / "data"
    for name, who in people.items():
        add_user(data, who, is_foundation=name == "foundation")
    limits = ("--requests-per-minute", "0", "--uploads-per-minute", "0")
    with serving(data, *limits) as server:
        registered(server, people["owner"], make_key(place / "key"))
        yield Site(server, {"a": None, **{name[0]: who for name, who in people.items()}}, place)


Body = dict[str, object]
States = dict[str, str]
READ: States = {"private": TEAM, "submitted": f"{TEAM}f", "published": ALL}
SEE_ALL: States = {"private": TEAM, "submitted": f"{TEAM}f", "published": f"{TEAM}f"}
CHANGE: States = dict.fromkeys(READ, TEAM)
REMOVE: States = {**CHANGE, "published": f"{TEAM}f"}
NO_BUNDLE: States = dict.fromkeys(READ, "")
PUBLIC_BUNDLE: States = {**NO_BUNDLE, "with a bundle": ALL}
WITHDRAW_BUNDLE: States = {**NO_BUNDLE, "with a bundle": TEAM}
VERIFY: States = {"private": "", "submitted": "", "published": CERTIFIER}
VENDOR: States = {"private": f"{TEAM}f", "pending": f"{TEAM}f", "official": ALL}
MANAGE: States = dict.fromkeys(VENDOR, f"{TEAM}f")
PRODUCT: States = {"private": f"{TEAM}f", "official": ALL}
APPROVE: States = dict.fromkeys(VENDOR, CERTIFIER)
INVITE: States = dict.fromkeys(VENDOR, TEAM)


def anyone(roles: str) -> States:
    return {"": roles}


FORM = {"csrf": CSRF}
NAMED: Body = {"json": {"name": "A name"}}
TABLE: dict[tuple[str, str], tuple[States, Body]] = {
    ("GET", "/v1/results/{result_id}"): (READ, {}),
    ("PUT", "/v1/results/{result_id}"): (CHANGE, {"json": {"product_version_id": None}}),
    ("DELETE", "/v1/results/{result_id}"): (REMOVE, {}),
    ("GET", "/v1/results/{result_id}/meta"): (READ, {}),
    ("GET", "/v1/results/{result_id}/meta/{key}"): (READ, {}),
    ("POST", "/v1/results/{result_id}/meta/{key}"): (CHANGE, {"data": "compute"}),
    ("DELETE", "/v1/results/{result_id}/meta/{key}"): (CHANGE, {}),
    ("GET", "/v2/results/{result_id}"): (READ, {}),
    ("GET", "/v2/results/{result_id}/verdict"): (READ, {}),
    ("GET", "/v2/results/{result_id}/outcomes"): (READ, {}),
    ("GET", "/v2/results/{result_id}/bundle"): (SEE_ALL, {}),
    ("GET", "/v2/results/{result_id}/public-bundle"): (PUBLIC_BUNDLE, {}),
    ("PUT", "/v2/results/{result_id}/public-bundle"): (CHANGE, {"data": b"no bundle"}),
    ("DELETE", "/v2/results/{result_id}/public-bundle"): (WITHDRAW_BUNDLE, {}),
    ("GET", "/results/{result_id}/bundle.zip"): (PUBLIC_BUNDLE, {}),
    ("GET", "/mine/{result_id}/public-bundle"): (CHANGE, {}),
    ("POST", "/mine/{result_id}/public-bundle"): (CHANGE, {"data": FORM}),
    ("POST", "/mine/{result_id}/public-bundle/withdraw"): (WITHDRAW_BUNDLE, {"data": FORM}),
    ("GET", "/v2/results/{result_id}/compared/{other_id}"): (READ, {}),
    ("PUT", "/v2/results/{result_id}/sharing"): (CHANGE, {"json": {"with": "nobody"}}),
    ("PUT", "/v2/results/{result_id}/verification"): (VERIFY, {"json": {}}),
    ("POST", "/v2/results/{result_id}/revocation"): (
        {"private": "", "submitted": CERTIFIER, "published": CERTIFIER},
        {"json": {"why": "a reason"}},
    ),
    ("GET", "/results/{result_id}"): (READ, {}),
    ("GET", "/results/{result_id}/tests.csv"): (READ, {}),
    ("GET", "/results/{result_id}/badge.svg"): (READ, {}),
    ("GET", "/compared"): (READ, {}),
    ("GET", "/mine/{result_id}/bundle"): (SEE_ALL, {}),
    ("POST", "/mine/{result_id}/share"): (CHANGE, {"data": {**FORM, "with": "nobody"}}),
    ("POST", "/queue/{result_id}/verify"): (VERIFY, {"data": FORM}),
    ("POST", "/queue/{result_id}/revoke"): (
        {"private": "", "submitted": CERTIFIER, "published": CERTIFIER},
        {"data": {**FORM, "why": "x"}},
    ),
    ("GET", "/queue/{result_id}"): (
        {"private": "", "submitted": CERTIFIER, "published": CERTIFIER},
        {},
    ),
    ("GET", "/mine/{result_id}/share"): (CHANGE, {"params": {"with": "nobody"}}),
    ("GET", "/mine/{result_id}/delete"): (REMOVE, {}),
    ("POST", "/mine/{result_id}/delete"): (REMOVE, {"data": FORM}),
    ("POST", "/mine/{result_id}/attach"): (CHANGE, {"data": FORM}),
    ("GET", "/v1/vendors/{vendor_id}"): (VENDOR, {}),
    ("PUT", "/v1/vendors/{vendor_id}"): (MANAGE, {"json": {"description": "x"}}),
    ("DELETE", "/v1/vendors/{vendor_id}"): (MANAGE, {}),
    ("POST", "/v1/vendors/{vendor_id}/action"): (
        APPROVE,
        {"json": {"approve": True}},
    ),
    ("GET", "/v1/vendors/{vendor_id}/users"): (MANAGE, {}),
    ("PUT", "/v1/vendors/{vendor_id}/users/{encoded}"): (INVITE, {}),
    ("DELETE", "/v1/vendors/{vendor_id}/users/{encoded}"): (MANAGE, {}),
    ("GET", "/vendors/{vendor_id}"): (VENDOR, {}),
    ("GET", "/vendors/{vendor_id}/edit"): (MANAGE, {}),
    ("POST", "/vendors/{vendor_id}/edit"): (MANAGE, {"data": FORM}),
    ("POST", "/vendors/{vendor_id}/registration/{step}"): (MANAGE, {"data": FORM}),
    ("POST", "/vendors/{vendor_id}/users"): (INVITE, {"data": FORM}),
    ("POST", "/vendors/{vendor_id}/users/remove"): (MANAGE, {"data": FORM}),
    ("GET", "/products/new"): (MANAGE, {}),
    ("POST", "/products/new"): (MANAGE, {"data": FORM}),
    ("POST", "/queue/vendors/{vendor_id}/approve"): (
        APPROVE,
        {"data": FORM},
    ),
    ("POST", "/queue/vendors/{vendor_id}/deny"): (
        APPROVE,
        {"data": {**FORM, "why": "x"}},
    ),
    ("GET", "/v1/products/{product_id}"): (PRODUCT, {}),
    ("PUT", "/v1/products/{product_id}"): (dict.fromkeys(PRODUCT, f"{TEAM}f"), NAMED),
    ("DELETE", "/v1/products/{product_id}"): (dict.fromkeys(PRODUCT, f"{TEAM}f"), {}),
    ("GET", "/v1/products/{product_id}/versions"): (PRODUCT, {}),
    ("POST", "/v1/products/{product_id}/versions"): (
        dict.fromkeys(PRODUCT, f"{TEAM}f"),
        {"json": {"version": "9"}},
    ),
    ("GET", "/v1/products/{product_id}/versions/{version_id}"): (PRODUCT, {}),
    ("PUT", "/v1/products/{product_id}/versions/{version_id}"): (
        dict.fromkeys(PRODUCT, f"{TEAM}f"),
        {"json": {"cpid": "x"}},
    ),
    ("DELETE", "/v1/products/{product_id}/versions/{version_id}"): (
        dict.fromkeys(PRODUCT, f"{TEAM}f"),
        {},
    ),
    ("GET", "/products/{product_id}"): (PRODUCT, {}),
    ("POST", "/products/{product_id}/versions"): (
        dict.fromkeys(PRODUCT, f"{TEAM}f"),
        {"data": {**FORM, "version": "9"}},
    ),
    ("GET", "/products/{product_id}/publication"): (
        dict.fromkeys(PRODUCT, f"{TEAM}f"),
        {"params": {"public": "false"}},
    ),
    ("POST", "/products/{product_id}/publication"): (
        dict.fromkeys(PRODUCT, f"{TEAM}f"),
        {"data": {**FORM, "public": "false"}},
    ),
    ("GET", "/v1/profile"): (anyone(USERS), {}),
    ("GET", "/v1/profile/pubkeys"): (anyone(USERS), {}),
    ("POST", "/v1/profile/pubkeys"): (anyone(USERS), {"json": {}}),
    ("POST", "/v1/vendors"): (anyone(USERS), {"json": {}}),
    ("POST", "/v1/products"): (anyone(USERS), {"json": {}}),
    ("GET", "/v2/keys/challenge"): (anyone(USERS), {}),
    ("POST", "/v2/keys"): (anyone(USERS), {"json": {}}),
    ("GET", "/v2/invitations"): (anyone(USERS), {}),
    ("POST", "/v2/streams"): (
        anyone(USERS),
        {"params": {"guideline": "2020.06", "programme": "storage"}},
    ),
    ("GET", "/queue"): (anyone(CERTIFIER), {}),
    ("GET", "/queue/verified"): (anyone(CERTIFIER), {}),
    ("POST", "/vendors/new"): (anyone(USERS), {"data": FORM}),
    ("POST", "/mine/upload"): (anyone(USERS), {"data": FORM}),
    ("POST", "/mine/keys"): (anyone(USERS), {"data": FORM}),
    ("POST", "/signout"): (anyone(USERS), {"data": FORM}),
}
"""The roles that a route lets in, for each state of its object, and the request's body."""

OPEN = {
    *(("GET", path) for path in ("/openapi.json", "/", "/results", "/results.csv", "/vendors")),
    *(("GET", path) for path in ("/guidelines", "/guidelines/{guideline_id}", "/docs", "/health")),
    *(("GET", f"{place}/guidelines/{{before}}/diff/{{after}}") for place in ("", "/v2")),
    *(("GET", f"{place}/capabilities/{{capability_id}}") for place in ("", "/v2")),
    *(("GET", path) for path in ("/metrics", "/v1/guidelines", "/v1/guidelines/{name}")),
    ("GET", "/guidelines/diff"),
    *(("GET", path) for path in ("/v1/guidelines/{name}/tests", "/v1/results", "/v1/vendors")),
    *(("GET", path) for path in ("/v1/results/schema", "/v1/profile/pubkeys/schema")),
    *(("GET", path) for path in ("/v1/products", "/v2/challenges/signers", "/v2/statistics")),
    *(("GET", path) for path in ("/v2/log", "/signin", "/signin/return", "/v2/results")),
    *(("GET", path) for path in ("/favicon.svg", "/robots.txt", "/log", "/feed.atom")),
    *(("GET", path) for path in ("/v2/log/checkpoint", "/v2/log/proofs/inclusion")),
    *(("GET", path) for path in ("/v2/log/key", "/v2/log/proofs/consistency")),
    # An upload belongs to the key that signed it; a challenge is valid for its key alone.
    *(("POST", path) for path in ("/v1/results", "/v2/bundles", "/v2/challenges")),
    ("POST", "/v2/log/cosignatures"),  # The signature of a known witness is what counts.
}
"""Routes for all; what their lists contain is tested in the modules beside this one."""

OF_THE_CALLER = {
    # The redirects to the sign-in.
    *(("GET", path) for path in ("/mine", "/mine/keys", "/vendors/new")),
    # Objects of other users do not exist for the caller: test_rights, test_v1_vendors, test_signin.
    ("DELETE", "/v1/profile/pubkeys/{key_id}"),
    ("POST", "/mine/keys/{key_id}/remove"),
    ("POST", "/mine/invitations/{vendor_id}/{answer}"),
    *((method, "/v2/invitations/{vendor_id}") for method in ("PUT", "DELETE")),
}
"""Routes about the caller alone."""


def routes(place) -> set[tuple[str, str]]:
    settings = Settings(place, "http://x")
    application = app.create(settings, database.open_or_create(settings.database_url))
    return {
        (method, route.path)
        for route in fastapi.routing.iter_route_contexts(application.routes)
        for method in route.methods - {"HEAD"}
    }


def test_the_table_has_every_route(tmp_path):
    assert routes(tmp_path) == TABLE.keys() | OPEN | OF_THE_CALLER


def requested(objects: Objects, path: str) -> str:
    """Return the path of a route for objects."""
    site = objects.site
    values: dict[str, Callable[[], str]] = {
        "result_id": lambda: objects.result_id,
        "other_id": lambda: objects.result_id,
        "key": lambda: "target",
        "vendor_id": lambda: objects.vendor_id,
        "encoded": lambda: user_path("", site.people["m"]).rpartition("/")[2],
        "product_id": lambda: objects.product_id,
        "version_id": lambda: objects.version_id,
        "step": lambda: "register",
    }
    for name, value in values.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", value())
    if path == "/compared":
        path += f"?before={objects.result_id}&after={objects.result_id}"
    if path == "/products/new":
        path += f"?vendor={objects.vendor_id}"
    return path


def state_of(path: str, state: str) -> dict[str, str]:
    return {"result_state" if "result" in path or path == "/compared" else "vendor_state": state}


def is_let_in(answer: requests.Response, path: str) -> bool:
    if path == "/v1/vendors/{vendor_id}/users" and answer.ok:
        return answer.json() is not None
    return answer.status_code not in HIDDEN and "/signin" not in answer.headers.get("location", "")


@pytest.mark.long
@pytest.mark.parametrize(("method", "path"), sorted(TABLE))
def test_a_route_lets_in_the_roles_of_the_table(site, method, path):
    states, body = TABLE[method, path]
    is_form = method == "POST" and not path.startswith(("/v1/", "/v2/"))
    by_state = {}
    for state in states:
        shared = Objects(site, **state_of(path, state) if state else {})
        let_in = ""
        for role in ALL:
            # Each change is of an object of its own.
            objects = (
                shared
                if method == "GET"
                else Objects(site, shared.result_state, shared.vendor_state)
            )
            target = requested(objects, path)
            if is_form:
                cookies = site.browser(role)
                answer = requests.request(
                    method,
                    f"{site.server.url}{target}",
                    cookies=cookies,
                    allow_redirects=False,
                    timeout=60,
                    data={**body["data"], **fields_of(objects, path)},
                )
            else:
                answer = site.call(role, method, target, **body)
            assert answer.status_code < 500, answer.text
            let_in += role if is_let_in(answer, path) else ""
        by_state[state] = let_in
    expected = {state: set(roles) for state, roles in states.items()}
    assert {state: set(roles) for state, roles in by_state.items()} == expected


def fields_of(objects: Objects, path: str) -> dict[str, str]:
    """Return the fields of a form that depend on its object."""
    fields = {"openid": objects.site.people["m"].openid}
    if "{vendor_id}" in path:  # The Foundation decides about the name that its page showed.
        vendor = objects.site.must("f", "GET", f"/v1/vendors/{objects.vendor_id}").json()
        fields["name"] = vendor["name"]
    if path == "/products/new":
        fields["vendor"] = objects.vendor_id
    return fields
