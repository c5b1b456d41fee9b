"""No secret passes."""

import itertools
import json

import pytest
import testtools
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.redaction import Redactor, hide

CANARY = "c4n4ry '\"%$é# secret"


@pytest.mark.parametrize(
    "text",
    [
        'Body: {"user": {"name": "x", "password": "hunter2 \\" and more"}}',
        'Body: b\'{"adminPass": "hunter2", "x": 1}\'',
        "{'X-Auth-Token': 'hunter2'}",
        "x-subject-token: gAAAAABhunter2hunter2hunter2hunter2",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    hidden = hide(text.encode()).decode()
    assert "hunter2" not in hidden
    assert "<redacted>" in hidden


def test_what_is_already_omitted_stays_readable():
    text = b"{'X-Auth-Token': '<omitted>', 'Accept': 'json'}"
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
