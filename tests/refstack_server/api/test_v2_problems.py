"""Refusals of the API v2 as problems (RFC 9457), and what the clients of it make of them."""

import json
import re

import pytest
from support.serving import add_user, serving

from refstack_client.errors import InputError
from refstack_client.upload import refstack_api
from refstack_server.web.errors import PROBLEMS

MEDIA_TYPE = "application/problem+json"
REQUEST = re.compile(r"urn:uuid:([0-9a-f-]{36})")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v2/results/none", (404, "/docs#not-found", "Test result none not found")),
        ("GET", "/v2/results?most=0", (400, "/docs#invalid", "Invalid query/most: must be a ")),
        ("GET", "/v2/results?mine=true", (401, "/docs#unauthenticated", "Unauthorized")),
        ("POST", "/v2/bundles", (400, "/docs#invalid", "This is not a bundle")),
        ("PUT", "/v2/results/x/verification", (403, "/docs#forbidden", "Forbidden")),
        ("GET", "/v2/nothing", (404, "about:blank", "Not Found")),
        ("DELETE", "/v2/bundles", (405, "about:blank", "Method Not Allowed")),
    ],
)
def test_a_refusal_is_a_problem_with_the_keys_that_clients_know(server, method, path, expected):
    answer = server.call(method, path, headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    document = answer.json()
    status, type_, title = expected
    assert (answer.status_code, document["status"], document["code"]) == (status,) * 3
    assert document["type"] == type_
    assert document["title"].startswith(title)
    assert REQUEST.fullmatch(document["instance"])
    assert set(document) <= {"type", "title", "status", "detail", "instance", "code"}
    if status == 405:
        assert answer.headers["Allow"] == "POST"


def test_the_log_has_the_request_that_a_problem_names(server):
    document = server.call("GET", "/v2/results/none").json()
    request_id = REQUEST.fullmatch(document["instance"])[1]
    assert json.loads(server.log_line(request_id))["route"] == "/v2/results/{result_id}"


def test_v1_keeps_its_errors(server):
    answer = server.call("GET", "/v1/results/none")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"code": 404, "title": "Test result none not found"}


def test_a_limit_is_a_problem_too(tmp_path, alice):
    add_user(tmp_path / "data", alice)
    with serving(tmp_path / "data", "--uploads-per-minute", "1") as limited:
        limited.call("POST", "/v2/challenges", json={})
        answer = limited.call("POST", "/v2/challenges", json={})
    assert (answer.status_code, answer.headers["Content-Type"]) == (429, MEDIA_TYPE)
    assert answer.json()["type"] == "/docs#too-many-requests"
    assert int(answer.headers["Retry-After"]) > 0


def test_each_type_is_described_on_the_page_of_the_api(server):
    page = server.call("GET", "/docs").text
    for problem in PROBLEMS.values():
        assert f'id="{problem.name}"' in page
        assert f"<code>{problem.type}</code>" in page


def test_clients_show_what_a_problem_says(server):
    collector = refstack_api.Server(server.url)
    with pytest.raises(InputError, match="refused the bundle: 400 This is not a bundle"):
        refstack_api.upload_bundle(collector, b"nonsense", print)
    with pytest.raises(InputError, match="issues no challenge: 400 Public key has unsupported "):
        refstack_api.request_challenge(collector, "ssh-dss AAAA", print)


def test_the_openapi_document_describes_tokens_errors_and_examples(server):
    document = server.call("GET", "/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert "422" not in answers, (method, path)  # The server answers 400.
            if path.startswith("/v2/"):
                schema = answers["4XX"]["content"][MEDIA_TYPE]["schema"]
                assert {"type", "title", "status", "code"} <= set(schema["required"])
                assert any("content" in answers[code] or code == "204" for code in answers)
    listing = document["paths"]["/v2/results"]["get"]
    assert listing["security"] == [{"token": []}, {}]
    names = [parameter["name"] for parameter in listing["parameters"]]
    assert names[:2] == ["vendor", "product"]
    assert names[-2:] == ["after", "most"]
    row = document["components"]["schemas"]["ResultDocument"]
    # The document of FastAPI leaves out nulls, also those of examples.
    assert set(row["required"]) - set(row["example"]) == {"revoked_at"}
    assert set(row["example"]) < set(row["required"])
