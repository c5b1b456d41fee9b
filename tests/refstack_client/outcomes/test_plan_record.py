"""plan.json is read into one typed record, and what is wrong in it is named by its pointer."""

import copy
import json

import pytest
from support.making import make_run

from refstack_client.errors import InputError
from refstack_client.outcomes import run_attempts
from refstack_client.outcomes.plan_record import PlanRecord


@pytest.fixture
def document(tmp_path):
    return json.loads(make_run(tmp_path).plan.read_text())


def test_a_plan_is_written_as_it_was_read(document):
    document["limits"] = [{"name": "t", "why": "w"}]
    document["tests"][0] |= {"match": "missing", "found": [], "why": "not installed"}
    merged = {**document, "merged": [{"run": "r", "shard": "1/2"}, {"run": "s", "shard": None}]}
    for plan in (document, {**document, "cloud": None}, merged):
        again = PlanRecord.parse(json.dumps(plan), "plan.json").as_json()
        assert json.dumps(again) == json.dumps(plan)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), 2, "plan.json: /format: this release reads format 1, not 2"),
        (("guideline", "id"), 7, "plan.json: /guideline/id: must be a string"),
        (("versions", "a/b"), None, "plan.json: /versions/a~1b: must be a string"),
        (("cloud", "roles"), "member", "plan.json: /cloud/roles: must be a list"),
        (("tests", 1, "match"), "close", "plan.json: /tests/1/match: must be one of exact, alias"),
        (("tests", 1, "found", 0), None, "plan.json: /tests/1/found/0: must be a string"),
        (("tests", 2), [], "plan.json: /tests/2: must be an object"),
        (("concurrency",), True, "plan.json: /concurrency: must be a whole number"),
        (("quick",), 1, "plan.json: /quick: must be true or false"),
    ],
)
def test_a_wrong_member_is_named_with_its_pointer(document, path, value, message):
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError) as caught:
        PlanRecord.parse(json.dumps(changed), "plan.json")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", ["format", "guideline", "programme", "tests", "tenants"])
def test_a_missing_member_is_named(document, key):
    del document[key]
    with pytest.raises(InputError, match=f'"{key}" is missing'):
        PlanRecord.parse(json.dumps(document), "plan.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(content):
    with pytest.raises(InputError, match=r"^plan\.json: "):
        PlanRecord.parse(content, "plan.json")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7", "attempts.jsonl:1: must be an object"),
        ('{"attempt": "1"}', "attempts.jsonl:1: /attempt: must be a whole number"),
        ('{"attempt": 1}', 'attempts.jsonl: attempt 1: "mode" is missing'),
        ('{"attempt": 1, "mode": "x"}', "attempts.jsonl: attempt 1: /mode: must be one of all"),
    ],
)
def test_an_attempt_of_another_form_is_refused(line, message):
    with pytest.raises(InputError) as caught:
        run_attempts.attempts_in(line)
    assert str(caught.value).startswith(message)
