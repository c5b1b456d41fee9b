"""Files of the older schemas."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capabilities import programme, reader
from capabilities.errors import GuidelineError
from capabilities.guideline import Status

ID = "id-6c0a0990-43b6-4529-9b61-5fd8daf7c55c"


def document(tests, **capability) -> dict:
    return {
        "id": "2015.03",
        "schema": "1.2",
        "status": "superseded",
        "releases": ["icehouse"],
        "platform": {"required": ["compute", "object"]},
        "components": {
            "compute": {"required": ["cap"], "advisory": ["ghost"]},
            "object": {"required": []},
        },
        "capabilities": {"cap": {"project": "nova", "tests": tests, **capability}},
        "designated-sections": {"required": {"nova": {"sections": {}}, "swift": {}}},
    }


def parse(content: dict):
    return reader.parse(json.dumps(content).encode(), "file.json")


def test_a_list_of_tests_with_flagged_names_is_read():
    guideline, _ = parse(document(["m.C.one", "m.C.two"], flagged=["m.C.two"]))
    tests = guideline.capabilities["cap"].tests
    assert [(test.name, test.flag is not None) for test in tests] == [
        ("m.C.one", False),
        ("m.C.two", True),
    ]


def test_a_mapping_of_tests_is_read():
    flag = {"reason": "D401", "action": "", "date": "2016-01-01"}
    guideline, _ = parse(document({"m.C.one": {"idempotent_id": ID, "flagged": flag}}))
    (test,) = guideline.capabilities["cap"].tests
    assert test.idempotent_id == ID
    assert test.flag is not None


def test_platform_compute_and_object_become_programmes():
    guideline, _ = parse(document(["m.C.one"]))
    found = {found.key: found for found in programme.programmes(guideline)}
    assert list(found) == ["platform", "compute", "storage"]
    assert len(found["platform"].required_tests()) == len(found["compute"].required_tests()) == 1
    assert found["storage"].required_tests() == ()
    assert found["compute"].designated_sections == ("nova",)


def test_what_is_wrong_is_found_where_it_stands_in_the_file():
    wrong = document(["a/b.C.one", "m.C.two", "m.C.two"], flagged=["m.C.gone"])
    _, findings = parse(wrong)
    assert {(finding.code, finding.pointer) for finding in findings} == {
        ("slash-in-name", "/capabilities/cap/tests/0"),
        ("listed-twice", "/capabilities/cap/tests/2"),
        ("flagged-unlisted", "/capabilities/cap/flagged/0"),
        ("no-idempotent-ids", "/capabilities"),
        ("undefined-capability", "/components/compute/advisory/0"),
    }


def test_a_core_list_of_2014_is_read():
    guideline, _ = parse(
        {
            "release": "juno",
            "schema": "1.0",
            "status": "proposal",
            "capabilities": {
                "in": {"core": True, "tests": ["m.C.one"]},
                "out": {"core": False, "tests": ["m.C.two"]},
            },
        }
    )
    assert guideline.id == "juno"
    (only,) = programme.programmes(guideline)
    assert only.statuses == {"in": Status.REQUIRED}


REAL = [
    *(f"guidelines/{n}" for n in ("2015.03", "2015.07", "2016.08", "2018.02", "next")),
    *("add-ons/dns.2020.06", "add-ons/orchestration.2018.02", "verticals/nfv.next"),
    *("legacy/havanacore", "legacy/junocore"),
]


@pytest.mark.parametrize("name", REAL)
def test_every_published_file_is_read(shared, name):
    guideline, _ = reader.read(shared(f"published/{name}.json"))
    assert guideline.capabilities


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("legacy/havanasections", r"havanasections\.json:52:10: not valid JSON"),
        ("schema/2.0", "no schema version"),
    ],
)
def test_what_is_no_guideline_is_refused_with_the_reason(shared, name, message):
    with pytest.raises(GuidelineError, match=message):
        reader.read(shared(f"published/{name}.json"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value, path=()):
    yield path
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in pairs:
        yield from places(inner, (*path, key))


@settings(max_examples=400)
@given(data=st.data(), schema=st.sampled_from(["1.2", "2.0"]), mutant=JSON)
def test_a_mutated_file_is_read_or_refused_and_never_crashes(data, schema, mutant):
    if schema == "1.2":
        whole = document(["m.C.one"], flagged=["m.C.one"])
    else:
        whole = json.loads(json.dumps(_two_zero()))
    path = data.draw(st.sampled_from([place for place in places(whole) if place]))
    *way, last = path
    inner = whole
    for key in way:
        inner = inner[key]
    inner[last] = mutant
    with contextlib.suppress(GuidelineError):
        parse(whole)
        if schema == "2.0":  # nothing of what could be read is lost
            content = json.dumps(whole)
            assert json.dumps(reader.document(content.encode(), "file.json")) == content


def _two_zero() -> dict:
    return {
        "metadata": {"id": "x", "schema": "2.0", "os_trademark_approval": {"releases": ["a"]}},
        "platforms": {"OpenStack Powered Thing": {"components": [{"name": "c"}]}},
        "add-ons": {"DNS": {"components": ["c"], "required_platform_components": [{"name": "n"}]}},
        "components": {"c": {"capabilities": {"required": ["cap"]}, "designated_sections": {}}},
        "capabilities": {
            "cap": {
                "tests": {"m.C.t": {"idempotent_id": ID, "aliases": ["m.C.u"], "flagged": {}}},
                "achievements": ["stable"],
            }
        },
    }
