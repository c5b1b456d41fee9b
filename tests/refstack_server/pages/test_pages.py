"""Pages as browsers and curl get them."""

import csv
import io
import json
import subprocess

import pytest
from support.browsing import EVIL, get
from support.bundles import make_key, packed, registered


@pytest.fixture(scope="module")
def published(server, people, tmp_path_factory) -> str:
    """Publish a result of alice with one failed test; return its id."""
    place = tmp_path_factory.mktemp("published")
    key = make_key(place / "key")
    registered(server, people["alice"], key)
    content = packed(place, key, failing=1)
    result_id = server.call("POST", "/v2/bundles", data=content).json()["id"]
    server.call("POST", f"/v1/results/{result_id}/meta/shared", people["alice"], data="true")
    return result_id


def test_published_results_are_listed_with_verdicts_and_filtered(server, published):
    for filters in (
        {},
        {"guideline": "2020.06", "programme": "storage", "verdict": "not-conformant"},
    ):
        page = get(server, "/results", **filters).text
        assert f'href="/results/{published}"' in page
        assert '<td class="not-conformant">NOT CONFORMANT</td>' in page
    for filters in ({"verdict": "conformant"}, {"guideline": "2017.09"}, {"search": "nobody's"}):
        assert published not in get(server, "/results", **filters).text
    assert get(server, "/results", page="x").status_code == 400
    assert get(server, "/results", page="999").status_code == 200


def test_a_result_page_shows_the_verdict_and_that_it_is_unofficial(server, published):
    page = get(server, f"/results/{published}").text
    assert "Unofficial Results" in page
    assert '<strong class="not-conformant">NOT CONFORMANT</strong>' in page
    assert '<dd id="failed">1</dd>' in page
    other = get(server, f"/results/{published}", guideline="2017.09", programme="storage").text
    assert "guideline 2017.09" in other


def test_a_private_result_has_no_page_for_other_users(server, alice):
    result_id = server.upload(["t"], alice)
    answer = get(server, f"/results/{result_id}")
    assert answer.status_code == 401
    assert "<h1>Unauthorized</h1>" in answer.text
    assert get(server, "/results/none").status_code == 404


def test_a_result_in_refstack_v1_format_is_judged_on_its_page(server):
    result_id = server.upload(["tempest.api.x.C.test_y"])
    assert "1 test passed" in get(server, f"/results/{result_id}").text
    judged = get(server, f"/results/{result_id}", guideline="2020.06", programme="storage").text
    assert "INCOMPLETE" in judged


def test_pages_load_nothing_from_other_sites_and_run_no_scripts(server, published):
    for path in (
        "/results",
        f"/results/{published}",
        "/guidelines",
        "/guidelines/2020.06",
        "/docs",
        "/vendors",
    ):
        answer = get(server, path)
        assert answer.status_code == 200, path
        assert answer.headers["content-security-policy"].startswith("default-src 'none';")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text
        assert "https://" not in answer.text.replace("https://id.example.org", "")


def test_a_badge_shows_the_verdict(server, published):
    answer = server.call("GET", f"/results/{published}/badge.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "2020.06 storage: not conformant (unofficial)" in answer.text


def test_a_browser_shows_the_verdict(server, published, browser, tmp_path):
    shown = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--disable-background-networking", "--disable-sync", "--no-first-run"),
            *("--disable-component-update", f"--user-data-dir={tmp_path}"),
            f"{server.url}/results/{published}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert "NOT CONFORMANT" in shown
    assert "57/58 required tests passed" in shown


def test_vendors_and_products_have_pages_with_their_results(server, people, published):
    alice, root = people["alice"], people["root"]
    vendor = server.call("POST", "/v1/vendors", alice, json={"name": f"{EVIL} & Sons"}).json()["id"]
    assert vendor not in get(server, "/vendors").text
    assert get(server, f"/vendors/{vendor}").status_code == 403
    for who, step in ((alice, "register"), (root, "approve")):
        server.call("POST", f"/v1/vendors/{vendor}/action", who, json={step: None})
    sent = {"name": "A Cloud", "product_type": 1, "organization_id": vendor, "version": "7"}
    product = server.call("POST", "/v1/products", alice, json=sent).json()["id"]
    assert get(server, f"/products/{product}").status_code == 403
    server.call("PUT", f"/v1/products/{product}", alice, json={"public": True})
    (version,) = server.call("GET", f"/v1/products/{product}/versions", alice).json()
    attached = {"product_version_id": version["id"]}
    server.call("PUT", f"/v1/results/{published}", alice, json=attached)
    page = get(server, f"/vendors/{vendor}").text
    assert f'<a href="/products/{product}">A Cloud</a>' in page
    assert "<script" not in page
    assert vendor in get(server, "/vendors").text
    page = get(server, f"/products/{product}").text
    assert "versions 7" in page
    assert published in page
    assert f'<a href="/products/{product}">A Cloud</a>' in get(server, "/results").text
    assert published in get(server, "/results", search="sons").text
    assert get(server, "/vendors/none").status_code == 404
    assert get(server, "/products/none").status_code == 404
    server.call("PUT", f"/v1/results/{published}", alice, json={"product_version_id": None})


def test_the_outcomes_of_a_result_are_a_csv_table(server, published):
    answer = get(server, f"/results/{published}/tests.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    failed = {row["test"] for row in rows if row["outcome"] == "fail"}
    assert (len(failed), {row["reason"] for row in rows if row["reason"]}) == (1, {"E: no"})


def test_health_and_metrics_are_reported(server, published):
    assert server.call("GET", "/health").json() == {"status": "ok"}
    metrics = server.call("GET", "/metrics").text
    assert 'refstack_request_seconds_count{method="POST",route="/v2/bundles"' in metrics
    assert published not in metrics


def test_the_log_is_json_without_secrets(server, alice):
    server.call("GET", "/v1/profile?x=canary-in-a-query", alice)
    log = (server.data.parent / "data.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"method", "route", "status", "seconds"} <= lines[-1].keys()
    assert alice.token["Authorization"].split(".")[0] not in log
    assert "canary" not in log
