"""No secret passes."""

import io
import itertools
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import subunit
import testtools
from hypothesis import given
from hypothesis import strategies as st
from support.making import BEGIN, NAMES, STORAGE

from capabilities import catalogue
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import pack
from refstack_client.bundle.anonymise import Anonymiser
from refstack_client.outcomes import stream_tools, subunit_stream
from refstack_client.outcomes.redaction import Redactor, hide
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import judge

CANARY = "c4n4ry '\"%$é# secret"


@pytest.mark.parametrize(
    "text",
    [
        'Body: {"user": {"name": "x", "password": "hunter2 \\" and more"}}',
        'Body: b\'{"adminPass": "hunter2", "x": 1}\'',
        "{'X-Auth-Token': 'hunter2'}",
        "{'X-Auth-Token': 'hunter2",
        'Body: {"password": "hunter2 that Tempest cut',
        "x-subject-token: gAAAAABhunter2hunter2hunter2hunter2",
        'Body: {"keypair": {"private_key": "-----BEGIN RSA PRIVATE KEY-----\\nhunter2\\n"}}',
        "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\nhunter2\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nhunter2 that Tempest cut",
        '{"auth_key": "hunter2"}',
        "token eyJhbGciOiJFUzI1NiJ9.eyJodW50ZXIyIjoxfQhunter2.hunter2hunter2",
        "{'Authorization': 'Basic hunter2'}",
        "GET http://joe:hunter2@proxy.example:3128/v3",
        "https://:hunter2@k.example/",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    hidden = hide(text.encode()).decode()
    assert "hunter2" not in hidden
    assert "<redacted>" in hidden


@pytest.mark.parametrize(
    "text",
    [
        b"{'X-Auth-Token': '<omitted>', 'Accept': 'json'}",
        b"GET http://k.example:5000/v3 a@b.example",
        b"http://[::1]:5000/v3/users?x=a:b",
        b"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        b"mailto:joe@example.org, eyJ is the start of much",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert hide(text) == text


@pytest.mark.parametrize(
    "form", [str, repr, ascii, json.dumps, lambda text: repr(json.dumps(text).encode())]
)
def test_a_known_secret_is_hidden_in_every_form_a_log_gives_it(form):
    hidden = hide(f"before {form(CANARY)} after".encode(), [CANARY]).decode()
    assert "c4n4ry" not in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")


class Sink(testtools.StreamResult):
    def __init__(self):
        super().__init__()
        self.events = []

    def status(self, **event):
        self.events.append(event)

    @property
    def content(self) -> bytes:
        return b"".join(each.get("file_bytes") or b"" for each in self.events)


@given(before=st.binary(max_size=30), cuts=st.sets(st.integers(1, 80), max_size=5))
def test_a_secret_that_straddles_pieces_is_hidden(before, cuts):
    whole = before + CANARY.encode() + b" end"
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    sink = Sink()
    redactor = Redactor(sink, [CANARY])
    for start, end in itertools.pairwise(edges):
        redactor.status(
            test_id="t", file_name="log", file_bytes=whole[start:end], eof=end == len(whole)
        )
    assert CANARY.encode() not in sink.content
    assert b"<redacted> end" in sink.content


def test_an_attachment_that_never_ends_is_passed_on_with_the_outcome():
    sink = Sink()
    redactor = Redactor(sink, [CANARY])
    redactor.status(test_id="t", file_name="log", file_bytes=b"one " + CANARY.encode())
    redactor.status(test_id="t", test_status="fail")
    assert sink.content == b"one <redacted>"
    assert sink.events[-1]["test_status"] == "fail"


# -- what other tools make of what passed through -------------------------------------------------

ROUTES = ("0", "1", None)


def by_workers(count: int) -> bytes:
    """Return a stream of passes by several workers; attachments come in pieces, some unended."""
    out = io.BytesIO()
    events = subunit.StreamResultToBytes(out)
    for number, test in enumerate(NAMES[:count]):
        of_event = {
            "test_id": test,
            "route_code": ROUTES[number % len(ROUTES)],
            "test_tags": {f"worker-{number % len(ROUTES)}"},
            "timestamp": BEGIN + timedelta(seconds=number),
        }
        events.status(test_status="inprogress", **of_event)
        for piece, is_last in ((b"http://192.0.2.7 ", False), (b"gAAAA" + 30 * b"x", number % 2)):
            events.status(
                file_name="pythonlogging:''",
                file_bytes=piece,
                mime_type="text/plain",
                eof=bool(is_last),
                **of_event,
            )
        events.status(test_status="success", **of_event)
    return out.getvalue()


def redacted(content: bytes) -> bytes:
    out = io.BytesIO()
    stream_tools.copy(
        io.BytesIO(content),
        stream_tools.CompletePackets(Redactor(subunit.StreamResultToBytes(out))),
    )
    return out.getvalue()


def anonymised(content: bytes) -> bytes:
    out = io.BytesIO()
    target = Anonymiser(STORAGE, None).filter(subunit.StreamResultToBytes(out))
    stream_tools.copy(io.BytesIO(content), stream_tools.CompletePackets(Redactor(target)))
    return out.getvalue()


def joined(content: bytes) -> bytes:
    out = io.BytesIO()
    stream_tools.join([io.BytesIO(redacted(content))], subunit.StreamResultToBytes(out))
    return out.getvalue()


def bundled(content: bytes) -> bytes:
    source = pack.Source(("guideline.json", catalogue.content("2020.06")), STORAGE, content, {})
    return pack.make(source, anonymous=True, attested={})[bundle_contents.STREAM]


def filtered(tool: str, content: bytes) -> bytes:
    command = [Path(sys.executable).with_name(tool)]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    return done.stdout


@pytest.mark.parametrize("passed_through", [redacted, anonymised, joined, bundled])
def test_other_tools_see_the_passes_and_nothing_else(passed_through):
    content = passed_through(by_workers(len(NAMES)))
    assert b"gAAAA" not in content
    summary = testtools.StreamSummary()
    summary.startTestRun()
    stream_tools.copy(io.BytesIO(content), summary)
    summary.stopTestRun()
    assert (summary.testsRun, summary.wasSuccessful()) == (len(NAMES), True)
    figures = dict(re.findall(r"(\w+) tests: +(\d+)", filtered("subunit-stats", content).decode()))
    assert figures == {"Total": "58", "Passed": "58", "Failed": "0", "Skipped": "0"}


@pytest.mark.parametrize("passed_through", [redacted, anonymised, joined, bundled])
def test_the_copy_in_version_1_has_the_same_verdict(passed_through):
    content = passed_through(by_workers(len(NAMES)))
    copy = filtered("subunit-2to1", content)
    verdicts = [judge(STORAGE, subunit_stream.parse(each, "x")) for each in (content, copy)]
    assert [str(each.conformance) for each in verdicts] == ["conformant", "conformant"]
    assert [each.count(Outcome.PASS) for each in verdicts] == [58, 58]
    assert copy.count(b"\nsuccessful: ") == 58


def test_an_attachment_keeps_route_time_and_tags_of_its_event():
    sink = Sink()
    stream_tools.copy(io.BytesIO(by_workers(3)), Redactor(sink))
    assert len(sink.events) == 9
    for number in range(3):
        own = [each for each in sink.events if each["test_id"] == NAMES[number]]
        assert [bool(each.get("file_name")) for each in own] == [False, True, False]
        assert {each.get("route_code") for each in own} == {ROUTES[number]}
        assert {each["timestamp"] for each in own} == {BEGIN + timedelta(seconds=number)}
        assert [each["test_tags"] for each in own] == [{f"worker-{number}"}] * 3


def test_attachments_of_one_name_by_two_workers_are_held_apart():
    sink = Sink()
    redactor = Redactor(sink)
    for route, text in (("0", b"a"), ("1", b"b"), ("0", b"a"), ("1", b"b")):
        redactor.status(test_id="t", file_name="log", file_bytes=text, route_code=route)
    redactor.status(test_id="t", test_status="fail", route_code="1")
    assert [(each.get("route_code"), each.get("file_bytes")) for each in sink.events] == [
        ("1", b"bb"),
        ("1", None),
    ]
    redactor.status(test_id="t", test_status="success", route_code="0")
    assert sink.events[2]["file_bytes"] == b"aa"
