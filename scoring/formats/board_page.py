"""Export a proposal as one HTML page: counts, plots, must-have list, changes, flags, questions."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from markupsafe import Markup

from capabilities.guideline import Status
from scoring.committee.criteria import names
from scoring.committee.proposal import Proposal
from scoring.committee.recommendation import Recommended
from scoring.committee.total import Standing
from scoring.committee.worksheet import SLOTS
from scoring.formats import html_templates, plots, xlsx_export

_PLOTS = (
    ("Totals and cutoff", plots.cutoff_strip),
    ("Effect of each criterion", plots.tornado),
    ("Status history", plots.swim_lanes),
)


def export(proposal: Proposal, title: str) -> str:
    """Return a self-contained page, which loads nothing and runs no script."""
    recommendations = proposal.recommendations
    sections = dict.fromkeys(recommendation.row.section for recommendation in recommendations)
    return html_templates.template("scoring.formats", "board.html").render(
        title=title,
        proposal=proposal,
        criteria=list(proposal.criteria.listed()),
        names=names(),
        slots=SLOTS,
        standings=_counts(
            Standing, (recommendation.total.standing for recommendation in recommendations)
        ),
        recommended=_counts(
            Recommended, (recommendation.recommended for recommendation in recommendations)
        ),
        proposed=_counts(Status, proposal.statuses.values()),
        # matplotlib writes markup and has escaped every text in it.
        plots=[(heading, Markup(plot(proposal))) for heading, plot in _PLOTS],  # noqa: S704
        sections={
            name: [
                recommendation
                for recommendation in recommendations
                if recommendation.row.section == name
            ]
            for name in sections
        },
        tables=xlsx_export.static_tables(proposal),
    )


def _counts(kinds: type[StrEnum], found: Iterable[StrEnum]) -> dict[str, int]:
    counts = Counter(found)
    return {str(kind): counts[kind] for kind in kinds}
