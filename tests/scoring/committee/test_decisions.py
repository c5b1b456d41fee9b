"""Decisions as people write them, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities.guideline import Status
from scoring.committee import decisions
from scoring.committee.decisions import Decision
from scoring.errors import ScoringError

prose = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1).map(
    str.strip
)


@given(
    st.lists(
        st.builds(
            Decision,
            capability=st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True),
            decision=st.sampled_from(Status).map(str),
            reason=prose.filter(bool),
            author=prose.filter(bool),
            date=st.dates().map(str),
            note=prose,
        ),
        unique_by=lambda decision: decision.capability,
    )
)
def test_what_is_written_is_read_back_and_no_cell_is_a_formula(found):
    text = decisions.write(found)
    assert list(decisions.read(text, "x").values()) == found
    assert decisions.write(decisions.read(text, "x").values()) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "'=1"])
def test_a_text_that_looks_like_a_formula_is_neutralised(text):
    written = decisions.write([Decision("one", note=text)])
    assert written.splitlines()[1] == f"one,,,,,'{text}"
    assert decisions.read(written, "x")["one"].note == text


HEADER = "capability,decision,reason,author,date,note\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("capability,verdict\n", 'x:1:2: unknown column "verdict"'),
        ("decision,reason\n", "x:1: the column capability is missing"),
        (HEADER + "one,perhaps,r,a,2026-11-20,\n", 'x:2: "perhaps" is not a valid status'),
        (HEADER + "one,required,,,2026-11-20,\n", "x:2: .* has no reason and no author"),
        (HEADER + "one,required,r,a,20.11.2026,\n", 'x:2: "20.11.2026" is not a valid date'),
        (HEADER + "one,required\n", "x:2: 2 fields where the header has 6"),
        (HEADER + "one,,,,,n\none,,,,,n\n", "x:3: duplicate decision on one"),
    ],
)
def test_an_invalid_decision_is_refused_with_its_place(text, message):
    with pytest.raises(ScoringError, match=message):
        decisions.read(text, "x")
