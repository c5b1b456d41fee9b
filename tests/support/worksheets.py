"""A worksheet with every kind of row, and worksheets that hypothesis draws."""

from collections.abc import Sequence

from hypothesis import strategies as st

from scoring.committee import criteria, worksheet

CURRENT = criteria.find("2016.08")
TEXT = """\
Title
=====
Capability Name: [Widely Deployed,Used By Tools,Used by Clients],

good:      [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*
open:      [?,1,1] [1,1,1] [0,0,0] [0,1,1] [1]
  Notes:
  * a note: with [1,2,3] in it, and a link [4]
gated:     [1,1,1] [1,1,1] [1,1,0] [1,1,1] [0] [0]
tight:\t[1,0,0][0,0,0][0,0,0][0,0,0][1]
"""


def sheet(text: str = TEXT) -> worksheet.Worksheet:
    """Return the worksheet in ``text``, of a file called sheet.txt."""
    return worksheet.parse(text, "sheet.txt")


CELL = st.sampled_from("01?*")
ROW = st.tuples(
    st.from_regex(r"[a-z][a-z-]{0,12}", fullmatch=True), st.lists(CELL, min_size=13, max_size=13)
)
ROWS = st.lists(ROW, min_size=1, max_size=6, unique_by=lambda row: row[0])


def as_text(rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return the text of a worksheet with these rows of 13 cells."""
    lines = []
    for name, cells in rows:
        groups = [f"[{','.join(cells[n : n + 3])}]" for n in (0, 3, 6, 9)]
        lines.append(f"{name}: {' '.join(groups)} [{cells[12]}]\n")
    return "prose\n".join(lines)
