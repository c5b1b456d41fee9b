"""Two results: how they are chosen, and what their comparison shows."""

import html
import re

import pytest
from support.browsing import EVIL, get, signed_in
from support.making import NAMES
from support.publishing import Publisher
from support.serving import Person, add_user, new_id, person
from support.streams import StreamWriter

from capabilities import catalogue, programme
from capabilities.programme import Programme
from refstack_server.intake import verify_upload

REASON = "E: server {:08x}-0000-4000-8000-000000000000 is in error"

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def programme_of(guideline: str, key: str) -> Programme:
    return programme.find(catalogue.load(guideline)[0], key)


PLATFORM = programme_of("2020.06", "platform")
STORAGE = programme_of("2020.06", "storage")


def stream_of(tests, failing: dict[int, str]) -> bytes:
    """Return a stream of tests, some of which fail, each for a reason."""
    writer = StreamWriter().test(f"a.b.C.test_{new_id()}", "success")  # unlike all others
    for number, test in enumerate(tests):
        name = f"{test.name}[{test.idempotent_id}]"
        writer.test(
            name, "fail" if number in failing else "success", traceback=failing.get(number, "")
        )
    return writer.content


def upload(server, who, of: Programme, failing=None, *, tests=None, is_shared=True) -> str:
    """Upload a stream; return the id of the result."""
    tests = of.counted_tests() if tests is None else tests
    by = {"guideline": of.guideline.id, "programme": of.key}
    content = stream_of(tests, failing or {})
    answer = server.call("POST", "/v2/streams", who, params=by, data=content)
    assert answer.status_code == 201, answer.text
    made = answer.json()["id"]
    if is_shared:
        path = f"/v2/results/{made}/sharing"
        assert server.call("PUT", path, who, json={"with": "everybody"}).ok
    return made


@pytest.fixture(scope="module")
def good(server, people) -> str:
    return upload(server, people["alice"], PLATFORM)


def summaries(page: str) -> list[tuple[str, int]]:
    """Return the reason of each group of tests, and its number of tests."""
    group = r'<span class="name">([^<]*)</span><span class="state">(.*?)</span></summary>'
    found = re.findall(group, page)
    return [(reason, int(state.rpartition("·")[2])) for reason, state in found if "·" in state]


def test_the_verdict_is_first_and_a_reason_of_many_tests_is_one_row(server, alice, good):
    failing = {number: REASON.format(number) for number in range(250)}
    failing |= dict.fromkeys(range(250, 256), "E: other")
    bad = upload(server, alice, PLATFORM, failing)
    page = get(server, "/compared", before=good, after=bad).text
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page)))
    assert "The verdict changed: CONFORMANT → to NOT CONFORMANT" in text
    assert "Of 273 required tests: 256 newly failing, 17 same (17 pass)." in text
    assert summaries(page) == [("E: server … is in error", 250), ("E: other", 6)]
    places = [page.index(part) for part in ("The verdict changed", "Capabilities that", "E: other")]
    assert places == sorted(places)
    # A shape is beside each colour.
    assert '<span class="fail">fail</span>' in page
    assert '<span class="pass">pass</span>' in page
    fixed = get(server, "/compared", before=bad, after=good).text
    assert summaries(fixed) == [("E: server … is in error", 250), ("E: other", 6)]
    assert "Newly passing: 256 tests" in fixed


def test_results_without_a_difference_have_one_line(server, good):
    page = get(server, "/compared", before=good, after=good).text
    assert "The verdict is the same:" in page
    assert "All 273 required tests have the same outcome (273 pass)." in page
    assert "Capabilities that changed" not in page
    assert summaries(page) == []


def test_results_of_other_programmes_are_judged_by_that_of_the_first(server, alice, good):
    storage = upload(server, alice, STORAGE)
    page = get(server, "/compared", before=good, after=storage).text
    assert "It was uploaded as a result of 2020.06 storage." in page
    assert "judged by OpenStack Powered Platform" in page
    by = {"guideline": "2020.06", "programme": "storage"}
    page = get(server, "/compared", before=good, after=storage, **by).text
    assert "All 58 required tests have the same outcome (58 pass)." in page
    assert "It was uploaded as a result of 2020.06 platform." in page
    dns = upload(server, alice, programme_of("dns.2020.06", "dns"))
    assert (
        "None of the required tests ran in it."
        in get(server, "/compared", before=storage, after=dns).text
    )


def test_the_base_programme_of_an_add_on_is_compared_too(server, alice):
    dns = verify_upload.shipped_programme("dns.2020.06", "dns")
    (base,) = dns.bases
    good, bad = (
        upload(server, alice, dns, failing, tests=dns.wanted_tests())
        for failing in ({}, {len(dns.counted_tests()) + 3: "E: of the base"})
    )
    page = get(server, "/compared", before=good, after=bad).text
    assert "The verdict changed" in page
    assert f"<h2>Base programme: {base.name}</h2>" in page
    assert summaries(page) == [("E: of the base", 1)]


