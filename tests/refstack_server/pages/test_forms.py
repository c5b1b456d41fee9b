"""Forms of users: results, vendors, products; who may use them, and what a refusal keeps."""

import re

import lxml.html
import pytest
import requests
from support.browsing import EVIL, csrf, post, signed_in, signed_in_for_the_foundation
from support.operating import client, upload_stream
from support.serving import Person, add_user, person, serving

PAGES = ("/results", "/guidelines", "/guidelines/2020.06", "/docs", "/vendors", "/vendors/new")


@pytest.fixture(scope="module")
def alice_with_key(served, provider) -> Person:
    """Return a user who has a key, and signs in with a browser too."""
    who = Person(f"{provider.url}/alice", person("alice").key)
    add_user(served.data, who)
    return who


@pytest.fixture
def alice(served, provider):
    return signed_in(served, provider, "alice")


@pytest.fixture
def bob(served, provider):
    return signed_in(served, provider, "bob")


@pytest.fixture
def root(served, provider):
    return signed_in_for_the_foundation(served, provider)


@pytest.fixture
def result_id(served, alice_with_key, request) -> str:
    return upload_stream(served, alice_with_key, request.node.name)["id"]


def get(browser, served, path):
    return browser.get(f"{served.url}{path}", timeout=60)


def send(browser, served, path, **fields):
    """Send a form with the token of the browser's session."""
    return post(browser, served, path, csrf=csrf(browser, served), **fields)


def new_vendor(browser, served, name) -> str:
    """Add a vendor; return the path of its page."""
    page = send(browser, served, "/vendors/new", name=name, description=f"{EVIL}\nof {name}")
    assert page.status_code == 200, page.text
    return page.url.removeprefix(served.url)


def new_product(browser, served, vendor, **fields) -> str:
    """Add a product; return the path of its page."""
    sent = {"name": "Sky", "kind": "1", "vendor": vendor.rpartition("/")[2], **fields}
    page = send(browser, served, "/products/new", **sent)
    assert page.status_code == 200, page.text
    return page.url.removeprefix(served.url)


def test_every_page_shows_who_is_signed_in(served, alice):
    for path in (*PAGES, "/mine", "/mine/keys", "/none"):
        page = get(alice, served, path)
        assert "Signed in as <strong>Alice</strong>" in page.text, path
        assert 'action="/signout"' in page.text, path
        assert '<meta name="description"' in page.text, path
        assert "<script" not in page.text, path
        if path != "/none":
            assert page.headers["Cache-Control"] == "no-store", path
    for path in PAGES[:-1]:
        anonymous = requests.get(f"{served.url}{path}", timeout=60)
        assert "Signed in as" not in anonymous.text
        assert 'href="/signin">Sign in</a>' in anonymous.text


def test_a_rendered_page_is_not_shared_between_users(served, alice, bob, result_id):
    send(alice, served, f"/mine/{result_id}/share", **{"with": "everybody"})
    tokens = {browser: csrf(browser, served) for browser in (alice, bob)}
    paths = (f"/results/{result_id}", "/guidelines/2020.06")
    for path in paths * 2:
        for browser, other in ((alice, bob), (bob, alice)):
            page = get(browser, served, path).text
            assert (tokens[browser] in page, tokens[other] in page) == (True, False), path
        anonymous = requests.get(f"{served.url}{path}", timeout=60)
        assert 'name="csrf"' not in anonymous.text, path
    assert "Cookie" in anonymous.headers["Vary"]
    assert anonymous.headers["Cache-Control"] == "public, max-age=3600"
    assert "Manage this result" in get(alice, served, paths[0]).text
    assert "Manage this result" not in get(bob, served, paths[0]).text


def test_a_long_name_fits_the_cookie(served, provider):
    provider.changes = {"name": "\U0001f600" * 255}
    try:
        page = signed_in(served, provider, "long").get(f"{served.url}/results", timeout=60)
    finally:
        provider.changes = {}
    assert f"Signed in as <strong>{chr(0x1F600) * 40}</strong>" in page.text


def test_browsers_and_crawlers_get_their_files(served):
    icon = requests.get(f"{served.url}/favicon.svg", timeout=60)
    assert icon.headers["content-type"].startswith("image/svg+xml")
    assert "Disallow: /mine" in requests.get(f"{served.url}/robots.txt", timeout=60).text
    page = requests.get(f"{served.url}/results", timeout=60).text
    assert "img-src 'self'" in re.search(r'Policy" content="([^"]+)"', page)[1]


