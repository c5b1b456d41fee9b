from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from support.browsers import Visits, chromium
from support.identities import CLIENT_ID, SECRET, providing
from support.populated import Populated, populate
from support.serving import serving


@pytest.fixture(scope="session")
def populated(tmp_path_factory) -> Iterator[Populated]:
    """Run a server that has everything there is to see."""
    place = tmp_path_factory.mktemp("populated")
    (place / "secret").write_text(SECRET)
    with providing() as provider:
        options = ["--oidc-issuer", provider.url, "--oidc-client", CLIENT_ID]
        options += ["--oidc-secret", place / "secret", "--uploads-per-minute", "0"]
        with serving(place / "data", *options) as server:
            yield populate(server, provider, place)


@pytest.fixture(scope="module")
def running(browser) -> Iterator[Browser]:
    with chromium(browser) as started:
        yield started


@pytest.fixture(scope="module")
def visits(running, populated) -> Visits:
    return Visits(running, populated)
