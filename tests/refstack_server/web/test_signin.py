"""Sign-in with a browser, and requests of signed-in users."""

import re
import subprocess

import pytest
import requests
from support.browsing import csrf, post, signed_in
from support.bundles import make_key, packed, proof
from support.identities import SECRET
from support.serving import add_user, person, serving

EVERYBODY, CERTIFIER, NOBODY = ({"with": value} for value in ("everybody", "certifier", "nobody"))


@pytest.fixture
def alice(served, provider):
    return signed_in(served, provider, "alice")


@pytest.fixture(scope="module")
def uploaded(served, provider, tmp_path_factory) -> str:
    """Upload a bundle with alice's browser; return the id of the result."""
    browser = signed_in(served, provider, "alice")
    content = packed(tmp_path_factory.mktemp("bundle"))
    page = browser.post(
        f"{served.url}/mine/upload",
        data={"csrf": csrf(browser, served)},
        files={"bundle": ("b.zip", content)},
        timeout=60,
    )
    assert "Unofficial Results" in page.text, page.text
    return page.url.rpartition("/")[2]


def test_a_bundle_is_uploaded_published_and_withdrawn_with_a_browser(served, alice, uploaded):
    anybody = f"{served.url}/results/{uploaded}"
    assert requests.get(anybody, timeout=30).status_code == 401
    token = csrf(alice, served)
    shown = post(alice, served, f"/mine/{uploaded}/share", csrf=token, **EVERYBODY)
    assert '<span class="badge unofficial">unofficial</span>' in shown.text
    assert requests.get(anybody, timeout=30).status_code == 200
    post(alice, served, f"/mine/{uploaded}/share", csrf=token, **NOBODY)
    assert requests.get(anybody, timeout=30).status_code == 401
    wrong = post(alice, served, f"/mine/{uploaded}/share", csrf=token, **{"with": "enemies"})
    assert wrong.status_code == 400


def test_a_form_without_its_csrf_token_is_refused(served, alice, uploaded):
    for fields in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": "é"}):
        answer = post(alice, served, f"/mine/{uploaded}/share", **EVERYBODY, **fields)
        assert answer.status_code == 403
    assert requests.post(f"{served.url}/mine/{uploaded}/share", timeout=30).status_code == 401
    assert requests.get(f"{served.url}/results/{uploaded}", timeout=30).status_code == 401


def test_a_session_is_valid_for_pages_only(served, alice, uploaded):
    assert alice.get(f"{served.url}/results/{uploaded}", timeout=30).status_code == 200
    assert alice.get(f"{served.url}/v2/results/{uploaded}", timeout=30).status_code == 401
    assert alice.get(f"{served.url}/v1/profile", timeout=30).status_code == 401


def test_results_of_other_users_cannot_be_changed(served, provider, uploaded):
    mallory = signed_in(served, provider, "mallory")
    assert uploaded not in mallory.get(f"{served.url}/mine", timeout=30).text
    token = csrf(mallory, served)
    assert (
        post(mallory, served, f"/mine/{uploaded}/share", csrf=token, **EVERYBODY).status_code == 401
    )
    assert mallory.get(f"{served.url}/queue", timeout=30).status_code == 403
    answer = post(mallory, served, f"/queue/{uploaded}/verify", csrf=token)
    assert answer.status_code == 403


def test_the_cookie_is_httponly_and_samesite(served, provider):
    browser = signed_in(served, provider, "alice")
    answer = browser.get(f"{served.url}/signin", allow_redirects=False, timeout=30)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    (kept,) = browser.cookies
    changed = f"x{kept.value[1:]}"  # The last characters have bits that do not count.
    browser.cookies.set("refstack", changed, domain=kept.domain, path="/")
    assert browser.get(f"{served.url}/mine", allow_redirects=False, timeout=30).status_code == 303


def test_the_first_key_is_registered_with_a_browser_and_removed(served, provider, tmp_path):
    dora = signed_in(served, provider, "dora")
    page = dora.get(f"{served.url}/mine/keys", timeout=30).text
    challenge = re.search(r'name="challenge" value="([^"]+)"', page)[1]
    token = csrf(dora, served, "/mine/keys")
    key = make_key(tmp_path / "key")
    proven = proof(key, challenge)
    # Browsers send pasted text with CRLF.
    pasted = {name: text.replace("\n", "\r\n") for name, text in proven.items()}
    for wrong in ({"challenge": "x"}, {"signature": "x"}, {"key": ""}):
        answer = post(dora, served, "/mine/keys", csrf=token, **{**pasted, **wrong})
        assert answer.status_code == 400
    eve = signed_in(served, provider, "eve")
    of_eve = csrf(eve, served)
    assert post(eve, served, "/mine/keys", csrf=of_eve, **pasted).status_code == 400
    page = post(dora, served, "/mine/keys", csrf=token, **pasted).text
    shown = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True)
    assert f"<code>{shown.stdout.split()[1]}</code>" in page
    bundle = packed(tmp_path, key)
    made = served.call("POST", "/v2/bundles", data=bundle).json()["id"]
    assert made in dora.get(f"{served.url}/mine", timeout=30).text
    removal = re.search(r'action="(/mine/keys/[^"]+/remove)"', page)[1]
    assert post(eve, served, removal, csrf=of_eve).status_code == 404
    assert "You have no keys yet." in post(dora, served, removal, csrf=token).text
    anybody = requests.get(f"{served.url}/mine/keys", allow_redirects=False, timeout=30)
    assert anybody.headers["location"] == "/signin"


