"""The report: the same numbers in JSON, text and HTML."""

import csv
import json
import re
import subprocess
import threading
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources

import jsonschema
import junit2htmlreport.runner
import junitparser
import openpyxl
import pytest

from capabilities import catalogue, programme
from refstack_client.cli.app import main
from refstack_client.outcomes import subunit_stream
from refstack_client.report import document as report_document
from refstack_client.report import html as report_html
from refstack_client.report import junit
from refstack_client.report import table as report_table
from refstack_client.report import text as report_text
from scoring.conformance.verdict import Verdict, judge

STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")
FORMS = ("html", "txt", "json", "csv", "xlsx")
NUMBERS = ("passed", "failed", "skipped", "not_run", "missing", "flagged")


@pytest.fixture
def verdict(writer) -> Verdict:
    """A verdict with every outcome of a stream, and text that would break careless HTML."""
    tests = STORAGE.counted_tests()
    for number, test in enumerate(tests[:-1]):
        status = {0: "fail", 1: "skip"}.get(number, "success")
        writer.test(
            f"{test.name}[{test.idempotent_id}]",
            status,
            traceback="Traceback\n  frame\nValueError: <script>alert('x')</script> & more",
            reason="no <b>such</b> feature",
        )
    return judge(STORAGE, subunit_stream.parse(writer.content, "x"))


def test_every_outcome_is_counted_once_in_json(verdict):
    document = report_document.as_json(verdict)
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
    lines = list(report_text.lines(verdict))
    kinds = [line.split()[0] for line in lines if re.match(r"[A-Z-]+  \d+ test", line)]
    assert kinds == ["FAIL", "NOT-RUN", "SKIP"]
    assert lines[-1] == "NOT CONFORMANT  OpenStack Powered Storage  2020.06  55/58 required tests"
    assert any("designated sections of keystone, swift" in line for line in lines)


def test_html_has_the_numbers_of_the_json(verdict):
    page = report_html.page(verdict)
    numbers = dict(re.findall(r'<dd id="(\w+)">(\d+)</dd>', page))
    expected = report_document.as_json(verdict)["required"]
    assert numbers == {name: str(expected[name]) for name in NUMBERS}


def test_html_has_the_figures_of_refstack(verdict):
    counts = verdict.refstack_count
    figures = f"{counts['passed']} of {counts['total']}, {counts['flagged']} flagged."
    assert f"RefStack counts a test once per capability: {figures}" in report_html.page(verdict)


def test_html_is_whole_in_itself_and_takes_text_as_text(verdict):
    page = report_html.page(verdict)
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
                self.wfile.write(report_html.page(verdict).encode())

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


def test_every_form_of_report_has_the_same_numbers(verdict, writer, tmp_path):
    stream_file = tmp_path / "run.subunit"
    stream_file.write_bytes(writer.content)
    paths = {ending: tmp_path / f"report.{ending}" for ending in FORMS}
    options = [each for path in paths.values() for each in ("-o", str(path))]
    assert main(["report", str(stream_file), "--programme", "storage", *options]) == 0
    wanted = report_document.as_json(verdict)["required"]
    assert json.loads(paths["json"].read_text())["required"] == wanted
    assert "55/58 required tests" in paths["txt"].read_text().splitlines()[-1]
    assert f'<dd id="passed">{wanted["passed"]}</dd>' in paths["html"].read_text()

    rows = {row["id"]: row for row in csv.DictReader(paths["csv"].open())}
    outcomes = Counter(row["outcome"] for row in rows.values())
    assert (outcomes["pass"], outcomes["fail"], outcomes["skip"]) == (55, 1, 1)

    book = openpyxl.load_workbook(paths["xlsx"])
    counts = {row[0]: row[1] for row in book["Verdict"].iter_rows(min_row=3, values_only=True)}
    assert counts == {name.replace("_", " "): count for name, count in wanted.items()}
    assert book["Tests"].max_row - 1 == sum(len(each.tests) for each in verdict.capabilities)


def test_junit_is_read_by_a_consumer_with_the_same_numbers(verdict, tmp_path):
    path = tmp_path / "report.xml"
    path.write_bytes(junit.of_verdict(verdict))
    (suite,) = junitparser.JUnitXml.fromfile(str(path))
    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (58, 1, 1, 1)
    page = tmp_path / "junit.html"
    junit2htmlreport.runner.run([str(path), str(page)])
    assert "OpenStack Powered Storage 2020.06" in page.read_text()


def test_a_spreadsheet_takes_no_reason_for_a_formula(writer):
    test = STORAGE.counted_tests()[0]
    writer.test(f"{test.name}[{test.idempotent_id}]", "skip", reason="=1+1 is no formula")
    table = report_table.csv_text(judge(STORAGE, subunit_stream.parse(writer.content, "x")))
    assert ",'=1+1 is no formula," in table


def test_the_fewest_causes_to_fix_are_listed(writer):
    tests = STORAGE.counted_tests()
    for number, test in enumerate(tests):
        volume = f"Volume {number:08x}-1111-1111-1111-111111111111 is in ERROR status"
        status = "fail" if number < 40 else "skip" if number == 40 else "success"
        writer.test(
            f"{test.name}[{test.idempotent_id}]", status, traceback=f"E: {volume}", reason="no role"
        )
    found = list(report_text.lines(judge(STORAGE, subunit_stream.parse(writer.content, "x"))))
    assert "FAIL  40 tests: E: Volume … is in ERROR status" in found
    start = found.index("To conform, fix 2 causes:")
    assert found[start + 1].startswith("  1. resource in error (40): search for the request ID")
    assert found[start + 2].startswith("  2. credential (1): assign the roles")


