"""The reader of published guideline files."""

import json

import pytest

from capabilities import reader
from capabilities.errors import GuidelineError
from capabilities.guideline import Status

ID = "id-6c0a0990-43b6-4529-9b61-5fd8daf7c55c"


def document(**test) -> dict:
    return {
        "metadata": {
            "id": "2020.06",
            "schema": "2.0",
            "os_trademark_approval": {"status": "approved", "releases": ["train"]},
        },
        "platforms": {"OpenStack Powered Storage": {"components": [{"name": "storage"}]}},
        "components": {
            "storage": {
                "capabilities": {"required": ["cap"], "advisory": []},
                "designated_sections": {"required": ["swift"]},
            }
        },
        "capabilities": {
            "cap": {
                "description": "It can",
                "project": "swift",
                "admin": False,
                "tests": {"mod.Class.test": {"idempotent_id": ID, **test}},
            }
        },
    }


def parse(content: dict | str):
    text = content if isinstance(content, str) else json.dumps(content)
    return reader.parse(text.encode(), "file.json")


def test_a_whole_guideline_is_read_without_findings():
    guideline, findings = parse(document(aliases=["mod.Class.test_new"]))
    assert findings == ()
    assert guideline.id == "2020.06"
    assert guideline.status == "approved"
    assert guideline.releases == ("train",)
    assert guideline.components["storage"].capabilities[Status.REQUIRED] == ("cap",)
    assert guideline.components["storage"].designated_sections[Status.REQUIRED] == ("swift",)
    (test,) = guideline.capabilities["cap"].tests
    assert test.names == ("mod.Class.test", "mod.Class.test_new")
    assert test.idempotent_id == ID


@pytest.mark.parametrize("key", ["flag", "flagged"])
def test_both_spellings_of_a_flag_are_read(key):
    flag = {"reason": "[D401] bug", "action": "wait", "date": "2016-03-31"}
    guideline, findings = parse(document(**{key: flag}))
    (test,) = guideline.capabilities["cap"].tests
    assert test.flag is not None
    assert (test.flag.reason, test.flag.date) == ("[D401] bug", "2016-03-31")
    assert [finding.code for finding in findings] == (["misspelt-key"] if key == "flag" else [])


def test_a_misspelt_key_is_read_and_reported_with_its_pointer():
    wrong = document()
    wrong["capabilities"]["cap"]["acheivements"] = ["stable"]
    guideline, (finding,) = parse(wrong)
    assert guideline.capabilities["cap"].achievements == ("stable",)
    assert finding.pointer == "/capabilities/cap/acheivements"


def test_a_bare_uuid_is_read_as_an_id():
    guideline, (finding,) = parse(document(idempotent_id=ID.removeprefix("id-")))
    assert guideline.capabilities["cap"].tests[0].idempotent_id == ID
    assert finding.code == "bare-uuid"


def test_a_test_without_an_id_is_kept_by_its_name():
    mixed = document()
    mixed["capabilities"]["cap"]["tests"]["mod.Class.other"] = {"idempotent_id": ""}
    guideline, (finding,) = parse(mixed)
    assert guideline.capabilities["cap"].tests[1].key == "mod.Class.other"
    assert finding.code == "no-idempotent-id"
    assert finding.pointer == "/capabilities/cap/tests/mod.Class.other/idempotent_id"


def test_a_file_without_any_id_is_told_once():
    guideline, (finding,) = parse(document(idempotent_id=""))
    assert guideline.capabilities["cap"].tests[0].key == "mod.Class.test"
    assert finding.code == "no-idempotent-ids"


def test_a_syntax_error_is_told_with_line_and_column():
    text = '{\n  "metadata": {"id": "x",},\n}'
    with pytest.raises(GuidelineError, match=r"^file\.json:2:\d+: not valid JSON"):
        parse(text)


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(GuidelineError, match=r'file\.json: /x/1/a: duplicate key "a"'):
        parse('{"x": [0, {"a": 1, "a": 2}]}')


def test_an_undefined_component_is_refused_with_its_pointer():
    wrong = document()
    wrong["platforms"]["OpenStack Powered Storage"]["components"] = [{"name": "nosuch"}]
    with pytest.raises(GuidelineError, match="/platforms/OpenStack Powered Storage/components/0"):
        parse(wrong)


