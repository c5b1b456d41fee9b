"""The layout of the spreadsheet: sheets, columns and first rows that export and import share."""

from scoring.committee.criteria import names
from scoring.committee.decisions import COLUMNS
from scoring.committee.worksheet import SLOTS

SCORES, CRITERIA, MUST_HAVE = "Scores", "Criteria", "Must-have"
CHANGES, FLAGS, QUESTIONS = "Changes", "Flags", "Open questions"
SHEETS = (SCORES, CRITERIA, MUST_HAVE, CHANGES, FLAGS, QUESTIONS)
DIGEST = "scores-sha256"
"""The custom property with the digest of the scores and decisions that were exported."""
FIRST_SCORE_ROW, FIRST_MUST_HAVE_ROW = 2, 1
"""Counted from 0. The rows above hold headings and, on Scores, the weights."""
SCORES_COLUMNS = (
    *("Capability", *(names()[slot] for slot in SLOTS)),
    *("Known total", "Possible total", "Standing", "Section"),
)
MUST_HAVE_COLUMNS = (
    *("capability", "total", "standing", "before", "countable tests", "recommended"),
    *COLUMNS[1:],
    *("proposed", "change"),
)
