"""A proposal as one page to look at: counts, plots, must-have list, changes, flags, questions."""

from collections import Counter

from markupsafe import Markup

from capabilities.guideline import Status
from scoring.committee.criteria import names
from scoring.committee.proposal import Proposal
from scoring.committee.recommendation import Recommended
from scoring.committee.total import Standing
from scoring.committee.worksheet import SLOTS
from scoring.formats import html_templates, plots, xlsx_export

_PLOTS = (
    ("Where everything stands", plots.cutoff_strip),
    ("What each criterion moves", plots.tornado),
    ("How capabilities came and went", plots.swim_lanes),
)


def export(proposal: Proposal, title: str) -> str:
    """Return a self-contained page: it fetches nothing and runs no script."""
    sections = dict.fromkeys(each.row.section for each in proposal.recommendations)
    return html_templates.template("scoring.formats", "board.html").render(
        title=title,
        proposal=proposal,
        criteria=list(proposal.criteria.listed()),
        names=names(),
        slots=SLOTS,
        standings=_counts(Standing, (each.total.standing for each in proposal.recommendations)),
        recommended=_counts(Recommended, (each.recommended for each in proposal.recommendations)),
        proposed=_counts(Status, proposal.statuses.values()),
        # What matplotlib writes is markup; every text in it went through its own escaping.
        plots=[(heading, Markup(plot(proposal))) for heading, plot in _PLOTS],  # noqa: S704
        sections={
            name: [each for each in proposal.recommendations if each.row.section == name]
            for name in sections
        },
        tables=xlsx_export.static_tables(proposal),
    )


def _counts(kinds, found) -> dict[str, int]:
    counts = Counter(found)
    return {str(kind): counts[kind] for kind in kinds}
