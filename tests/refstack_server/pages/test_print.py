"""What a printer makes of pages: a result has two sheets of paper at most, and names itself."""

import io
import re
from unicodedata import normalize

import pytest
from pypdf import PdfReader

RESULTS = ("verified", "expired", "revoked", "failed", "large", "incomplete")
OTHERS = ("2022.11", "2018.02", "2015.04")
"""Guidelines with the most tests, the most capabilities, and the most flagged tests."""


def printed(visits, path: str, paper: str) -> list[str]:
    """Return the text of each sheet, without ligatures and line breaks."""
    with visits.page("") as page:
        page.goto(path)
        content = page.pdf(format=paper)
    sheets = PdfReader(io.BytesIO(content)).pages
    return [" ".join(normalize("NFKC", sheet.extract_text()).split()) for sheet in sheets]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("by", ["", *(f"?guideline={name}&programme=platform" for name in OTHERS)])
def test_a_result_is_printed_on_two_sheets(visits, name, by, paper):
    path = visits.site.paths[name]
    sheets = printed(visits, f"{path}{by}", paper)
    assert len(sheets) <= 2
    text = " ".join(sheets)
    assert f"{visits.site.server.url}{path}" in text
    assert re.search(r"\b(NOT )?(CONFORMANT|INCOMPLETE)\b", text)
    assert "Required capabilities" in text
    for hidden in ("Sign in", "Guidelines", "Show verdict", "Public log"):
        assert hidden not in text


def test_a_printed_result_has_what_decides_and_how_much_is_left_out(visits):
    text = " ".join(printed(visits, visits.site.paths["large"], "A4"))
    assert "Vendor Acme Clouds" in text
    assert "Unofficial Results" in text
    (failed,) = re.findall(r"Required tests that did not pass \((\d+)\)", text)
    shown = len(re.findall(r"✕ fail", text)) + len(re.findall(r"◐ skip", text))
    assert shown == 10
    (more,) = re.findall(r"And (\d+) more, for \d+ other reasons\.", text)
    assert int(more) == int(failed) - shown
    verified = " ".join(printed(visits, visits.site.paths["verified"], "A4"))
    assert "Verified by the Foundation until 2099-01-31" in verified
    assert re.search(r"SHA-256 [0-9a-f]{64}", verified)
