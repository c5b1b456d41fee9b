"""Chromium, driven by Playwright, that visits a collector as one of its users."""

import contextlib
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from support.populated import Populated

ROLES = ("", "alice", "root")
"""An anonymous reader, the user of a vendor, the certifier."""
SCHEMES = ("light", "dark")


@contextlib.contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """Run Chromium. No event loop can run in this thread meanwhile."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


class Visits:
    """Opens pages of a collector; each user signs in once."""

    def __init__(self, browser: Browser, site: Populated) -> None:
        self.site = site
        self._browser = browser
        self._sessions: dict[str, object] = {"": None}

    def context(self, role: str, **options) -> BrowserContext:
        """Return a new window of a user, signed in."""
        if role not in self._sessions:
            self.site.provider.subject = role
            with contextlib.closing(self._browser.new_context()) as signing_in:
                page = signing_in.new_page()
                page.goto(f"{self.site.server.url}/mine")
                assert urlsplit(page.url).path == "/mine"
                self._sessions[role] = signing_in.storage_state()
        return self._browser.new_context(
            base_url=self.site.server.url, storage_state=self._sessions[role], **options
        )

    @contextlib.contextmanager
    def page(self, role: str, **options) -> Iterator[Page]:
        """Open an empty page of a user."""
        context = self.context(role, **options)
        yield context.new_page()
        context.close()

    @cached_property
    def paths(self) -> dict[str, list[str]]:
        """The paths of all pages by role, each with content and without where it can lack it."""
        known = self.site.paths
        ids = {name: path.rpartition("/")[2] for name, path in known.items()}
        own, failed = ids["private"], ids["failed"]
        pair = f"before={ids['verified']}&after={failed}"
        results = ("verified", "expired", "revoked", "failed", "large", "incomplete", "passes")
        return {
            "": [
                *("/compared", f"/compared?before={failed}", "/guidelines/2020.06/diff/2022.11"),
                "/capabilities/compute-servers-create",
                *("/", "/?search=nothing", "/?standing=revoked", "/results", "/results?page=2"),
                *("/results?search=nothing", "/guidelines", "/guidelines/2022.11", "/docs"),
                *("/vendors", known["vendor"], known["product"], "/log", "/log?page=2"),
                *(known[name] for name in results),
                f"/compared?{pair}",
                f"/compared?before={failed}&after={failed}",
                *("/nothing", known["private"], "/results?page=x"),
            ],
            "alice": [
                *("/", "/mine", "/mine/keys", "/vendors", "/vendors/new"),
                *(known["verified"], known["private"], known["pending"]),
                *(f"/mine/{own}/share?with={with_}" for with_ in ("everybody", "certifier")),
                f"/mine/{own}/delete",
                f"/mine/{ids['verified']}/public-bundle",
                *(known["vendor"], f"{known['vendor']}/edit", known["denied vendor"]),
                *(f"{known['vendor']}/branding", f"{known['vendor']}/branding/logo/remove"),
                *(known["product"], known["private product"]),
                f"/products/new?vendor={ids['vendor']}",
                f"{known['product']}/publication?public=false",
                *("/queue", "/nothing"),
            ],
            "root": [
                *("/", "/queue", "/queue/verified", f"/queue/{failed}"),
                *(f"/queue/{ids['verified']}", f"/queue/{ids['incomplete']}"),
                *(f"{known['vendor']}/branding", known["denied branding"]),
                *(known["failed"], known["vendor"], "/mine", "/mine/keys"),
            ],
        }
