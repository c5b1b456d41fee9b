"""The report: the same numbers in JSON, text and HTML."""

import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from capabilities import catalogue, programme
from refstack_client import report, stream
from scoring.verdict import Verdict, judge

STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")
NUMBERS = ("passed", "failed", "skipped", "not_run", "missing", "flagged")


@pytest.fixture
def verdict(writer) -> Verdict:
    """A verdict with every outcome a stream can hold, and text that would break careless HTML."""
    tests = STORAGE.counted_tests()
    for number, test in enumerate(tests[:-1]):
        status = {0: "fail", 1: "skip"}.get(number, "success")
        writer.test(
            f"{test.name}[{test.idempotent_id}]",
            status,
            traceback="Traceback\n  frame\nValueError: <script>alert('x')</script> & more",
            reason="no <b>such</b> feature",
        )
    return judge(STORAGE, stream.parse(writer.content, "x"))


def test_every_outcome_is_counted_once_in_json(verdict):
    document = report.as_json(verdict)
    required = document["required"]
    assert required == {
        "total": 58,
        "passed": 55,
        "failed": 1,
        "skipped": 1,
        "not_run": 1,
        "missing": 0,
        "flagged": 0,
    }
    assert document["verdict"] == "not-conformant"
    outcomes = {
        test["id"]: test["outcome"] for each in document["capabilities"] for test in each["tests"]
    }
    assert len(outcomes) == 58
    assert sorted(set(outcomes.values())) == ["fail", "not-run", "pass", "skip"]
    assert set(document["capabilities"][0]["tests"][0]) == {
        "id",
        "name",
        "outcome",
        "reason",
        "flagged",
        "cause",
        "attempts",
    }


def test_text_is_worst_first_and_ends_with_the_verdict(verdict):
    lines = list(report.text(verdict))
    kinds = [line.split()[0] for line in lines if re.match(r"[A-Z-]+  \d+ test", line)]
    assert kinds == ["FAIL", "NOT-RUN", "SKIP"]
    assert lines[-1] == "NOT CONFORMANT  OpenStack Powered Storage  2020.06  55/58 required tests"
    assert any("designated sections of keystone, swift" in line for line in lines)


def test_html_has_the_numbers_of_the_json(verdict):
    page = report.html(verdict)
    numbers = dict(re.findall(r'<dd id="(\w+)">(\d+)</dd>', page))
    expected = report.as_json(verdict)["required"]
    assert numbers == {name: str(expected[name]) for name in NUMBERS}


def test_html_is_whole_in_itself_and_takes_text_as_text(verdict):
    page = report.html(verdict)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)\s*=|url\(|@import", page)


def test_a_browser_opens_the_page_and_asks_nobody_for_anything(verdict, browser, tmp_path):
    asked: list[str] = []

    class Serve(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if self.path == "/report.html" else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if self.path == "/report.html":
                self.wfile.write(report.html(verdict).encode())

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        outcome = subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                *("--disable-background-networking", "--disable-sync", "--no-first-run"),
                *("--disable-component-update", f"--user-data-dir={tmp_path}"),
                f"http://127.0.0.1:{server.server_port}/report.html",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        server.shutdown()
    # A favicon is the browser's own idea.
    assert set(asked) - {"/favicon.ico"} == {"/report.html"}
    assert '<dd id="passed">55</dd>' in outcome.stdout
    assert outcome.stdout.count("<details") == 20 + 3