def test_a_result_without_a_guideline_is_judged_by_that_of_the_other(server, good):
    passes = [server.upload(NAMES[:3]) for _ in range(2)]
    for pair in ((good, passes[0]), (passes[0], good)):
        page = get(server, "/compared", before=pair[0], after=pair[1]).text
        assert "It was uploaded without a guideline." in page
        assert "It lists only tests that passed" in page
        assert "judged by OpenStack Powered Platform" in page
        path = f"/v2/results/{pair[0]}/compared/{pair[1]}"
        assert len(server.call("GET", path).json()) == 273
    refused = get(server, "/compared", before=passes[0], after=passes[1])
    assert refused.status_code == 400
    assert "neither result was uploaded with both" in refused.text
    assert 'id="compare-guideline-error"' in refused.text
    by = {"guideline": "2020.06", "programme": "storage"}
    chosen = get(server, "/compared", before=passes[0], after=passes[1], **by)
    assert "All 58 required tests have the same outcome (3 pass, 55 not-run)." in chosen.text


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        ("my result", 400, "enter the id of a result, or the URL of its page"),
        (f"x' or 1=1 --{EVIL}", 400, "enter the id of a result"),
        ("\x00\u202e", 400, "enter the id of a result"),
        ("x" * 2000, 400, "enter the id of a result"),
        (UNKNOWN, 404, "not found"),
        (f"https://other.example/results/{UNKNOWN}?x=1", 404, "not found"),
    ],
)
def test_what_was_typed_stays_beside_what_is_wrong_with_it(server, good, typed, status, message):
    for wrong, right in (("before", "after"), ("after", "before")):
        answer = get(server, "/compared", **{wrong: typed, right: good, "programme": "storage"})
        assert answer.status_code == status
        assert message in answer.text
        assert f'id="compare-{wrong}-error"' in answer.text
        assert EVIL not in answer.text
        assert f'value="{good}"' in answer.text
        assert "<option selected>storage</option>" in answer.text
        if typed.isalpha():
            assert f'value="{typed}"' in answer.text


def test_an_unknown_programme_is_refused_beside_its_field(server, good):
    for wrong in ({"guideline": "1999.01"}, {"programme": "dns"}, {"guideline": "../x"}):
        answer = get(server, "/compared", before=good, after=good, **wrong)
        assert (answer.status_code, "compare-guideline-error" in answer.text) == (404, True)


def test_a_result_is_named_by_its_id_or_a_url_of_its_page(server, good):
    urls = (f" {good.upper()} ", f"{server.url}/results/{good}/", f"/results/{good}?programme=x#y")
    for url in urls:
        page = get(server, "/compared", before=url, after=f"http://x/results/{good}/tests.csv")
        assert "All 273 required tests" in page.text


def test_other_results_of_the_product_are_offered_first(server, people, alice):
    publisher = Publisher(server, alice, people["root"])
    vendor = publisher.vendor(f"Choosing {new_id()}")
    first, second = (
        publisher.version(publisher.product(vendor, name), "1") for name in ("One", "Two")
    )
    chosen, older, newer = (publisher.result(first, "object") for _ in range(3))
    of_vendor = publisher.result(second, "object")
    of_programme = server.upload(["t"], alice)
    for key, value in (("guideline", "2020.06"), ("target", "object"), ("shared", "1")):
        path = f"/v1/results/{of_programme}/meta/{key}"
        assert server.call("POST", path, alice, data=value).ok
    page = get(server, "/compared", before=chosen).text
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[:3] == ["Of the same product", "Of the same vendor", "Of the same programme"]
    parts = page.split("<h2>")[1:]
    links = [re.findall(r'href="/compared\?([^"]+)"', part) for part in parts]
    offered = [[re.search(r"after=(\S+)", link)[1] for link in part] for part in links]
    assert offered[:2] == [[newer, older], [of_vendor]]
    assert offered[2][0] == of_programme
    everything = [result_id for part in offered for result_id in part]
    assert len(everything) == len(set(everything))
    assert chosen not in everything
    assert all(f"before={chosen}" in link for part in links for link in part)
    path = f"/compared?before={chosen}"
    assert path in get(server, f"/results/{chosen}").text
    assert 'href="/compared"' in get(server, "/results").text
    listed = get(server, "/compared").text
    assert re.findall(r'href="/compared\?before=([^"]+)"', listed)[0] == of_programme


def test_hidden_results_and_products_are_not_offered(server, people, alice):
    publisher = Publisher(server, alice, people["root"])
    vendor = publisher.vendor(f"Hiding {new_id()}")
    version = publisher.version(publisher.product(vendor, "Secret", is_public=False), "1")
    public, other = (publisher.result(version, "object") for _ in range(2))
    private = publisher.result(version, "object", is_shared=False)
    page = get(server, "/compared", before=public).text
    assert private not in page
    assert "Secret" not in page
    # That both are of one product is hidden as the product is.
    assert "Of the same product" not in page
    assert "Of the same vendor" not in page
    assert other in page.partition("Of the same programme")[2]
    own = server.call("GET", f"/compared?before={public}", headers={"Accept": "text/html"})
    assert own.text == page
    for query in ({"before": private}, {"before": public, "after": private}):
        refused = get(server, "/compared", **query)
        assert refused.status_code == 401
        assert "this result is not shared" in refused.text
        assert "Secret" not in refused.text


def test_an_owner_is_offered_private_results(served, provider):
    who = Person(f"{provider.url}/chooser", person("chooser").key)
    add_user(served.data, who)
    mine = [upload(served, who, STORAGE, is_shared=False) for _ in range(2)]
    browser = signed_in(served, provider, "chooser")
    page = browser.get(f"{served.url}/compared?before={mine[0]}", timeout=60)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    link = re.search(rf'href="(/compared\?[^"]*after={mine[1]})"', page.text)[1]
    shown = browser.get(f"{served.url}{link.replace('&amp;', '&')}", timeout=60).text
    assert "All 58 required tests have the same outcome (58 pass)." in shown
    other = signed_in(served, provider, "other").get(f"{served.url}/compared", timeout=60).text
    assert not any(result_id in other for result_id in mine)


def test_the_pages_answer_head_and_have_an_etag(server, good):
    for path in ("/compared", f"/compared?before={good}", f"/compared?before={good}&after={good}"):
        answer = server.call("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert server.call("GET", path).headers["ETag"] == answer.headers["ETag"]
