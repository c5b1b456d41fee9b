"""Flat lists, read and written."""

import re

import pytest

from capabilities import catalogue, flat_list, programme, reader
from capabilities.errors import GuidelineError
from capabilities.guideline import Flag, Rule, Status, Test

ONE = "id-11111111-1111-1111-1111-111111111111"


def test_a_list_is_a_guideline_of_which_nothing_may_fail():
    text = f"# comment\n\nm.C.one[{ONE},smoke]  # why\nm.C.two\n"
    guideline, findings = reader.parse(text.encode(), "our.lst")
    (only,) = programme.programmes(guideline)
    assert (only.key, only.rule, findings) == ("our", Rule.NONE_FAILED, ())
    assert [test.key for test in only.counted_tests()] == [ONE, "m.C.two"]


def test_scs_0128_is_shipped():
    guideline, _ = catalogue.load("scs-0128")
    (only,) = programme.programmes(guideline)
    assert (only.key, len(only.counted_tests())) == ("scs-0128", 258)


def test_a_line_that_names_no_test_is_refused_with_its_number():
    with pytest.raises(GuidelineError, match="x:2: not a test"):
        flat_list.parse("m.C.one\nwhat is this\n", "x", "x")
    with pytest.raises(GuidelineError, match="no test in the list"):
        flat_list.parse("# nothing\n", "x", "x")


def test_lines_are_sorted_and_listed_once():
    tests = [
        Test("m.C.b", ONE, aliases=("m.C.a", "m.C.b")),
        Test("m.C.b", ONE),
        Test("m.C.flagged", "id-2", flag=Flag("")),
        Test("m.C.bare"),
    ]
    assert flat_list.lines(tests, aliases=False, flagged=False) == (
        "m.C.b[" + ONE + "]",
        "m.C.bare",
    )
    assert flat_list.lines(tests, aliases=True, flagged=True) == (
        f"m.C.a[{ONE}]",
        f"m.C.b[{ONE}]",
        "m.C.bare",
        "m.C.flagged[id-2]",
    )


def names(guideline_id: str, key: str, *, flagged: bool) -> set[str]:
    found = programme.find(catalogue.load(guideline_id)[0], key)
    tests = [
        test for capability in found.capabilities(Status.REQUIRED) for test in capability.tests
    ]
    return {
        line.partition("[")[0] for line in flat_list.lines(tests, aliases=True, flagged=flagged)
    }


@pytest.mark.parametrize(
    ("guideline_id", "file", "flagged", "count"),
    [
        ("2019.06", "platform.2019.06", False, 375),
        ("2019.11", "platform.2019.11-with-flagged", True, 388),
    ],
)
def test_the_export_is_what_refstack_served(shared, guideline_id, file, flagged, count):
    served = shared(f"published/lists/{file}.txt").read_text().splitlines()
    expected = {line.partition("[")[0] for line in served if line.strip()}
    assert names(guideline_id, "platform", flagged=flagged) == expected
    assert len(expected) == count


@pytest.mark.parametrize(
    ("file", "key", "count"),
    [("platform", "platform", 328), ("compute", "compute", 267), ("object", "storage", 63)],
)
def test_2022_11_has_the_ids_that_were_served(shared, file, key, count):
    served = set(
        re.findall(r"id-[0-9a-f-]{36}", shared(f"published/lists/{file}.2022.11.txt").read_text())
    )
    found = programme.find(catalogue.load("2022.11")[0], key)
    assert {test.idempotent_id for test in found.counted_tests()} == served
    assert len(served) == count


# RefStack's line counts: all statuses, aliases and flagged tests included, duplicates too.
LINES = {
    "2015.03": (127, 112, 15),
    "2015.05": (128, 113, 17),
    "2016.08": (403, 356, 49),
    "2018.02": (519, 460, 60),
    "2020.06": (390, 331, 61),
}


def test_the_line_counts_of_refstack_hold_for_add_ons_and_single_options():
    def tests(guideline_id: str, *statuses: Status):
        found = programme.default(catalogue.load(guideline_id)[0], "platform")
        return [
            t for s in statuses for capability in found.capabilities(s) for t in capability.tests
        ]

    assert len(tests("dns.2020.06", *Status)) == 10
    assert len(tests("orchestration.2020.06", *Status)) == 60
    platform = tests("2020.06", *Status)
    assert len(platform) == 286
    unflagged = [test for test in platform if not test.flag]
    assert sum(len(set(test.names)) for test in unflagged) == 377
    assert len([t for t in tests("2020.06", Status.REQUIRED) if not t.flag]) == 275


@pytest.mark.parametrize("guideline_id", LINES)
def test_the_line_counts_of_refstack_hold(guideline_id):
    guideline, _ = catalogue.load(guideline_id)

    def count(key: str) -> int:
        found = programme.find(guideline, key)
        return sum(
            len(set(test.names)) if test.idempotent_id or test.aliases else 1
            for status in Status
            for capability in found.capabilities(status)
            for test in capability.tests
        )

    assert tuple(map(count, ("platform", "compute", "storage"))) == LINES[guideline_id]


def test_other_names_of_a_test_are_its_aliases():
    one = "id-11111111-1111-1111-1111-111111111111"
    text = f"a.New.t[{one}]\nz.Old.t[{one}]\na.New.t[{one}]\n"
    guideline, findings = flat_list.parse(text, "x", "x.txt")
    (test,) = guideline.capabilities["tests"].tests
    assert (test.name, test.aliases) == ("a.New.t", ("z.Old.t",))
    assert len(findings) == 2
