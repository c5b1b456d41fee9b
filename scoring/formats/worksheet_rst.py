"""Export scores as a reStructuredText table, for the committee's documents."""

from collections.abc import Iterable, Mapping

import pandas as pd

from scoring.committee.worksheet import SLOTS, Row
from scoring.formats.worksheet_csv import HEADINGS


def export(rows: Iterable[Row], totals: Mapping[str, str]) -> str:
    """Return a simple table: capability, twelve criteria, Non-Admin, total.

    ``*`` is escaped, because it starts emphasis in reStructuredText.
    """
    table = pd.DataFrame(
        (
            (
                row.capability,
                *(_escaped(row.cells[slot]) for slot in SLOTS),
                _escaped(totals.get(row.capability, "")),
            )
            for row in rows
        ),
        columns=HEADINGS,
    )
    return table.to_markdown(index=False, tablefmt="rst", disable_numparse=True) + "\n"


def _escaped(text: str) -> str:
    return text.replace("*", r"\*")