def test_every_page_describes_itself_and_names_the_registry(served, alice_with_key, result_id):
    shared = {"with": "everybody"}
    served.call("PUT", f"/v2/results/{result_id}/sharing", alice_with_key, json=shared)
    paths = ("/", *PAGES[:-1], "/log", f"/results/{result_id}", "/none")
    described = {}
    for path in paths:
        page = requests.get(f"{served.url}{path}", headers={"Accept": "text/html"}, timeout=60)
        document = lxml.html.fromstring(page.text)
        title = document.findtext(".//title")
        (described[path],) = document.xpath("//meta[@name='description']/@content")
        assert title.endswith(" · Interop Registry"), path
        meta = {"og:title": title.rpartition(" · ")[0], "og:site_name": "Interop Registry"}
        for name, text in meta.items():
            assert document.xpath("//meta[@property=$name]/@content", name=name) == [text], path
    assert len(set(described.values())) == len(paths)


def test_the_operator_names_the_registry(tmp_path):
    with serving(tmp_path / "data", "--name", "Clouds & <Co>") as server:
        page = requests.get(f"{server.url}/log", timeout=60).text
        assert "<title>Public log · Clouds &amp; &lt;Co&gt;</title>" in page
        assert "Clouds &amp; &lt;Co&gt;: verified" in requests.get(f"{server.url}/feed.atom").text
        missing = requests.get(f"{server.url}/x", headers={"Accept": "text/html"}, timeout=60).text
        assert "Clouds &amp; &lt;Co&gt;</title>" in missing
    for wrong in ("", " ", "x" * 61, "a\nb"):
        refused = client("--data", tmp_path / "data", "--name", wrong)
        assert (refused.returncode, "1 to 60 printable characters" in refused.stderr) == (2, True)


