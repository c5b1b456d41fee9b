"""The next guideline as a draft, made from the one before it and what is proposed (2017A A1)."""

import copy
from collections.abc import Mapping
from typing import Any

from capabilities.guideline import Component, Status
from scoring.committee.criteria import GATE, CriteriaSet, criteria
from scoring.committee.proposal import Proposal
from scoring.committee.worksheet import Row
from scoring.errors import ScoringError


def document(proposal: Proposal, before: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a guideline of schema 2.0 with status draft.

    Statuses, achievements and weights are new; all else stays as it was. A criterion is achieved
    where a cell has the best score. What needs an admin is deprecated in every component: no
    programme can require it.

    :param before: the document of ``proposal.previous``, of schema 2.0
    :param name: id of the draft; ``next`` until its date is known
    :raises ScoringError: a capability enters and the programme has several components
    """
    draft = copy.deepcopy(dict(before))
    draft["metadata"] = {
        **{key: value for key, value in draft["metadata"].items() if key != "reconstructed"},
        "id": name,
        "scoring": _scoring(proposal.criteria),
        "os_trademark_approval": {
            **draft["metadata"].get("os_trademark_approval", {}),
            "target_approval": name,
            "replaces": proposal.previous.guideline.id,
            "status": "draft",
        },
    }
    before_statuses = proposal.previous.statuses
    changed = {
        each: status
        for each, status in proposal.statuses.items()
        if status is not before_statuses.get(each)
    }
    for key, component in _components(proposal).items():
        draft["components"][key]["capabilities"] = _lists(component, changed)
    gated = dict.fromkeys(proposal.gated_elsewhere, Status.DEPRECATED)
    for key, component in proposal.previous.guideline.components.items():
        if gated and key not in _components(proposal):
            draft["components"][key]["capabilities"] = _lists(component, gated)
    _place_new(draft, proposal)
    for each in proposal.recommendations:
        if each.proposed is not None:
            entry = draft["capabilities"].setdefault(each.capability, _new())
            entry["achievements"] = _achievements(each.row, proposal.criteria)
            entry["admin"] = each.row.cells[GATE] == "0"
            if each.proposed is Status.REQUIRED and each.was is not Status.REQUIRED:
                entry["required_since"] = name
    return draft


def _components(proposal: Proposal) -> dict[str, Component]:
    guideline = proposal.previous.guideline
    platform = next(each for each in guideline.platforms if each.name == proposal.previous.name)
    return {key: guideline.components[key] for key in platform.components}


def _lists(component: Component, changed: Mapping[str, Status]) -> dict[str, list[str]]:
    """Return a component's capabilities by their new status, in their old order."""
    own = [
        (name, changed.get(name, status))
        for status in Status
        for name in component.capabilities.get(status, ())
    ]
    return {str(status): [name for name, new in own if new is status] for status in Status}


def _place_new(draft: dict[str, Any], proposal: Proposal) -> None:
    components = list(_components(proposal))
    for each in proposal.recommendations:
        if each.was is None and each.proposed is not None:
            if len(components) > 1:
                raise ScoringError(
                    f"{each.capability} would enter {proposal.previous.name}, which has the "
                    f"components {', '.join(components)}",
                    hint="name the programme of one component with --programme",
                )
            lists = draft["components"][components[0]]["capabilities"]
            lists[str(each.proposed)].append(each.capability)


def _achievements(row: Row, chosen: CriteriaSet) -> list[str]:
    return [slot for slot in chosen.weights if row.score(slot) == chosen.highest]


def _scoring(chosen: CriteriaSet) -> dict[str, Any]:
    return {
        "cutoff_score": chosen.cutoff,
        "criteria": {
            each.id: {"name": each.name, "weight": chosen.weights[each.id]}
            for each in criteria()
            if each.id in chosen.weights
        },
    }


def _new() -> dict[str, Any]:
    return {"achievements": [], "description": "", "project": "", "required_since": "", "tests": {}}
