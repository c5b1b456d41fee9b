"""Draft the next guideline from the previous one and the proposal (2017A A1)."""

import copy
from collections.abc import Mapping

from capabilities.guideline import Component, Status
from capabilities.json_document import Json, JsonDocument, JsonObject, join
from scoring.committee.criteria import GATE, CriteriaSet, criteria
from scoring.committee.proposal import Proposal
from scoring.committee.worksheet import Row
from scoring.errors import ScoringError


def document(proposal: Proposal, before: Mapping[str, Json], name: str) -> JsonObject:
    """Return a guideline of schema 2.0 with the status draft.

    Statuses, achievements and weights are new, everything else is that of ``before``. A criterion
    is achieved where the cell has the highest score. An admin capability is deprecated in every
    component, because no programme can require it.

    :param before: the document of ``proposal.previous``, of schema 2.0
    :param name: id of the draft: ``next`` until its date is known
    :raises ScoringError: a capability enters and the programme has several components
    :raises GuidelineError: ``before`` has a value of another type than the schema's
    """
    draft = _Draft(copy.deepcopy(dict(before)), name)
    draft.set_metadata(proposal)
    statuses = proposal.previous.statuses
    changed = {
        capability: status
        for capability, status in proposal.statuses.items()
        if status is not statuses.get(capability)
    }
    gated = dict.fromkeys(proposal.gated_elsewhere, Status.DEPRECATED)
    own = _components(proposal)
    for key, component in proposal.previous.guideline.components.items():
        if key in own or gated:
            draft.set_statuses(key, component, changed if key in own else gated)
    draft.add_new(proposal, list(own))
    draft.set_scores(proposal)
    return draft.content


class _Draft:
    """The document that becomes the draft, with its parts found and typed."""

    def __init__(self, content: JsonObject, name: str):
        self.content = content
        self.name = name
        self._reading = JsonDocument(name)

    def _part(self, parent: JsonObject, pointer: str, key: str) -> JsonObject:
        """Return the object at ``key`` of ``parent``, made where it is missing."""
        parent[key] = part = self._reading.mapping(parent, pointer, key)
        return part

    def set_metadata(self, proposal: Proposal) -> None:
        metadata = self._part(self.content, "", "metadata")
        metadata.pop("reconstructed", None)
        approval = self._part(metadata, "/metadata", "os_trademark_approval")
        approval |= {
            "target_approval": self.name,
            "replaces": proposal.previous.guideline.id,
            "status": "draft",
        }
        metadata |= {"id": self.name, "scoring": _scoring(proposal.criteria)}

    def _component(self, key: str) -> JsonObject:
        components = self._part(self.content, "", "components")
        return self._part(components, "/components", key)

    def set_statuses(self, key: str, component: Component, changed: Mapping[str, Status]) -> None:
        """List a component's capabilities by their new status, in their previous order."""
        own = [
            (capability, changed.get(capability, status))
            for status in Status
            for capability in component.capabilities.get(status, ())
        ]
        self._component(key)["capabilities"] = {
            str(status): [capability for capability, new in own if new is status]
            for status in Status
        }

    def add_new(self, proposal: Proposal, components: list[str]) -> None:
        """List the capabilities that enter, in the programme's only component."""
        for recommendation in proposal.recommendations:
            if recommendation.was is not None or recommendation.proposed is None:
                continue
            if len(components) > 1:
                raise ScoringError(
                    f"{recommendation.capability} would enter {proposal.previous.name}, which has "
                    f"the components {', '.join(components)}",
                    hint="choose the programme of one component with --programme",
                )
            pointer = join("/components", components[0])
            lists = self._part(self._component(components[0]), pointer, "capabilities")
            status = str(recommendation.proposed)
            listed = self._reading.listing(lists, f"{pointer}/capabilities", status)
            lists[status] = [*listed, recommendation.capability]

    def set_scores(self, proposal: Proposal) -> None:
        """Set achievements, admin and the date since when of the scored capabilities."""
        capabilities = self._part(self.content, "", "capabilities")
        for recommendation in proposal.recommendations:
            if recommendation.proposed is None:
                continue
            capabilities.setdefault(recommendation.capability, _new())
            entry = self._part(capabilities, "/capabilities", recommendation.capability)
            entry["achievements"] = _achievements(recommendation.row, proposal.criteria)
            entry["admin"] = recommendation.row.cells[GATE] == "0"
            required = recommendation.proposed is Status.REQUIRED
            if required and recommendation.was is not Status.REQUIRED:
                entry["required_since"] = self.name


def _components(proposal: Proposal) -> dict[str, Component]:
    guideline = proposal.previous.guideline
    platform = next(
        platform for platform in guideline.platforms if platform.name == proposal.previous.name
    )
    return {key: guideline.components[key] for key in platform.components}


def _achievements(row: Row, chosen: CriteriaSet) -> list[Json]:
    return [slot for slot in chosen.weights if row.score(slot) == chosen.highest]


def _scoring(chosen: CriteriaSet) -> JsonObject:
    return {
        "cutoff_score": chosen.cutoff,
        "criteria": {
            criterion.id: {"name": criterion.name, "weight": chosen.weights[criterion.id]}
            for criterion in criteria()
            if criterion.id in chosen.weights
        },
    }


def _new() -> JsonObject:
    return {"achievements": [], "description": "", "project": "", "required_since": "", "tests": {}}