def test_signing_out_ends_the_session(served, provider):
    browser = signed_in(served, provider, "alice")
    other = signed_in(served, provider, "alice")
    copied = requests.cookies.merge_cookies(requests.cookies.RequestsCookieJar(), browser.cookies)
    token = csrf(browser, served)
    post(browser, served, "/signout", csrf=token)
    mine = f"{served.url}/mine"
    assert browser.get(mine, allow_redirects=False, timeout=30).status_code == 303
    assert requests.get(mine, cookies=copied, allow_redirects=False, timeout=30).status_code == 303
    again = requests.post(f"{served.url}/signout", cookies=copied, data={"csrf": token}, timeout=30)
    assert again.status_code == 401
    assert other.get(mine, allow_redirects=False, timeout=30).status_code == 200


def test_no_cache_keeps_private_pages(served, alice, uploaded):
    for path in ("/mine", "/mine/keys", f"/results/{uploaded}", "/v1/results", "/signin"):
        answer = alice.get(f"{served.url}{path}", allow_redirects=False, timeout=30)
        assert answer.headers["Cache-Control"] == "no-store", path
    public = requests.get(f"{served.url}/results", timeout=30).headers
    assert public["Cache-Control"] == "public, no-cache"


def test_a_refused_or_forged_sign_in_starts_no_session(served, provider):
    provider.refuses = True
    try:
        page = requests.get(f"{served.url}/signin", timeout=30)
    finally:
        provider.refuses = False
    assert page.status_code == 401
    made_up = requests.get(f"{served.url}/signin/return?code=x&state=y", timeout=30)
    assert made_up.status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "x"},
        {"aud": "other"},
        {"iss": "https://other.example.org"},
        {"exp": 1},
        {"exp": "soon"},
        {"sub": ""},
        {"sub": ["alice"]},
        {"sub": "x" * 5000},
        {"sub": "\ud800"},
        {"sub": "a\0b"},
        None,
    ],
)
def test_a_token_that_is_not_valid_starts_no_session(served, provider, changes):
    provider.subject = "alice"
    provider.changes, provider.algorithm = changes or {}, "RS256" if changes else "none"
    browser = requests.Session()
    browser.headers["Accept"] = "text/html"
    try:
        page = browser.get(f"{served.url}/signin", timeout=30)
    finally:
        provider.changes, provider.algorithm = {}, "RS256"
    assert page.status_code == 401, page.text
    assert "<html" in page.text
    assert "Signed in as" not in browser.get(f"{served.url}/results", timeout=30).text


def test_a_name_that_cannot_be_stored_is_left_out(served, provider):
    provider.changes = {"name": "\ud800", "email": "x" * 300}
    try:
        page = signed_in(served, provider, "dora").get(f"{served.url}/mine", timeout=30)
    finally:
        provider.changes = {}
    assert page.status_code == 200


def test_the_foundation_verifies_and_revokes_with_a_browser(served, provider, alice, uploaded):
    post(alice, served, f"/mine/{uploaded}/share", csrf=csrf(alice, served), **EVERYBODY)
    chief = person("chief")
    add_user(served.data, type(chief)(f"{provider.url}/chief", chief.key), is_foundation=True)
    browser = signed_in(served, provider, "chief")
    assert "Foundation verification" in browser.get(f"{served.url}/queue", timeout=30).text
    token = csrf(browser, served, "/queue")
    for wrong in ("2020-01-01", "soon"):
        answer = post(browser, served, f"/queue/{uploaded}/verify", csrf=token, until=wrong)
        assert answer.status_code == 400
    post(browser, served, f"/queue/{uploaded}/verify", csrf=token, until="2999-01-01")
    page = f"{served.url}/results/{uploaded}"
    assert "Verified by the Foundation until 2999-01-01" in requests.get(page, timeout=30).text
    token_of_alice = csrf(alice, served)
    withdrawn = post(alice, served, f"/mine/{uploaded}/share", csrf=token_of_alice, **NOBODY)
    assert withdrawn.status_code == 403
    assert post(browser, served, f"/queue/{uploaded}/revoke", csrf=token).status_code == 400
    post(browser, served, f"/queue/{uploaded}/revoke", csrf=token, why="changed")
    assert "Revoked by the Foundation on " in requests.get(page, timeout=30).text


