"""The board's page: whole, self-contained, the same every time, and a browser's to open."""

import html.parser
import shutil
import subprocess
from pathlib import Path

import pytest

from capabilities import catalogue, programme
from scoring.committee import criteria, worksheet
from scoring.committee.decisions import Decision
from scoring.committee.proposal import Proposal, propose
from scoring.formats import board_page

TEXT = """\
Objects & more
--------------
objectstore-object-create: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1]
objectstore-slo-support:   [?,?,?] [1,1,1] [1,1,1] [0,1,1] [1]
<script>$x$</script>:      [0,0,0] [1,1,1] [1,1,1] [0,1,1] [1]
"""
VOID = {"meta", "br", "link", "img", "hr"}


@pytest.fixture
def proposal() -> Proposal:
    previous = programme.find(catalogue.load("2020.06")[0], "storage")
    rows = worksheet.parse(TEXT, "x").rows
    why = ("<b>wanted</b>", "bob", "2026-11-20")
    decisions = {
        "objectstore-slo-support": Decision("objectstore-slo-support", "required", *why),
        "<script>$x$</script>": Decision("<script>$x$</script>", "advisory", *why),
    }
    return propose(rows, criteria.find("2016.08"), previous, decisions)


class _Page(html.parser.HTMLParser):
    """Collects what a page fetches, its scripts, and whether its tags are closed."""

    def __init__(self):
        super().__init__()
        self.fetched, self.tags, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [
            value
            for name, value in attrs
            if name in ("src", "href", "xlink:href") and not value.startswith("#")
        ]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_fetches_nothing_and_escapes_what_people_wrote(proposal):
    text = board_page.export(proposal, "my <sheet>")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.fetched == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == 3
    assert "&lt;b&gt;wanted&lt;/b&gt; (bob, 2026-11-20)" in text
    assert "my &lt;sheet&gt;" in text
    assert '<dd id="in">1</dd>' in text
    assert text.count("&lt;script&gt;$x$&lt;/script&gt;") >= 2  # in a table and in a plot


def test_the_same_proposal_gives_the_same_page(proposal):
    assert board_page.export(proposal, "x") == board_page.export(proposal, "x")


def test_a_browser_opens_it(proposal, tmp_path: Path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine to open the page with")
    path = tmp_path / "board.html"
    path.write_text(board_page.export(proposal, "x"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={tmp_path}/profile", "--dump-dom", f"file://{path}"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert shown.count("<svg") == 3
    assert "in (1)" in shown
    assert "R required, A advisory" in shown