def test_all_own_results_are_reached_in_pages(served, provider):
    who = Person(f"{provider.url}/prolific", person("prolific").key)
    add_user(served.data, who)
    ids = [served.upload(["t"], who) for _ in range(205)]
    browser, page, found = signed_in(served, provider, "prolific"), "/mine", []
    while page:
        text = get(browser, served, page).text
        found += re.findall(r'<td class="time"><a href="/results/([^"]+)">', text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        page = f"/mine{older[1]}" if older else ""
    assert found == ids[::-1]


def test_a_publication_and_a_withdrawal_are_confirmed_first(served, alice, bob, result_id):
    share, shown = f"/mine/{result_id}/share", f"{served.url}/results/{result_id}"
    page = get(alice, served, f"{share}?with=everybody").text
    assert "Publish this result?" in page
    assert f'action="{share}"' in page
    assert "Everyone sees the verdict" in page
    assert requests.get(shown, timeout=60).status_code == 401
    assert get(bob, served, f"{share}?with=everybody").status_code == 401
    (hidden,) = re.findall(r'name="with" value="([^"]+)"', page)
    send(alice, served, share, **{"with": hidden})
    assert requests.get(shown, timeout=60).status_code == 200
    assert get(bob, served, f"{share}?with=nobody").status_code == 403
    assert get(alice, served, f"{share}?with=enemies").status_code == 400
    for with_ in ("nobody", "certifier"):
        page = get(alice, served, f"{share}?with={with_}").text
        assert "The result is no longer public." in page


def test_a_result_is_deleted_by_its_owner_after_a_confirmation(served, alice, bob, result_id):
    path = f"/mine/{result_id}/delete"
    assert path in get(alice, served, f"/results/{result_id}").text
    assert "Delete this result?" in get(alice, served, path).text
    assert get(bob, served, path).status_code == 401
    assert send(bob, served, path).status_code == 401
    assert post(alice, served, path).status_code == 403  # without a token
    assert get(alice, served, f"/results/{result_id}").status_code == 200
    assert send(alice, served, path).url == f"{served.url}/mine"
    assert get(alice, served, f"/results/{result_id}").status_code == 404


def test_a_verified_result_is_neither_withdrawn_nor_deleted_nor_attached(
    served, alice, root, result_id
):
    send(alice, served, f"/mine/{result_id}/share", **{"with": "everybody"})
    send(root, served, f"/queue/{result_id}/verify", why="agreed")
    page = get(alice, served, f"/results/{result_id}").text
    assert "The result is verified: it cannot be changed" in page
    for path in ("share?with=nobody", "delete"):
        assert get(alice, served, f"/mine/{result_id}/{path}").status_code == 403
    assert send(alice, served, f"/mine/{result_id}/delete").status_code == 403
    assert send(alice, served, f"/mine/{result_id}/attach", version="").status_code == 403


def test_a_vendor_is_added_changed_and_registered(served, alice, bob, root):
    vendor = new_vendor(alice, served, "Good Clouds")
    page = get(alice, served, vendor).text
    assert "<script" not in page
    assert "Private: visible to its users and the Foundation." in page
    send(alice, served, f"{vendor}/edit", name="Better Clouds", description="")
    assert "<h1>Better Clouds</h1>" in get(alice, served, vendor).text
    assert get(bob, served, vendor).status_code == 403
    page = send(alice, served, f"{vendor}/registration/register").text
    assert "Awaiting approval by the Foundation" in page
    refused = send(alice, served, f"{vendor}/edit", name="Best Clouds", description="typed")
    assert refused.status_code == 403
    assert 'value="Best Clouds"' in refused.text
    assert "the Foundation is deciding about this name" in refused.text
    assert "typed</textarea>" in refused.text
    assert "Private" in send(alice, served, f"{vendor}/registration/cancel").text
    send(alice, served, f"{vendor}/registration/register")
    send(root, served, f"/queue{vendor}/deny", why="no <b>cloud</b>", name="Better Clouds")
    page = get(alice, served, vendor).text
    assert "The Foundation denied the last request: no &lt;b&gt;cloud&lt;/b&gt;" in page
    send(alice, served, f"{vendor}/registration/register")
    send(root, served, f"/queue{vendor}/approve", name="Better Clouds")
    assert "no &lt;b&gt;" not in get(alice, served, vendor).text
    like = send(bob, served, "/vendors/new", name="BETTER  clouds", description="kept")
    assert (like.status_code, "kept</textarea>" in like.text) == (409, True)
    assert 'id="vendor-name-error"' in like.text
    for name in ("", " ", "x" * 81, "a\nb", "a\u202eb"):
        assert send(bob, served, "/vendors/new", name=name).status_code == 400, name
    again = send(alice, served, f"{vendor}/registration/register")
    assert (again.status_code, "Invalid organization state" in again.text) == (400, True)
    assert send(alice, served, f"{vendor}/registration/approve").status_code == 404


def test_users_are_invited_by_name_and_removed(served, provider, alice, bob):
    vendor, name = new_vendor(alice, served, "Inviting Clouds"), f"{provider.url}/bob"
    unknown = send(alice, served, f"{vendor}/users", openid="https://id.example.org/no")
    assert unknown.status_code == 404
    assert 'value="https://id.example.org/no"' in unknown.text
    assert "User https://id.example.org/no not found" in unknown.text
    page = send(alice, served, f"{vendor}/users", openid=name).text
    assert "Invitations that are not answered" in page
    assert name in page
    vendor_id = vendor.rpartition("/")[2]
    send(bob, served, f"/mine/invitations/{vendor_id}/accept")
    page = get(bob, served, vendor).text
    assert "Invitations that are not answered" not in page
    done = send(bob, served, f"{vendor}/users/remove", openid=name)
    assert done.url == f"{served.url}/vendors"
    assert get(bob, served, vendor).status_code == 403
    last = send(alice, served, f"{vendor}/users/remove", openid=f"{provider.url}/alice")
    assert (last.status_code, "this is the last user of the vendor" in last.text) == (409, True)


def test_products_are_added_with_versions_and_made_public(
    served, provider, alice, bob, root, result_id
):
    vendor = new_vendor(alice, served, "Producing Clouds")
    wrong = {"name": "Sky", "vendor": vendor.rpartition("/")[2], "version": "typed", "kind": "9"}
    refused = send(alice, served, "/products/new", **wrong)
    assert (refused.status_code, 'value="typed"' in refused.text) == (400, True)
    assert 'id="product-kind-error"' in refused.text
    product = new_product(alice, served, vendor, version="1", description=EVIL)
    assert "<script" not in get(alice, served, product).text
    page = send(alice, served, f"{product}/versions", version="2", cpid="cloud-2").text
    assert "<td>2</td><td><code>cloud-2</code></td>" in page
    same = send(alice, served, f"{product}/versions", version="2", cpid="cloud-3")
    assert (same.status_code, 'value="cloud-3"' in same.text) == (409, True)
    page = get(alice, served, f"/results/{result_id}").text
    version = re.search(r'<option value="([^"]+)">Sky 2</option>', page)[1]
    page = send(alice, served, f"/mine/{result_id}/attach", version=version).text
    assert f'<option value="{version}" selected>Sky 2</option>' in page
    assert result_id in get(alice, served, product).text
    assert send(bob, served, f"/mine/{result_id}/attach", version="").status_code == 401
    early = send(alice, served, f"{product}/publication", public="true")
    assert early.status_code == 403
    assert get(bob, served, product).status_code == 403
    send(alice, served, f"{vendor}/registration/register")
    send(root, served, f"/queue{vendor}/approve", name="Producing Clouds")
    page = get(alice, served, f"{product}/publication?public=true").text
    assert "Everyone sees its name" in page
    assert get(bob, served, product).status_code == 403
    send(alice, served, f"{product}/publication", public="true")
    assert "cloud-2" not in get(bob, served, product).text
    assert get(bob, served, product).status_code == 200
    send(alice, served, f"{product}/publication", public="false")
    assert get(bob, served, product).status_code == 403
    of_bob = upload_of(served, provider)
    taken = send(bob, served, f"/mine/{of_bob}/attach", version=version)
    assert taken.status_code == 403  # a product of another vendor


def upload_of(served, provider) -> str:
    who = Person(f"{provider.url}/bob", person("bob").key)
    add_user(served.data, who)
    return upload_stream(served, who, "of bob")["id"]


def test_no_other_user_and_no_other_site_uses_a_form(served, alice, bob, result_id):
    vendor = new_vendor(alice, served, "Guarded Clouds")
    product = new_product(alice, served, vendor)
    vendor_id = vendor.rpartition("/")[2]
    sent = {
        f"{vendor}/edit": {"name": "Taken"},
        f"{vendor}/registration/register": {},
        f"{vendor}/registration/cancel": {},
        f"{vendor}/users": {"openid": "x"},
        f"{vendor}/users/remove": {"openid": "x"},
        "/products/new": {"vendor": vendor_id, "name": "Taken", "kind": "1"},
        f"{product}/versions": {"version": "9"},
        f"{product}/publication": {"public": "true"},
        f"/mine/{result_id}/share": {"with": "everybody"},
        f"/mine/{result_id}/delete": {},
        f"/mine/{result_id}/attach": {"version": ""},
    }
    token_of_bob = csrf(bob, served)
    for path, fields in sent.items():
        refused = send(bob, served, path, **fields)
        assert refused.status_code in {401, 403}, path
        assert "Guarded Clouds" not in refused.text, path
        for token in ({}, {"csrf": token_of_bob}):
            assert post(alice, served, path, **token, **fields).status_code == 403, path
        assert requests.post(f"{served.url}{path}", data=fields, timeout=60).status_code == 401
    for path in (f"{vendor}/edit", f"/products/new?vendor={vendor_id}"):
        assert get(bob, served, path).status_code == 403, path
    assert get(bob, served, f"{product}/publication?public=true").status_code == 403
    assert "<h1>Guarded Clouds</h1>" in get(alice, served, vendor).text
    assert get(alice, served, f"/results/{result_id}").status_code == 200


def test_a_refused_upload_and_key_show_the_error_beside_the_field(served, alice):
    sent = {"csrf": csrf(alice, served)}
    url, files = f"{served.url}/mine/upload", {"bundle": ("b.zip", b"nonsense")}
    page = alice.post(url, data=sent, files=files, timeout=60)
    assert (page.status_code, "<h1>My results</h1>" in page.text) == (400, True)
    assert 'id="upload-bundle-error"' in page.text
    page = send(alice, served, "/mine/keys", challenge="c", key="ssh-typed", signature="typed")
    assert (page.status_code, "ssh-typed</textarea>" in page.text) == (400, True)
    assert 'aria-invalid="true"' in page.text