def test_the_certifier_sees_results_and_bundles_that_are_shared(served, provider, alice, uploaded):
    chief = person("certifier")
    add_user(served.data, type(chief)(f"{provider.url}/certifier", chief.key), is_foundation=True)
    browser = signed_in(served, provider, "certifier")
    token = csrf(alice, served)
    bundle, queue = f"{served.url}/mine/{uploaded}/bundle", f"{served.url}/queue"
    for with_, status in ((NOBODY, 401), (CERTIFIER, 200)):
        post(alice, served, f"/mine/{uploaded}/share", csrf=token, **with_)
        assert browser.get(bundle, timeout=30).status_code == status
        assert (uploaded in browser.get(queue, timeout=30).text) == (status == 200)
        assert requests.get(f"{served.url}/results/{uploaded}", timeout=30).status_code == 401
    assert "Not yet published by its owner." in browser.get(queue, timeout=30).text
    assert alice.get(bundle, timeout=30).content == browser.get(bundle, timeout=30).content
    page = alice.get(f"{served.url}/results/{uploaded}", timeout=30).text
    assert "Sharing: with the certifier." in page
    assert "Starts of the run" in page
    assert requests.get(bundle, timeout=30).status_code == 401
    post(alice, served, f"/mine/{uploaded}/share", csrf=token, **EVERYBODY)
    assert requests.get(bundle, timeout=30).status_code == 403
    assert (
        "Starts of the run" not in requests.get(f"{served.url}/results/{uploaded}", timeout=30).text
    )


def test_the_foundation_approves_and_denies_vendors_with_a_browser(served, provider, alice):
    chief, vendor = person("registrar"), person("vendor")
    add_user(served.data, type(chief)(f"{provider.url}/registrar", chief.key), is_foundation=True)
    add_user(served.data, vendor)
    browser = signed_in(served, provider, "registrar")
    ids = {}
    for name in ("Good Clouds", "Bad Clouds"):
        made = served.call("POST", "/v1/vendors", vendor, json={"name": name})
        ids[name] = made.json()["id"]
        asked = {"register": None}
        served.call("POST", f"/v1/vendors/{ids[name]}/action", vendor, json=asked)
    page = browser.get(f"{served.url}/queue", timeout=30).text
    assert all(f'<a href="/vendors/{vendor_id}">' in page for vendor_id in ids.values())
    good, bad = (f"/queue/vendors/{vendor_id}" for vendor_id in ids.values())
    mine = csrf(alice, served)
    assert post(alice, served, f"{good}/approve", csrf=mine).status_code == 403
    token = csrf(browser, served, "/queue")
    assert post(browser, served, f"{bad}/deny", csrf=token).status_code == 400
    post(browser, served, f"{bad}/deny", csrf=token, why="no cloud", name="Bad Clouds")
    other = post(browser, served, f"{good}/approve", csrf=token, name="Other Clouds")
    assert other.status_code == 409  # The vendor has another name than the page showed.
    post(browser, served, f"{good}/approve", csrf=token, name="Good Clouds")
    listed = requests.get(f"{served.url}/vendors", timeout=30).text
    assert ("Good Clouds" in listed, "Bad Clouds" in listed) == (True, False)
    denied = served.call("GET", f"/v1/vendors/{ids['Bad Clouds']}", vendor).json()
    assert denied["properties"] == '{"registration_decline_reason": "no cloud"}'


def test_an_invalid_bundle_is_refused_with_a_page(served, alice):
    token = csrf(alice, served)
    for files in ({"bundle": ("b.zip", b"nonsense")}, {"bundle": ("", b"")}):
        answer = alice.post(
            f"{served.url}/mine/upload", data={"csrf": token}, files=files, timeout=60
        )
        assert answer.status_code == 400
        assert "<h1>" in answer.text


def test_sign_in_needs_an_identity_provider_that_answers(tmp_path):
    with serving(tmp_path / "data") as server:
        assert server.call("GET", "/signin").status_code == 404
    (tmp_path / "secret").write_text(SECRET)
    dead = ["--oidc-issuer", "http://127.0.0.1:1", "--oidc-client", "x"]
    with serving(tmp_path / "data", *dead, "--oidc-secret", tmp_path / "secret") as server:
        assert server.call("GET", "/signin").status_code == 502


def test_the_oidc_secret_is_neither_in_arguments_nor_in_the_log(served, alice):
    from pathlib import Path  # noqa: PLC0415

    arguments = Path(f"/proc/{served.process.pid}/cmdline").read_bytes()
    assert SECRET.encode() not in arguments
    assert SECRET not in (served.data.parent / "data.log").read_text()
