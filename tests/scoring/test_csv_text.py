"""CSV text that a spreadsheet program opens without running a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import csv_text
from scoring.errors import ScoringError

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "'=1", "''=1"])
def test_a_formula_gets_an_apostrophe(text):
    assert csv_text.neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "'quoted'", "1-1", "it's"])
def test_other_texts_stay_as_they_are(text):
    assert csv_text.neutral(text) == text


@given(text=TEXTS.map(str.strip))
def test_a_neutral_text_is_no_formula_and_is_read_back(text):
    neutral = csv_text.neutral(text)
    assert not neutral.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert csv_text.plain(neutral) == text


@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=4))
def test_fields_are_read_back(rows):
    assert csv_text.fields_of(csv_text.lines(rows), "x") == rows
    assert csv_text.fields_of("\ufeff" + csv_text.lines([["a", "b"]]), "x") == [["a", "b"]]


def test_a_table_has_its_columns_first_and_neutral_cells():
    assert csv_text.table(("a", "b"), [("=1", "x,y")]) == 'a,b\n\'=1,"x,y"\n'


def test_a_file_that_is_not_csv_is_refused_with_its_line():
    with pytest.raises(ScoringError, match="x:2: not valid CSV"):
        csv_text.fields_of("a\n" + "x" * 200_000, "x")
