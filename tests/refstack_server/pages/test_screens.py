"""Every page in Chromium: what axe finds, what does not fit, what a verdict looks like."""

import re

import fastapi.routing
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from support.browsers import ROLES, SCHEMES, Visits
from support.populated import Populated
from support.serving import Person, add_user, person

from refstack_server import app
from refstack_server.settings import Settings
from refstack_server.store import database

NO_PAGES = re.compile(
    r"/(v1|v2)/.*|.*\.(json|csv|svg|txt|atom|zip)|/health|/metrics|/signin.*|.*/bundle|/guidelines/diff"
    r"|.*/logo|.*/logo/\{sha256\}"
)
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""Of axe: also the rule of WCAG 2.2 about the size of what is clicked, which it leaves out."""
WIDTHS = (320, 390, 768, 1280, 1600)
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter(item => item.getBoundingClientRect().right > width && !item.closest(".wide"))
    .map(item => item.outerHTML.slice(0, 120));
}"""
"""Returns the elements that make a page wider than its window."""


def route_of(path: str, routes: set[str]) -> str:
    """Return the route of a path, the one without a parameter first."""
    plain = path.partition("?")[0]
    patterns = {re.sub(r"\{\w+\}", "[^/]+", route): route for route in routes}
    for pattern in sorted(patterns, key=lambda pattern: pattern.count("[^/]+")):
        if re.fullmatch(pattern, plain):
            return patterns[pattern]
    return ""


def test_the_list_has_every_page(visits, tmp_path):
    settings = Settings(tmp_path, "http://x")
    application = app.create(settings, database.open_or_create(settings.database_url))
    routes = {
        route.path
        for route in fastapi.routing.iter_route_contexts(application.routes)
        if "GET" in route.methods and not NO_PAGES.fullmatch(route.path)
    }
    paths = [path for of_role in visits.paths.values() for path in of_role]
    assert {route_of(path, routes) for path in paths} - {""} == routes


def violations(page, name: str) -> list[str]:
    """Return what axe finds on a page, in light and dark, on a phone and on a desk."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for violation in page.evaluate("options => axe.run(options)", OPTIONS)["violations"]:
                for node in violation["nodes"]:
                    found.append(
                        f"{name} {scheme} {width}: {violation['id']}: {node['html'][:200]}"
                    )
    return found


def test_axe_finds_what_is_wrong(visits):
    with visits.page("", bypass_csp=True) as page:
        page.goto("/vendors")
        page.set_content("<main><p style='color: #bbb'>hard to read</p><input><img src='x'></main>")
        found = {line.split(": ")[1] for line in violations(page, "x")}
    assert found >= {"color-contrast", "label", "image-alt", "html-has-lang"}


@pytest.mark.parametrize("role", ROLES)
def test_axe_finds_nothing(visits, role):
    found = []
    with visits.page(role, bypass_csp=True) as page:
        for path in visits.paths[role]:
            page.goto(path)
            found += violations(page, path)
    assert found == []


@pytest.mark.parametrize("role", ROLES)
def test_every_page_fits_its_window(visits, role):
    found = []
    with visits.page(role) as page:
        for path in visits.paths[role]:
            page.goto(path)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                found += [f"{path} {width}: {item}" for item in page.evaluate(TOO_WIDE)]
    assert found == []


def refused_forms(paths: dict[str, str]) -> list[tuple[str, str, dict[str, str], str]]:
    """Return forms that the server refuses: role, path, what is typed by label, button."""
    vendor = paths["vendor"]
    new_product = f"/products/new?vendor={vendor.rpartition('/')[2]}"
    decision = paths["failed"].replace("/results/", "/queue/")
    key = "The public key, as in KEY.pub"
    signature = "The signature, as printed"
    return [
        ("alice", "/vendors/new", {"Name": "Acme Clouds"}, "Add"),
        ("alice", f"{vendor}/edit", {"Name": "Another"}, "Save"),
        ("alice", vendor, {"Name of the user to invite": "nobody"}, "Invite"),
        ("alice", f"{vendor}/branding", {"URL of the site": "https://10.0.0.1/"}, "Propose to"),
        ("alice", new_product, {"Name": " "}, "Add"),
        ("alice", paths["product"], {"New version": "7.2"}, "Add version"),
        ("alice", "/mine/keys", {key: "ssh-x", signature: "none"}, "Register"),
        ("root", decision, {"Expires on": "2020-01-31", "Reason": "x"}, "Verify"),
        ("root", "/queue", {"Reason for the denial": " "}, "Deny"),
    ]


def test_axe_finds_nothing_on_refused_forms(visits):
    found = []
    for role, path, typed, button in refused_forms(visits.site.paths):
        with visits.page(role, bypass_csp=True) as page:
            page.goto(path)
            for label, text in typed.items():
                page.get_by_label(label).first.fill(text)
            with page.expect_navigation() as answer:
                page.get_by_role("button", name=button).first.click()
            assert answer.value.status >= 400, path
            assert page.locator("[aria-invalid]").count() == page.locator(".error").count() == 1
            found += violations(page, path)
    assert found == []


def test_axe_finds_nothing_while_there_is_nothing(served, provider, running):
    chief = person("root")
    add_user(served.data, Person(f"{provider.url}/root", chief.key), is_foundation=True)
    paths = {
        "": ("/", "/results"),
        "alice": ("/mine", "/mine/keys"),
        "root": ("/queue", "/queue/verified"),
    }
    found = []
    empty = Visits(running, Populated(served, provider, {}))
    for role, of_role in paths.items():
        with empty.page(role, bypass_csp=True) as page:
            for path in of_role:
                page.goto(path)
                assert page.locator(".empty").count() == 1, path
                found += violations(page, path)
    assert found == []


MARKS = {
    "✓": ("td.conformant", "span.verified"),
    "✕": ("td.not-conformant", "span.revoked"),
    "◐": ("td.incomplete",),
    "◷": ("span.expired",),
    "○": ("span.unofficial",),
    "…": ("span.pending",),
    "⊘": ("span.private",),
}
"""The mark of each verdict and standing in lists."""


def test_verdicts_and_standings_have_a_shape_beside_their_colour(visits):
    found = {}
    with visits.page("alice") as page:
        for path in ("/", "/mine", "/results", visits.site.paths["product"]):
            page.goto(path)
            for selectors in MARKS.values():
                for selector in selectors:
                    for item in page.locator(selector).all():
                        style = "item => getComputedStyle(item, '::before').content"
                        found.setdefault(selector, set()).add(item.evaluate(style)[1])
    assert found == {name: {mark} for mark, names in MARKS.items() for name in names}
