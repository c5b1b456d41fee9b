"""Guidelines against Tempest 47: the drift that was measured."""

import json
from dataclasses import astuple

import jsonpatch
import pytest

from capabilities import catalogue, drift, programme, reader, tempest_id
from capabilities.matching import Index

# n, flagged, id found, exact name, name or alias, renamed, name only, vanished, unflagged and found
_LATEST = (284, 11, 283, 282, 282, 1, 0, 1, 273, 273)
GOLDEN = {
    "2015.03": (127, 9, 0, 113, 113, 0, 113, 14, 118, 105),
    "2015.04": (127, 51, 0, 113, 113, 0, 113, 14, 76, 71),
    "2015.05": (128, 33, 0, 113, 113, 0, 113, 15, 95, 88),
    "2015.07": (129, 31, 119, 114, 117, 2, 0, 10, 98, 95),
    "2016.01": (124, 28, 116, 112, 115, 1, 0, 8, 96, 95),
    "2016.08": (228, 17, 225, 154, 213, 12, 0, 3, 211, 211),
    "2017.01": (261, 32, 259, 189, 255, 4, 0, 2, 229, 229),
    "2017.09": (259, 29, 259, 259, 259, 0, 0, 0, 230, 230),
    "2018.02": (282, 16, 281, 276, 279, 2, 0, 1, 266, 266),
    "2018.11": (281, 11, 280, 279, 279, 1, 0, 1, 270, 270),
    "2019.06": _LATEST,
    "2019.11": _LATEST,
    "2020.06": _LATEST,
    "2022.11": (328, 0, 328, 328, 328, 0, 0, 0, 328, 328),
}


@pytest.mark.parametrize("guideline_id", GOLDEN)
def test_the_drift_against_tempest_47_is_what_was_measured(samples, guideline_id):
    lines = (samples / "tempest-47.0.0-tests.txt").read_text().splitlines()
    index = Index.of(test for line in lines if (test := tempest_id.parse(line)))
    platform = programme.find(catalogue.load(guideline_id)[0], "platform")
    assert astuple(drift.measure(platform, index)) == GOLDEN[guideline_id]


def test_what_is_renamed_or_gone_is_found_with_the_alias_that_mends_it():
    platform = programme.find(catalogue.load("2020.06")[0], "storage")
    kept, renamed, *_ = platform.required_tests()
    texts = (f"{kept.name}[{kept.idempotent_id}]", f"m.New.name[{renamed.idempotent_id}]")
    index = Index.of(test for text in texts if (test := tempest_id.parse(text)))
    findings = drift.check(platform, index)
    renames = [finding for finding in findings if finding.code == "renamed"]
    assert renames
    assert all(finding.message.endswith("add the alias m.New.name") for finding in renames)
    patch = drift.alias_patch(platform, index)
    assert [operation["value"] for operation in patch] == [[*renamed.aliases, "m.New.name"]] * len(
        renames
    )
    document = json.loads(catalogue.content("2020.06"))
    renames_document = jsonpatch.apply_patch(document, patch)
    renames_guideline, _ = reader.parse(json.dumps(renames_document).encode(), "renames")
    again = programme.find(renames_guideline, "storage")
    assert not [finding for finding in drift.check(again, index) if finding.code == "renamed"]
    gone = {
        finding.pointer.rpartition("/")[2] for finding in findings if finding.code == "vanished"
    }
    assert kept.name not in gone
    assert len(gone) == 56
