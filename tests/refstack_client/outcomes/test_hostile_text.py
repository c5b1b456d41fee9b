"""Texts made to keep a regular expression busy take no longer than others."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import testtools

from capabilities import tempest_id
from refstack_client.bundle import anonymise
from refstack_client.outcomes import causes, public_text, redaction, refstack_json
from refstack_client.report import groups
from refstack_client.tempest import log as tempest_log
from scoring.committee import worksheet
from scoring.errors import ScoringError

SIZE = 300_000
SECONDS = 3
"""For a text of :data:`SIZE`, ten times what a busy machine takes; quadratic it is more."""
ERROR = 'Traceback (most recent call last):\n  File "x"\n'
PIECES = (
    "Request (",
    "Request (T:t): 200 GET ",
    "Request (T:t): 500 POST http://[",
    "Request (T:t): 200 ABC",
    "exceed exceeds ",
    "No no ",
    "host='",
    "host=\"host='",
    "with url: ",
    "KeyError: '",
    "Body: ",
    "Body: \n",
    'File "',
    'File "tempest/lib/',
    "tempest/lib/services/a",
    "'x-trans-id': '",
    "server failed to build ",
    "a.",
    "a-",
    "1-",
    "a",
    "1",
    "1.",
    ":",
    "a:",
    "::1/1",
    "1.1.1.1:1",
    "a@",
    "a@b.",
    "a@b.-",
    "a://",
    "tempest-",
    "gAAAA",
    "'password': '\\",
    "\\'password\\': \\\\'",
    "'password': ",
    '"X-Auth-Token": \'',
    "'X-Auth-Token':  ",
    "\\",
    "'",
    '"',
    " ",
    "\n",
    "\u0301\u0323",
    "name:[,",
    "[",
    "(",
    "Response - Headers: {",
    "Response - Headers: {'status': '201'/v3/users'}",
    "'status': '201'/v3/users'",
)


def _analysed(text: str) -> None:
    causes.of_skip(text)
    causes.of_failure("a.b.C.test", ERROR + text, text)
    # A text that begins otherwise is looked at by other expressions.
    for start in ("BuildErrorException: ", "KeyError: 'k'", "Connection refused ", "a.b.C: "):
        causes.of_failure("a.b.C.test", ERROR + start + text, "Request (T:t): 200 GET x " + text)


def _as_worksheet(text: str) -> None:
    with contextlib.suppress(ScoringError):
        worksheet.parse(f"name: {text}", "it")


def _as_log(text: str, place: Path) -> None:
    (place / "log").write_text(text)
    tempest_log.created_ids(place / "log")


READERS: dict[str, Callable[[str, Path], object]] = {
    "reason": lambda text, _: _analysed(text),
    "redaction": lambda text, _: redaction.hide(text.encode()),
    "redacted": lambda text, _: public_text.text(text),
    "anonymity": lambda text, _: anonymise.text(text),
    "groups": lambda text, _: groups.without_resources(text),
    "ids": lambda text, _: tempest_id.parse(f"a.b[{text}"),
    "uuids": lambda text, _: refstack_json._UUID.search(text),
    "worksheet": lambda text, _: _as_worksheet(text),
    "log": _as_log,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_piece_that_is_repeated_takes_time_in_proportion(reader, tmp_path):
    slow = {}
    for piece in PIECES:
        started = time.process_time()
        READERS[reader](piece * (SIZE // len(piece)), tmp_path)
        seconds = time.process_time() - started
        if seconds > SECONDS:
            slow[piece] = seconds
    assert not slow


@pytest.mark.parametrize("reader", READERS)
def test_pieces_are_met_together_too(reader, tmp_path):
    text = "".join(piece * (SIZE // len(PIECES) // len(piece)) for piece in PIECES)
    for end in ("", "!", "\n", "'"):
        started = time.process_time()
        READERS[reader](text + end, tmp_path)
        assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    ("error", "log"),
    [
        (f"KeyError: '{'k' * SIZE}'", "Request (T:t): 200 GET x\n" + "Body: \n" * (SIZE // 7)),
        ("E", "Request (T:t): 500 GET http://" + "\u0301\u0323" * (SIZE // 2)),
        ("E", "Request (T:t): 500 GET http://[" + "1" * SIZE),
    ],
)
def test_a_failure_that_is_made_up_is_explained_in_one_line(error, log):
    started = time.process_time()
    sentence, cause = causes.of_failure("a.b.C.test", ERROR + error, log)
    assert time.process_time() - started < SECONDS
    assert len(sentence) <= 240
    assert cause.call


def test_ever_more_backslashes_before_a_quote_take_no_longer():
    number = int((2 * SIZE) ** 0.5)
    text = "".join("'password': " + "\\" * each + "'" for each in range(number))
    started = time.process_time()
    redaction.hide(text.encode())
    assert time.process_time() - started < SECONDS


def test_attachments_that_never_end_are_found_by_their_test():
    redactor = redaction.Redactor(testtools.StreamResult())
    started = time.process_time()
    for number in range(20_000):
        redactor.status(test_id=f"open-{number}", file_name="log", file_bytes=b"x")
    for number in range(20_000):
        redactor.status(test_id=f"done-{number}", test_status="success")
    assert time.process_time() - started < SECONDS


def test_names_that_tempest_made_are_the_same_for_a_group():
    varying = groups.without_resources("server tempest-ServersTest-server-123 of refstack-1a2b3c-4")
    assert varying == "server … of …"


def test_what_tempest_made_is_read_from_two_lines_of_its_log(tmp_path):
    headers = "{'status': '201', 'content-location': 'http://k/v3/projects'}"
    body = """b'{"project": {"id": "p1", "name": "x"}}'"""
    (tmp_path / "log").write_text(
        f"1 DEBUG Response - Headers: {headers}\n        Body: {body} _log_request_full\n"
        f"1 DEBUG Response - Headers: {headers.replace('201', '200').replace('p1', 'p2')}\n"
        f"        Body: {body.replace('p1', 'p2')}\n"
    )
    assert tempest_log.created_ids(tmp_path / "log").projects == {"p1"}
