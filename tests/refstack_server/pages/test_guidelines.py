"""Pages of guidelines: the list, changes between two, the history of a capability."""

import re

import lxml.html
import pytest
from support.browsing import EVIL, get

from capabilities import catalogue, diff

DIFF = "/guidelines/2018.02/diff/2018.11"
HISTORY = "/capabilities/compute-images-list"


def rows(page: str) -> list[list[str]]:
    """Return the text of the cells of each row of the first table."""
    table = lxml.html.document_fromstring(page).xpath("//table")[0]
    return [[" ".join(cell.text_content().split()) for cell in row] for row in table.xpath(".//tr")]


def test_guidelines_are_listed_newest_first_with_a_column_for_each_number(server):
    head, *found = rows(get(server, "/guidelines").text)
    assert head == [
        *("Guideline", "Status", "Date", "Programme"),
        *("Required", "Advisory", "Deprecated", "Removed", "Tests", "Flagged"),
    ]
    firsts = [row for row in found if len(row) == len(head)]
    assert firsts[0][:3] == ["2022.11", "draft", "2022-11-01"]
    assert firsts[-1][:4] == ["scs-0128", "–", "–", "scs-0128"]
    dates = [row[2] for row in firsts[:-1]]
    assert dates == sorted(dates, reverse=True)
    assert len(firsts) == len(catalogue.shipped())
    assert ["2018.11", "superseded", "2018-11-01"] in [row[:3] for row in firsts]
    assert ["compute", "57", "3", "14", "0", "214", "11"] in found
    assert ["platform", "75", "3", "14", "0", "270", "11"] in [row[3:] for row in firsts]


def test_the_choice_of_a_guideline_begins_with_the_newest(server):
    page = get(server, "/results").text
    assert re.findall(r"<option>(\d\S+)</option>", page)[:2] == ["2022.11", "2020.06"]


def test_two_guidelines_have_a_page_of_what_changed(server):
    page = get(server, DIFF).text
    before, after = (catalogue.load(name)[0] for name in ("2018.02", "2018.11"))
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Programme compute", "Programme storage"]
    for changes in diff.between_guidelines(before, after).values():
        for change in changes:
            assert f'href="/capabilities/{change.capability}"' in page
            if change.is_of_test:
                assert f"{change.kind}: <code>{change.what.replace('->', '→')}</code>" in page
    assert "required → deprecated" in page
    assert "entered as advisory" in page
    assert "23 capabilities changed: 20 with another status, 3 only with other tests." in page
    same = get(server, "/guidelines/2019.11/diff/2020.06").text
    assert same.count("Nothing changed in this programme.") == 2
    none = get(server, "/guidelines/2020.06/diff/dns.2020.06").text
    assert "The guidelines have no programme in common: 2020.06 has platform" in none


def test_the_form_leads_to_the_page_of_the_changes(server):
    answer = get(server, "/guidelines/diff", before="2018.02", after="2018.11")
    assert answer.url == f"{server.url}{DIFF}"
    assert "<option selected>2018.02</option>" in answer.text
    page = get(server, "/guidelines/2018.11").text
    assert f'href="{DIFF}"' in page
    assert 'action="/guidelines/diff"' in page


def test_a_capability_has_a_history(server):
    page = get(server, HISTORY).text
    head, *found = rows(page)
    assert head[:5] == ["Guideline", "Date", "Status", "Tests", "Flagged"]
    assert [row[:5] for row in found] == [
        ["2017.01", "2017-01-24", "removed in compute", "15", "13"],
        ["2016.08", "2016-08-23", "deprecated in compute", "15", "13"],
        ["2016.01", "2016-01-27", "required in compute", "15", "13"],
        ["2015.07", "2015-07-28", "required in compute", "15", "13"],
    ]
    assert "The guidelines after 2017.01 do not have it." in page
    assert "/guidelines/2016.08/diff/2017.01" in page
    assert HISTORY in get(server, "/guidelines/2016.08").text
    present = get(server, "/capabilities/compute-servers-create").text
    assert "do not have it" not in present


def test_results_link_to_the_guideline_and_the_history_of_capabilities(server):
    result_id = server.upload(["t"])
    page = get(server, f"/results/{result_id}", guideline="2020.06", programme="storage").text
    assert 'href="/capabilities/objectstore-container-list"' in page
    assert 'href="/guidelines/2020.06"' in page


def test_a_skipped_test_is_visible_on_a_page_with_a_link_to_skip_the_navigation(server):
    page = get(server, f"/results/{server.upload(['t'])}").text
    assert "a.skip {" in page
    assert not re.search(r"^\.skip [^}]*position", page, re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [
        *("/guidelines/none", "/guidelines/2020.06/diff/none", "/guidelines/none/diff/2020.06"),
        *("/guidelines/diff", "/guidelines/diff?before=2020.06", f"/guidelines/diff?before={EVIL}"),
        *("/capabilities/none", f"/capabilities/{EVIL}", "/capabilities/%00"),
        *("/guidelines/2020.06/diff/..%2F..%2Fetc", "/guidelines/2020.06.json/diff/2020.06"),
        *("/v2/capabilities/none", "/v2/guidelines/none/diff/2020.06"),
    ],
)
def test_unknown_names_are_not_found(server, path):
    answer = get(server, path)
    assert answer.status_code == 404
    assert EVIL not in answer.text


def test_the_pages_can_be_kept_by_caches_and_answer_head(server):
    for path in ("/guidelines", "/guidelines/2020.06", DIFF, HISTORY):
        answer = server.call("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        etag = {"If-None-Match": answer.headers["ETag"]}
        assert server.call("GET", path, headers=etag).status_code == 304


def test_changes_and_histories_are_json_too(server):
    changes = server.call("GET", f"/v2{DIFF}").json()
    assert {
        "programme": "compute",
        "capability": "volumes-v2-get",
        "change": "status",
        "what": "required -> deprecated",
    } in changes
    assert len(changes) == 27
    assert server.call("GET", "/v2/guidelines/2020.06/diff/dns.2020.06").json() == []
    found = server.call("GET", f"/v2{HISTORY}").json()
    assert (found["id"], found["project"]) == ("compute-images-list", "nova")
    first, *_ = found["history"]
    assert first == {
        "guideline": "2017.01",
        "statuses": {"compute": "removed"},
        "tests": 15,
        "flagged": 13,
    }