def test_a_test_is_explained_with_its_evidence(writer, tmp_path, capsys):
    test = STORAGE.counted_tests()[0]
    log = "Request (C:test): 409 PUT http://10.0.0.1/v1/AUTH_x/c 0.1s\n{'x-trans-id': 'tx1'}"
    token = "gAAAAA" + "x" * 60
    writer.test(
        f"{test.name}[{test.idempotent_id}]",
        "fail",
        traceback="tempest.lib.exceptions.Conflict: taken",
        pythonlogging=f"{log}\n{token}",
    )
    path = tmp_path / "run.subunit"
    path.write_bytes(writer.content)
    for name in (test.name, test.idempotent_id, test.name.rpartition(".")[2]):
        assert main(["explain", name, str(path), "--programme", "storage"]) == 0
        said = capsys.readouterr().out
        assert "  call        PUT /v1/AUTH_x/c answered 409 (tx1)" in said
        assert "  kind        wrong response" in said
        assert "    tempest.lib.exceptions.Conflict: taken" in said
        assert "  required    in storage, as part of" in said
        assert token not in said
    of_list = SCS.counted_tests()[0]
    assert main(["explain", of_list.name, str(path), "--programme", "SCS-0128"]) == 0
    assert "  listed      in scs-0128\n" in capsys.readouterr().out
    assert main(["explain", "nonsense", str(path)]) == 4
    assert "has no test nonsense" in capsys.readouterr().err


def test_the_json_is_as_its_schema_says(verdict, samples):
    schema = json.loads(
        (resources.files("refstack_client") / "data/verdict.schema.json").read_text()
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    validate = jsonschema.Draft202012Validator(schema).validate
    validate(report_document.as_json(verdict))
    with pytest.raises(jsonschema.ValidationError):
        validate({**report_document.as_json(verdict), "verdict": "perhaps"})
    platform = programme.find(catalogue.load("2020.06")[0], "platform")
    broken = subunit_stream.read(samples / "storage-swift-stopped.subunit")
    validate(report_document.as_json(judge(platform, broken)))


SCS = programme.find(catalogue.load("scs-0128")[0], "scs-0128")


def of_list(writer, *statuses: str) -> Verdict:
    """Return the verdict on a list whose first tests have ``statuses``, and whose others passed."""
    for number, test in enumerate(SCS.counted_tests()):
        status = statuses[number] if number < len(statuses) else "success"
        writer.test(f"{test.name}[{test.idempotent_id}]", status, reason="off", traceback="E: x")
    return judge(SCS, subunit_stream.parse(writer.content, "x"))


def test_a_list_of_which_tests_may_skip_has_its_rule_and_no_marks(writer):
    verdict = of_list(writer, "skip", "skip")
    lines = list(report_text.lines(verdict))
    assert "SKIP  2 tests: off" in lines
    assert lines[-2:] == [
        "Rule: no test may fail; skipped tests are listed",
        "CONFORMANT  scs-0128  258 tests: 256 passed, 0 failed, 2 skipped",
    ]
    page = report_html.page(verdict)
    for words in ("To conform", "OpenStack", "RefStack", "capabilit", "required", "flagged"):
        assert words not in "".join(lines)
        assert words not in page.partition("<body")[2]
    assert "no test may fail; skipped tests are listed" in page
    assert "— 256 passed, 0 failed, 2 skipped" in page
    assert "Tests of the list (258)" in page
    assert "skip · 2" in page


def test_counts_of_a_list_name_tests_that_did_not_run_only_if_there_are_any(writer):
    for test in SCS.counted_tests()[:200]:
        writer.test(f"{test.name}[{test.idempotent_id}]", "success")
    verdict = judge(SCS, subunit_stream.parse(writer.content, "x"))
    assert report_text.headline(verdict) == (
        "INCOMPLETE  scs-0128  258 tests: 200 passed, 0 failed, 0 skipped, 58 not run"
    )
    (last,) = list(report_text.quick_lines(verdict, 50))[-1:]
    assert last == "QUICK LOOK, CERTIFIES NOTHING  scs-0128  200/50 tests passed, one of each class"


def test_of_a_list_only_what_its_rule_forbids_is_to_be_fixed(writer):
    lines = list(report_text.lines(of_list(writer, "skip", "fail")))
    start = lines.index("To conform, fix 1 cause:")
    assert "(1)" in lines[start + 1]
    assert lines[start + 2].startswith("Rule: ")
    assert lines[-1].startswith("NOT CONFORMANT")


def test_of_a_list_without_a_test_that_passed_the_skips_are_to_be_fixed(writer):
    lines = list(report_text.lines(of_list(writer, *["skip"] * 258)))
    assert "To conform, fix 1 cause:" in lines
    assert lines[-1].startswith("INCOMPLETE")


def test_a_programme_without_designated_sections_has_no_mark_that_requires_them(verdict):
    bare = replace(verdict, programme=replace(verdict.programme, designated_sections=()))
    lines = list(report_text.lines(bare))
    assert any(line.startswith("OpenStack Compatible") for line in lines)
    assert not any(line.startswith("OpenStack Powered") for line in lines)
