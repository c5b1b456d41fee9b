"""Lists of tests as RefStack's servers export them."""

import pytest

from capabilities import catalogue, flat_list, programme, refstack_list
from capabilities.errors import UnknownNameError
from capabilities.guideline import Status

GUIDELINE, _ = catalogue.load("2020.06")
STORAGE = programme.find(GUIDELINE, "storage")


def test_the_defaults_are_those_of_the_original_server():
    tests = [
        test
        for status in Status
        for capability in programme.find(GUIDELINE, "platform").capabilities(status)
        for test in capability.tests
    ]
    listed = refstack_list.lines(GUIDELINE, {})
    assert len(listed) > len(set(listed))  # a test of two capabilities is listed twice
    assert tuple(sorted(set(listed))) == flat_list.lines(tests, aliases=True, flagged=True)


def test_a_query_selects_programme_statuses_and_flags():
    query = {"target": "object", "type": "required", "alias": "false", "flag": "false"}
    found = refstack_list.lines(GUIDELINE, query)
    assert len({line.partition("[")[2] for line in found}) == 58
    assert len(refstack_list.lines(GUIDELINE, {**query, "type": "required,advisory"})) >= len(found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://refstack.openstack.org/api/v1/guidelines/2020.06/tests?target=platform&"
            "type=required&alias=true&flag=false",
            (
                "2020.06",
                {"target": "platform", "type": "required", "alias": "true", "flag": "false"},
            ),
        ),
        ("http://h/v1/guidelines/dns.2018.02.json/tests", ("dns.2018.02", {})),
        ("https://example.org/2016.01.required.txt", None),
    ],
)
def test_a_url_names_a_guideline_and_a_query(url, expected):
    assert refstack_list.of_url(url) == expected


def test_what_there_is_not_is_an_error():
    with pytest.raises(UnknownNameError):
        refstack_list.lines(GUIDELINE, {"target": "nothing"})
    with pytest.raises(ValueError, match="nothing"):
        refstack_list.lines(GUIDELINE, {"type": "nothing"})
