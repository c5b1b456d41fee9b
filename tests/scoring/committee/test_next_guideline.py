"""The draft of the next guideline."""

import copy
import json

import pytest
from support.worksheets import CURRENT, sheet

from capabilities import catalogue, process_rules, programme, reader
from capabilities.guideline import Guideline
from capabilities.json_document import JsonObject
from scoring.committee import next_guideline
from scoring.committee.decisions import Decision
from scoring.committee.proposal import Proposal, propose
from scoring.errors import ScoringError

BEFORE = reader.document(catalogue.content("2020.06"), "2020.06")
FULL = "[1,1,1] [1,1,1] [1,1,{sticky}] [1,1,1] [1]"
OLD = "objectstore-object-create"


def proposed(text: str, name: str = "storage", **decided: str) -> Proposal:
    previous = programme.find(catalogue.load("2020.06")[0], name)
    decisions = {
        capability.replace("_", "-"): Decision(capability, status, "why", "who", "2026-11-20")
        for capability, status in decided.items()
    }
    return propose(sheet(text + "\n").rows, CURRENT, previous, decisions)


def drafted(proposal: Proposal) -> tuple[JsonObject, Guideline]:
    document = next_guideline.document(proposal, BEFORE, "next")
    guideline, _ = reader.parse(json.dumps(document).encode(), "next.json")
    return document, guideline


def test_the_draft_is_a_guideline_with_new_metadata_that_replaces_the_previous_one():
    _, guideline = drafted(proposed(f"{OLD}: {FULL.format(sticky=1)}"))
    assert (guideline.id, guideline.status, guideline.replaces) == ("next", "draft", "2020.06")
    assert (dict(guideline.weights), guideline.cutoff) == (dict(CURRENT.weights), 74)


def test_without_a_change_only_scores_metadata_and_admin_capabilities_differ():
    draft, guideline = drafted(proposed(f"{OLD}: {FULL.format(sticky=1)}"))
    before = catalogue.load("2020.06")[0]
    storage = "os_powered_storage"
    assert guideline.components[storage].capabilities == before.components[storage].capabilities
    assert [test.key for test in guideline.capabilities[OLD].tests] == [
        test.key for test in before.capabilities[OLD].tests
    ]
    assert guideline.capabilities[OLD].achievements == tuple(CURRENT.weights)
    kept = draft["capabilities"].keys() - {OLD}
    assert {name: draft["capabilities"][name] for name in kept} == {
        name: BEFORE["capabilities"][name] for name in kept
    }


def test_an_admin_capability_of_another_component_is_deprecated():
    _, guideline = drafted(proposed(f"{OLD}: {FULL.format(sticky=1)}"))
    deprecated = guideline.components["os_powered_compute"].capabilities["deprecated"]
    assert {"networks-l3-CRUD", "networks-l3-router"} <= set(deprecated)
    codes = {finding.code for finding in process_rules.check(guideline)}
    assert "admin-required" not in codes
    assert "admin-required" in {
        finding.code for finding in process_rules.check(catalogue.load("2020.06")[0])
    }


def test_a_decision_changes_the_status_and_a_new_capability_enters():
    text = f"{OLD}: {FULL.format(sticky=1)}\nobjectstore-new: {FULL.format(sticky=0)}"
    decided = {OLD.replace("-", "_"): "deprecated", "objectstore_new": "advisory"}
    draft, guideline = drafted(proposed(text, **decided))
    statuses = guideline.components["os_powered_storage"].capabilities
    assert OLD in statuses["deprecated"]
    assert OLD not in statuses["required"]
    assert statuses["advisory"][-1] == "objectstore-new"
    assert draft["capabilities"]["objectstore-new"] == {
        "achievements": [slot for slot in CURRENT.weights if slot != "sticky"],
        "admin": False,
        "description": "",
        "project": "",
        "required_since": "",
        "tests": {},
    }


def test_a_capability_that_becomes_required_records_since_when():
    text = f"objectstore-new: {FULL.format(sticky=0)}\n{OLD}: {FULL.format(sticky=1)}"
    draft, _ = drafted(proposed(text, objectstore_new="required"))
    assert draft["capabilities"]["objectstore-new"]["required_since"] == "next"
    before = BEFORE["capabilities"][OLD]["required_since"]
    assert draft["capabilities"][OLD]["required_since"] == before


def test_a_new_capability_needs_a_programme_of_one_component():
    proposal = proposed(
        f"objectstore-new: {FULL.format(sticky=0)}", "platform", objectstore_new="advisory"
    )
    with pytest.raises(ScoringError, match="os_powered_compute, os_powered_storage") as caught:
        next_guideline.document(proposal, BEFORE, "next")
    assert "--programme" in caught.value.hint


def test_the_previous_document_is_not_changed():
    before = copy.deepcopy(BEFORE)
    drafted(proposed(f"objectstore-new: {FULL.format(sticky=0)}", objectstore_new="advisory"))
    assert before == BEFORE
