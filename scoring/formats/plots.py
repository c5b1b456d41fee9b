"""Plots for the board as SVG: totals about the cutoff, effect of each criterion, status history.

The same proposal gives the same bytes.
"""

import io
import logging
import re
from collections.abc import Iterable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from capabilities import catalogue, programme
from capabilities.errors import UnknownNameError
from capabilities.guideline import Status
from capabilities.programme import Programme
from scoring.committee import sensitivity
from scoring.committee.proposal import Proposal
from scoring.committee.recommendation import Recommendation
from scoring.committee.sensitivity import CriterionEffect
from scoring.committee.total import Standing

# Colour-blind people can distinguish blue, orange and grey; marks and letters differ too.
_BLUE, _PALE, _ORANGE, _GREY = "#3182bd", "#9ecae1", "#e6550d", "#8a8f94"
_MARKS = {
    Standing.IN: ("o", _BLUE),
    Standing.OPEN: ("D", _ORANGE),
    Standing.OUT: ("x", _GREY),
}
_LANES = {
    Status.REQUIRED: (_BLUE, "R", "white"),
    Status.ADVISORY: (_PALE, "A", "black"),
    Status.DEPRECATED: (_ORANGE, "D", "white"),
    Status.REMOVED: ("#d9d9d9", "x", "black"),
}
_INCHES_WIDE = 10
# Its messages about the font cache are of no use to the user.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
# A dollar sign in a name is not a formula.
mpl.rcParams["text.parse_math"] = False


def cutoff_strip(proposal: Proposal) -> str:
    """Return the total of each capability as a mark about the cutoff, one line per section.

    The interval of an open capability is a line to its mark.
    """
    recommendations = proposal.recommendations
    sections = list(dict.fromkeys(recommendation.row.section for recommendation in recommendations))
    figure, axes = _figure(1.2 + 0.75 * len(sections))
    for standing, (mark, colour) in _MARKS.items():
        chosen = [
            recommendation
            for recommendation in recommendations
            if recommendation.total.standing is standing
        ]
        if chosen:
            heights = [
                _height(recommendation, recommendations, sections) for recommendation in chosen
            ]
            lows = [float(recommendation.total.low) for recommendation in chosen]
            highs = [float(recommendation.total.high) for recommendation in chosen]
            axes.hlines(heights, lows, highs, colors=colour, linewidth=1)
            axes.plot(
                *(highs, heights),
                linestyle="",
                marker=mark,
                color=colour,
                markersize=5,
                label=f"{standing} ({len(chosen)})",
            )
    if proposal.criteria.cutoff is not None:
        axes.axvline(proposal.criteria.cutoff, color="black", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(sections)), [section or "(no section)" for section in sections])
    axes.invert_yaxis()
    axes.set_xlim(-2, proposal.criteria.most + 2)
    axes.set_xlabel(f"total of {proposal.criteria.most}; the line is the cutoff")
    figure.legend(loc="outside upper left", ncols=len(_MARKS), frameon=False)
    return _svg(figure)


def _height(
    recommendation: Recommendation, others: Sequence[Recommendation], sections: list[str]
) -> float:
    """Return the place of a mark on its section's line, such that equal totals do not overlap."""
    section, total = recommendation.row.section, recommendation.total.high
    same = [
        other.capability
        for other in others
        if other.row.section == section and other.total.high == total
    ]
    offset = same.index(recommendation.capability) - (len(same) - 1) / 2
    return sections.index(section) + offset * min(0.12, 0.8 / len(same))


def tornado(proposal: Proposal) -> str:
    """Return how many capabilities are in without each criterion, and with its weight doubled."""
    rows = tuple(recommendation.row for recommendation in proposal.recommendations)
    effects = sensitivity.by_criterion(rows, proposal.criteria)
    now = sum(
        recommendation.total.standing is Standing.IN for recommendation in proposal.recommendations
    )
    # The criterion that changes most is at the top.
    names = sorted(effects, key=lambda name: (_reach(effects[name], now), effects[name].weight))
    figure, axes = _figure(1.2 + 0.3 * len(names))
    for number, name in enumerate(names):
        bars = (
            (number + 0.2, effects[name].without, _ORANGE),
            (number - 0.2, effects[name].doubled, _BLUE),
        )
        for height, value, colour in bars:
            axes.barh(height, value - now, 0.4, left=now, color=colour)
            axes.annotate(
                f"{value - now:+d}",
                (value, height),
                ha="left" if value >= now else "right",
                va="center",
                fontsize=8,
                textcoords="offset points",
                xytext=(3 if value >= now else -3, 0),
            )
    axes.axvline(now, color="black", linewidth=1)
    axes.set_yticks(range(len(names)), [f"{name} ({effects[name].weight})" for name in names])
    axes.set_xlabel(
        f"capabilities in, {now} now: orange without the criterion, blue with it doubled"
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.1)
    return _svg(figure)


def _reach(effect: CriterionEffect, now: int) -> int:
    return max(abs(effect.without - now), abs(effect.doubled - now))


def swim_lanes(proposal: Proposal) -> str:
    """Return the status of each capability in all guidelines so far and as proposed.

    A capability that is removed or not listed in both the previous guideline and the proposal has
    no lane.
    """
    history = [*_history(proposal.previous), ("proposed", proposal.statuses)]
    lanes = [
        name
        for name in dict.fromkeys((*proposal.previous.statuses, *proposal.statuses))
        if any(
            statuses.get(name) in (Status.REQUIRED, Status.ADVISORY, Status.DEPRECATED)
            for _, statuses in history[-2:]
        )
    ]
    figure, axes = _figure(1.2 + 0.2 * len(lanes))
    for row, name in enumerate(lanes):
        for column, (_, statuses) in enumerate(history):
            if name in statuses:
                colour, letter, ink = _LANES[statuses[name]]
                axes.barh(row, 0.96, 0.85, left=column - 0.48, color=colour)
                axes.text(
                    *(column, row, letter),
                    ha="center",
                    va="center",
                    color=ink,
                    fontsize=7,
                )
    axes.set_yticks(range(len(lanes)), lanes, fontsize=8)
    axes.set_xticks(range(len(history)), [name for name, _ in history], rotation=45, fontsize=8)
    axes.xaxis.tick_top()
    axes.set_xlabel("R required, A advisory, D deprecated, x removed")
    axes.set_xlim(-0.5, len(history) - 0.5)
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    return _svg(figure)


def _history(previous: Programme) -> Iterable[tuple[str, dict[str, Status]]]:
    """Yield the shipped guidelines with this programme up to ``previous``, oldest first."""
    for name in catalogue.shipped():
        guideline, _ = catalogue.load(name)
        if guideline.note or guideline.id >= previous.guideline.id:
            continue
        try:
            found = programme.find(guideline, previous.name)
        except UnknownNameError:
            continue
        yield guideline.id, dict(found.statuses)
    yield previous.guideline.id, dict(previous.statuses)


def _figure(inches_high: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_INCHES_WIDE, inches_high), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    # Text stays text for search and screen readers; a fixed salt gives the same ids every time.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "refstack"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()[out.getvalue().index("<svg") :]
    # The page sets the width, not the size in points.
    return re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", svg, count=1).replace(
        ' height="', ' data-height="', 1
    )
