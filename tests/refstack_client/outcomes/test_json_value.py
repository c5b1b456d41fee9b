"""JSON documents from outside: one meaning, and text that a file and a database take."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonValue, loads

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ANY, st.booleans())
def test_any_document_is_read_as_it_was_written(document, ascii_only):
    text = json.dumps(document, ensure_ascii=ascii_only)
    assert loads(text) == loads(text.encode()) == document


@pytest.mark.parametrize(
    "text",
    [
        r'"\ud800"',
        r'{"a": ["x\uDC00y"]}',
        r'{"\uD83D": 1}',
        r'"\ude00\ud83d"',
        '{"a": 1, "a": 1}',
        '[{"a": 1, "b": 2, "a": 3}]',
        "",
        "[",
        "nan",
    ],
)
def test_what_readers_take_differently_is_refused(text):
    with pytest.raises(InputError, match="f: not valid JSON"):
        JsonValue.parse(text, "f")


@pytest.mark.parametrize("text", [r'"\ud83d\ude00"', r'"\\ud800"', '"😀"'])
def test_whole_pairs_are_text(text):
    assert isinstance(JsonValue.parse(text.encode(), "f").text(), str)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_of_unicode_are_read(encoding):
    assert loads('{"a": "ä"}'.encode(encoding)) == {"a": "ä"}
