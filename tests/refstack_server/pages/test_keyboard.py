"""A vendor's and a certifier's day with the keyboard alone, in a browser that runs no scripts."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.bundles import make_key, proof
from support.populated import bundle

MOST_TABS = 120
IS_FOCUSED = "item => item === document.activeElement"
CHOSEN = "item => item.selectedOptions[0].text"


class Keyboard:
    """Uses a page as a user without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, name: str, role: str = "") -> None:
        """Press Tab until the field, or the element of a role, with a name has the focus."""
        page = self.page
        found = page.get_by_role(role, name=name) if role else page.get_by_label(name)
        wanted = found.first
        expect(wanted).to_be_attached()
        for _ in range(MOST_TABS):
            if wanted.evaluate(IS_FOCUSED):
                outline = wanted.evaluate("item => getComputedStyle(item).outlineStyle")
                assert outline != "none", f"the focus of {name} is not visible"
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {name} on {page.url}")

    def write(self, name: str, text: str) -> None:
        self.reach(name)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, text: str) -> None:
        """Press the arrow until the option is chosen that begins with a text."""
        self.reach(name)
        field = self.page.get_by_label(name).first
        for _ in range(field.locator("option").count()):
            if field.evaluate(CHOSEN).startswith(text):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{name} has no option {text}")

    def press(self, name: str, role: str = "button") -> None:
        """Press a button, or follow a link; wait for the next page."""
        self.reach(name, role)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture
def dora(visits):
    """A new user, who belongs to no vendor."""
    with visits.page("dora", java_script_enabled=False, locale="en-US") as page:
        yield Keyboard(page)


@pytest.fixture
def root(visits):
    with visits.page("root", java_script_enabled=False, locale="en-US") as page:
        yield Keyboard(page)


def test_the_first_tab_leads_past_the_navigation(visits):
    with visits.page("", java_script_enabled=False) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_visible()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.locator("main :focus").count() == 1


def register_key(dora: Keyboard, key) -> None:
    page = dora.page
    page.goto("/mine")
    dora.press("My keys", "link")
    challenge = re.search(r"printf %s (\S+) \|", page.content())[1]
    signed = proof(key, challenge)
    dora.write("The public key, as in KEY.pub", signed["key"])
    dora.write("The signature, as printed", "no signature")
    dora.press("Register")
    error = page.locator(".error")
    expect(error).to_be_visible()
    # The challenge of the page that shows the error is a new one.
    signed = proof(key, re.search(r"printf %s (\S+) \|", page.content())[1])
    assert page.get_by_label("The public key, as in KEY.pub").input_value().strip()
    dora.write("The signature, as printed", signed["signature"])
    dora.press("Register")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()


def add_vendor(dora: Keyboard) -> str:
    """Add a vendor, at first with a name that is refused; return its URL."""
    page = dora.page
    dora.press("Vendors", "link")
    dora.press("Add a vendor", "link")
    dora.write("Name", "Acme Clouds")
    dora.write("Description (optional)", "Two regions.")
    dora.press("Add")
    name = page.get_by_label("Name")
    assert (name.input_value(), name.evaluate(IS_FOCUSED)) == ("Acme Clouds", True)
    assert page.get_by_label("Description (optional)").input_value() == "Two regions."
    expect(page.locator(".error")).to_contain_text("looks like that of an official vendor")
    dora.write("Name", "Dora's Clouds")
    dora.press("Add")
    vendor = page.url
    dora.press("Request approval by the Foundation")
    expect(page.locator("main")).to_contain_text("Awaiting approval by the Foundation")
    return vendor


def approve_vendor(root: Keyboard) -> None:
    root.page.goto("/")
    root.press("Verification", "link")
    root.write("Reason for the denial, for the users of the vendor", "x")
    root.press("Approve Dora's Clouds")


def invite(dora: Keyboard, openid: str) -> None:
    dora.write("Name of the user to invite", openid)
    dora.press("Invite")
    dora.press("Withdraw the invitation")


def change_vendor(dora: Keyboard) -> None:
    dora.press("Change name and description", "link")
    dora.write("Description (optional)", "Three regions.")
    dora.press("Save")


def add_product(dora: Keyboard) -> None:
    dora.press("Add a product", "link")
    dora.write("Name", "Dora's Sky")
    dora.choose("Kind", "public")
    dora.write("Version (optional)", "3.1")
    dora.press("Add")
    dora.write("New version", "3.2")
    dora.press("Add version")
    dora.press("Make public…", "link")
    dora.press("Make public")
    expect(dora.page.locator("main")).to_contain_text("public cloud")


def publish_result(dora: Keyboard, path: Path) -> str:
    """Upload a bundle, attach it to a product and publish it; return its URL."""
    page = dora.page
    # Before the page is opened: the browser takes a moment to begin to report its dialogs.
    page.on("filechooser", lambda chooser: chooser.set_files(path))
    dora.press("My results", "link")
    label = "Bundle: choose a file, or drop it here"
    dora.reach(label)
    page.keyboard.press("Enter")
    expect(page.get_by_label(label)).to_have_value(re.compile(path.name))
    dora.press("Upload")
    result = page.url
    dora.choose("Product and version", "Dora's Sky 3.2")
    dora.press("Attach")
    dora.press("Publish…")
    dora.press("Publish")
    return result


def verify_result(root: Keyboard, result: str) -> None:
    root.press("Verification", "link")
    root.page.goto(result)
    root.press("Foundation verification of this result", "link")
    root.write("Expires on", "01312099")
    root.write("Reason (public, optional)", "Checked.")
    root.press("Verify")


def search_registry(dora: Keyboard) -> None:
    page = dora.page
    page.goto("/")
    dora.write("Vendor, product, result id or SHA-256 of a bundle", "dora")
    dora.choose("Status", "verified")
    dora.press("Show")
    expect(page.locator("table.matrix .verified")).to_have_text("verified")
    expect(page.locator("table.matrix")).to_contain_text("until 2099-01-31")


def revoke_verification(root: Keyboard, result: str) -> None:
    root.press("Verified", "link")
    root.page.goto(result.replace("/results/", "/queue/"))
    root.write("Reason for the revocation (public)", "The cloud was switched off.")
    root.press("Revoke")


def delete_result(dora: Keyboard, result: str) -> None:
    page = dora.page
    page.goto(result)
    expect(page.locator(".standing")).to_contain_text("The cloud was switched off.")
    dora.press("Withdraw…")
    dora.press("Withdraw")
    page.goto(result)
    dora.press("Delete this result…", "link")
    dora.press("Delete")
    expect(page.locator("main")).to_contain_text("You have no results yet.")


def test_a_day_without_mouse_and_scripts(visits, dora, root, tmp_path):
    page, key = dora.page, make_key(tmp_path / "key")
    register_key(dora, key)
    vendor = add_vendor(dora)
    approve_vendor(root)
    page.goto(vendor)
    invite(dora, f"{visits.site.provider.url}/alice")
    change_vendor(dora)
    add_product(dora)
    (tmp_path / "run.zip").write_bytes(bundle(tmp_path, key, 50))
    result = publish_result(dora, tmp_path / "run.zip")
    verify_result(root, result)
    search_registry(dora)
    revoke_verification(root, result)
    delete_result(dora, result)
    dora.press("Sign out")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
