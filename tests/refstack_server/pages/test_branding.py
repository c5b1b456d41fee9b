"""The forms for the logo and the site of a vendor, and the Foundation's decisions in its queue."""

import re

import lxml.html
import pytest
import requests
from support import images
from support.browsing import csrf, post, signed_in, signed_in_for_the_foundation

SITE = "https://clouds.example.org/"


@pytest.fixture
def alice(served, provider):
    return signed_in(served, provider, "alice")


@pytest.fixture
def bob(served, provider):
    return signed_in(served, provider, "bob")


@pytest.fixture
def root(served, provider):
    return signed_in_for_the_foundation(served, provider)


def send(browser, served, path, files=None, **fields):
    """Send a form with the token of the browser's session."""
    data = {"csrf": csrf(browser, served), **fields}
    return browser.post(f"{served.url}{path}", data=data, files=files, timeout=60)


def get(browser, served, path):
    return browser.get(f"{served.url}{path}", timeout=60).text


@pytest.fixture
def vendor(served, alice, root, request) -> str:
    """Return the path of the page of an official vendor."""
    name = request.node.name
    page = send(alice, served, "/vendors/new", name=name)
    path = page.url.removeprefix(served.url)
    send(alice, served, f"{path}/registration/register")
    send(root, served, f"/queue{path}/approve", name=name)
    return path


def test_a_proposal_is_approved_in_the_queue_and_shown(served, alice, root, vendor):
    assert f'href="{vendor}/branding">Logo and site</a>' in get(alice, served, vendor)
    page = send(
        alice,
        served,
        f"{vendor}/branding",
        files={"logo": ("logo.webp", images.logo(form="WEBP"), "text/html")},
        url=SITE,
    )
    assert page.url == f"{served.url}{vendor}/branding"
    assert page.text.count("awaiting approval") == 2
    image = re.search(rf'src="({vendor}/logo/[0-9a-f]{{64}})"', page.text)[1]
    assert alice.get(f"{served.url}{image}", timeout=60).content.startswith(b"\x89PNG")
    queue = get(root, served, "/queue")
    assert f'src="{image}"' in queue
    assert f'<a href="{SITE}" rel="nofollow noopener noreferrer">{SITE}</a>' in queue
    for kind in ("logo", "site"):
        seen = digest(queue, f"/queue{vendor}/{kind}/approve")
        done = send(root, served, f"/queue{vendor}/{kind}/approve", sha256=seen)
        assert done.url == f"{served.url}/queue#branding"
    assert image not in done.text
    public = requests.get(f"{served.url}{vendor}", timeout=60).text
    assert f'src="{vendor}/logo"' in public
    assert ">clouds.example.org</a>" in public


def digest(page: str, action: str) -> str:
    """Return the SHA-256 that a form of a page names."""
    (field,) = lxml.html.fromstring(page).xpath(
        f"//form[@action='{action}']/input[@name='sha256']/@value"
    )
    return field


def test_a_swap_between_look_and_click_is_refused(served, alice, root, vendor):
    send(alice, served, f"{vendor}/branding", url=SITE)
    queue = get(root, served, "/queue")
    seen = digest(queue, f"/queue{vendor}/site/approve")
    send(alice, served, f"{vendor}/branding", url="https://swapped.example.org/")
    refused = send(root, served, f"/queue{vendor}/site/approve", sha256=seen)
    assert refused.status_code == 409
    assert "another site is proposed by now" in refused.text
    refused = send(root, served, f"/queue{vendor}/site/deny", sha256=seen, why="typed reason")
    assert refused.status_code == 409
    assert "another site is proposed by now" in refused.text
    assert 'value="typed reason"' in refused.text
    assert "swapped" not in requests.get(f"{served.url}{vendor}", timeout=60).text