def test_an_undefined_capability_is_an_error_when_required_and_a_note_when_removed():
    wrong = document()
    lists = wrong["components"]["storage"]["capabilities"]
    lists["required"].append("ghost")
    lists["removed"] = ["phantom"]
    guideline, findings = parse(wrong)
    assert [(finding.severity, finding.pointer) for finding in findings] == [
        ("error", "/components/storage/capabilities/required/1"),
        ("note", "/components/storage/capabilities/removed/0"),
    ]
    assert guideline.components["storage"].capabilities[Status.REQUIRED] == ("cap",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "not a JSON object"),
        ('{"schema": "0.9"}', "schema 0.9: only the schemas 1.0 to 2.0"),
        ('{"schema": "1.2"}', "no capabilities and components"),
        ("{}", "no schema version"),
        ('{"metadata": []}', "/metadata: expected an object"),
        ('{"metadata": {"schema": "2.0"}}', "no capabilities and components"),
    ],
)
def test_what_is_no_guideline_is_refused_with_the_reason(content, message):
    with pytest.raises(GuidelineError, match=message):
        parse(content)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(GuidelineError, match="No such file"):
        reader.read(tmp_path / "gone.json")


def test_an_id_that_carries_attributes_is_read_without_them():
    guideline, (finding,) = parse(document(idempotent_id=f"{ID},smoke"))
    assert guideline.capabilities["cap"].tests[0].idempotent_id == ID
    assert finding.code == "id-with-attributes"


def test_doubles_are_noted():
    twice = document()
    twice["capabilities"]["other"] = {
        "tests": {
            "mod.Class.test": {"idempotent_id": ID},
            "mod.Class.renamed": {"idempotent_id": ID},
        }
    }
    _, findings = parse(twice)
    assert {(finding.code, finding.pointer) for finding in findings} == {
        ("in-two-capabilities", "/capabilities/other/tests/mod.Class.test"),
        ("one-id-two-names", "/capabilities/other/tests/mod.Class.renamed"),
    }


def test_an_id_that_disagrees_with_the_name_of_the_file_is_found():
    _, (finding,) = reader.parse(json.dumps(document()).encode(), "x/2019.11.json")
    assert (finding.code, finding.pointer) == ("id-not-file-name", "/metadata/id")
    assert reader.parse(json.dumps(document()).encode(), "x/2020.06.json")[1] == ()


@pytest.mark.parametrize("value", ["74", 74])
def test_a_number_written_as_a_text_is_read(value):
    scored = document()
    scored["metadata"]["scoring"] = {"cutoff_score": value, "criteria": {"doc": {"weight": value}}}
    guideline, findings = parse(scored)
    assert guideline.cutoff == guideline.weights["doc"] == 74
    assert len(findings) == (2 if value == "74" else 0)


def test_a_document_of_2_0_comes_back_whole_and_in_order():
    whole = document(unknown={"z": 1, "a": 2})
    whole["x-unknown"] = [1]
    whole["capabilities"]["cap"]["acheivements"] = ["stable"]
    text = json.dumps(whole)
    assert json.dumps(reader.document(text.encode(), "file.json")) == text


@pytest.mark.parametrize("name", ["2020.06", "2018.02", "next"])
def test_published_documents_of_2_0_come_back_whole_and_in_order(shared, name):
    content = shared(f"published/guidelines/{name}.json").read_bytes()
    again = reader.document(content, f"{name}.json")
    assert json.dumps(again) == json.dumps(json.loads(content))


@pytest.mark.parametrize("name", ["2015.03", "2015.07", "2017.09"])
def test_a_converted_file_says_the_same_and_keeps_unknown_keys(shared, name):
    content = shared(f"published/guidelines/{name}.json").read_bytes()
    raw = {**json.loads(content), "x-unknown": 1}
    converted = reader.document(json.dumps(raw).encode(), f"{name}.json")
    assert converted["x-unknown"] == 1
    before, _ = reader.parse(content, f"{name}.json")
    after, _ = reader.parse(json.dumps(converted).encode(), f"{name}.json")
    assert after.capabilities == before.capabilities
    assert after.components == before.components
    assert (after.weights, after.cutoff, after.status) == (
        before.weights,
        before.cutoff,
        before.status,
    )
