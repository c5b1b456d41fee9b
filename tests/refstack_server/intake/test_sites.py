"""URLs of sites: which are accepted, and in which form they are shown."""

import pytest

from refstack_server.intake import sites
from refstack_server.store.errors import InvalidError


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("https://www.example.org", "https://www.example.org/"),
        ("HTTPS://WWW.Example.ORG:443/a b?q=<x>#y", "https://www.example.org/a%20b?q=%3Cx%3E#y"),
        ("https://example.org/\"'", "https://example.org/%22'"),
        # Names with other letters are shown in ASCII: no name looks like another.
        ("https://bücher.example.org/", "https://xn--bcher-kva.example.org/"),
        ("https://аpple.com/", "https://xn--pple-43d.com/"),
        # A browser opens the host before the backslash.
        ("https://example.org\\@evil.example.com/", "https://example.org/@evil.example.com/"),
        ("https://example.org/%E2%80%AEgpj", "https://example.org/%E2%80%AEgpj"),
    ],
)
def test_a_site_is_stored_in_its_canonical_form(text, stored):
    assert sites.site(text) == stored
    assert sites.site(stored) == stored
    assert stored.isascii()


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "www.example.org", "//example.org", "http://example.org", "ftp://example.org"),
        *("javascript:alert(1)", "JaVaScRiPt://example.org/%0aalert(1)", "data:text/html,x"),
        *("https://", "https://localhost", "https://intranet/", "https://example.org./"),
        *("https://user@example.org", "https://u:p@example.org", "https://:p@example.org"),
        *("https://example.org:8443/", "https://example.org:80/"),
        # IP addresses, in every spelling that a browser understands.
        *("https://127.0.0.1/", "https://10.0.0.1", "https://8.8.8.8/", "https://2130706433"),
        *("https://0x7f.1/", "https://0177.0.0.1", "https://[::1]/", "https://[fe80::1]"),
        *("https://１２７.0.0.1/", "https://127。0。0。1/", "https://169.254.169.254/latest"),
        *("https://cloud.local/", "https://registry.internal", "https://a.localhost/x"),
        *("https://x.test", "https://x.example", "https://x.invalid", "https://1.10.in-addr.arpa"),
        *("https://-a.example.org/", "https://a..example.org", "https://a_b.example.org"),
        *(f"https://{'a' * 64}.example.org", "https://exa%00mple.org", "https://a%20b.org"),
        "https://example.org/" + "a" * 300,
        "https://example.org/" + "ü" * 100,
        # Hidden characters, which browsers drop or show as nothing.
        *("https://exa\tmple.org", "https://example.org/\n", "https://example.org/\u202egpj"),
        *("https://exam\u00adple.org", "https://exam\u200bple.org", "https://example.org/\0"),
        "https://example.org/\ud800",
    ],
)
def test_what_is_no_public_https_site_is_refused(text):
    with pytest.raises(InvalidError, match=r"^url: ") as error:
        sites.site(text)
    assert error.value.detail == "/url"
    assert error.value.message.isascii()