def test_a_denial_has_a_reason_that_the_vendor_sees(served, alice, root, vendor):
    send(alice, served, f"{vendor}/branding", url=SITE)
    seen = digest(get(root, served, "/queue"), f"/queue{vendor}/site/deny")
    refused = send(root, served, f"/queue{vendor}/site/deny", sha256=seen, why=" ")
    assert (refused.status_code, 'aria-invalid="true"' in refused.text) == (400, True)
    send(root, served, f"/queue{vendor}/site/deny", sha256=seen, why="not <b>yours</b>")
    page = get(alice, served, f"{vendor}/branding")
    assert "The Foundation denied it: not &lt;b&gt;yours&lt;/b&gt;" in page
    assert f"{vendor}/site/approve" not in get(root, served, "/queue")
    assert "not &lt;b&gt;" not in requests.get(f"{served.url}/log", timeout=60).text
    # A logo alone does not propose the denied site again.
    assert f'value="{SITE}"' not in page
    page = send(alice, served, f"{vendor}/branding/site/withdraw").text
    assert "The Foundation denied it" not in page
    assert send(alice, served, f"{vendor}/branding/site/withdraw").status_code == 404


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg onload=alert(1)>", "not a PNG or WebP image"),
        (images.png(10_000, 10_000, b""), "larger than 512×512 pixels"),
        (images.logo() + bytes(70_000), "at most 64 KiB"),
    ],
    ids=["svg", "bomb", "large"],
)
def test_a_refused_logo_keeps_the_typed_url(served, alice, vendor, content, message):
    refused = send(
        alice, served, f"{vendor}/branding", files={"logo": ("x.png", content)}, url=SITE
    )
    assert refused.status_code == 400
    assert f'value="{SITE}"' in refused.text
    assert message in refused.text
    assert 'id="branding-logo-error"' in refused.text
    assert "awaiting approval" not in get(alice, served, f"{vendor}/branding")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://10.0.0.1/", '"><script>x', "a" * 999]
)
def test_a_refused_url_stays_typed_and_nothing_is_stored(served, alice, vendor, url):
    files = {"logo": ("x.png", images.logo())}
    refused = send(alice, served, f"{vendor}/branding", files=files, url=url)
    assert refused.status_code == 400
    (typed,) = lxml.html.fromstring(refused.text).xpath("//input[@name='url']/@value")
    assert typed == url
    assert 'id="branding-url-error"' in refused.text
    assert "<script" not in refused.text
    assert "awaiting approval" not in get(alice, served, f"{vendor}/branding")


def test_an_empty_form_is_refused_and_an_unchanged_one_changes_nothing(served, alice, vendor):
    for files in (None, {"logo": ("", b"")}):
        refused = send(alice, served, f"{vendor}/branding", files=files, url=" ")
        assert (refused.status_code, "choose a file" in refused.text) == (400, True)
    send(alice, served, f"{vendor}/branding", url=SITE)
    length = len(requests.get(f"{served.url}/v2/log?most=1000", timeout=60).json())
    page = send(alice, served, f"{vendor}/branding", files={"logo": ("", b"")}, url=SITE)
    assert page.status_code == 200
    assert len(requests.get(f"{served.url}/v2/log?most=1000", timeout=60).json()) == length


def test_a_removal_is_confirmed_first(served, alice, bob, root, vendor):
    send(alice, served, f"{vendor}/branding", url=SITE)
    assert "no approved site" in get(alice, served, f"{vendor}/branding/site/remove")
    seen = digest(get(root, served, "/queue"), f"/queue{vendor}/site/approve")
    send(root, served, f"/queue{vendor}/site/approve", sha256=seen)
    assert "needs a new approval" in get(alice, served, f"{vendor}/branding/site/remove")
    assert "clouds.example.org" in requests.get(f"{served.url}{vendor}", timeout=60).text
    page = get(root, served, f"{vendor}/branding")
    assert ("Remove…" in page, 'name="url"' in page) == (True, False)
    assert send(bob, served, f"{vendor}/branding/site/remove").status_code == 403
    assert send(root, served, f"{vendor}/branding/site/remove").status_code == 200
    assert "clouds.example.org" not in requests.get(f"{served.url}{vendor}", timeout=60).text


def test_no_other_user_and_no_other_site_uses_these_forms(served, alice, bob, root, vendor):
    send(alice, served, f"{vendor}/branding", url=SITE)
    seen = digest(get(root, served, "/queue"), f"/queue{vendor}/site/approve")
    sent = {
        f"{vendor}/branding": {"url": "https://taken.example.org/"},
        f"{vendor}/branding/site/withdraw": {},
        f"{vendor}/branding/site/remove": {},
        f"/queue{vendor}/site/approve": {"sha256": seen},
        f"/queue{vendor}/site/deny": {"sha256": seen, "why": "x"},
    }
    for path, fields in sent.items():
        assert send(bob, served, path, **fields).status_code == 403, path
        who = root if path.startswith("/queue") else alice
        for token in ({}, {"csrf": csrf(bob, served)}):
            assert post(who, served, path, **token, **fields).status_code == 403, path
        assert requests.post(f"{served.url}{path}", data=fields, timeout=60).status_code == 401
    page = get(alice, served, f"{vendor}/branding")
    assert (page.count("awaiting approval"), "taken" in page) == (1, False)
    assert send(root, served, f"{vendor}/branding", url=SITE).status_code == 403
