"""OpenStack Compatible and OpenStack Powered: what a result supports, and who attests it."""

import shutil
from types import SimpleNamespace

import lxml.html
import pytest
import sqlalchemy as sa
from support.browsing import get
from support.bundles import attestation_of, make_key, packed, registered
from support.operating import client, where
from support.publishing import changing

PRIVATE = ("Alice Liddell", "Hidden Cloud")


@pytest.fixture(scope="module")
def at(server, people, tmp_path_factory):
    """A server where Alice publishes bundles that her key signs."""
    place = tmp_path_factory.mktemp("keys")
    key = make_key(place / "key")
    fingerprint = registered(server, people["alice"], key)

    def publish(failing: int = 0, attested=None) -> str:
        runs = tmp_path_factory.mktemp("runs")
        content = packed(runs, key, failing, attested=attested)
        answer = server.call("POST", "/v2/bundles", data=content)
        assert answer.ok, answer.text
        made = answer.json()["id"]
        path = f"/v2/results/{made}/sharing"
        assert server.call("PUT", path, people["alice"], json={"with": "everybody"}).ok
        return made

    return SimpleNamespace(server=server, key=key, fingerprint=fingerprint, publish=publish)


def facts(page: str) -> dict[str, str]:
    (listed,) = lxml.html.fromstring(page).xpath("//dl[@class='facts'][1]")
    labels = [label.text_content() for label in listed.xpath("dt")]
    return dict(zip(labels, (text.text_content() for text in listed.xpath("dd")), strict=True))


def test_a_powered_result_shows_the_attestation_but_no_person(at, alice, root):
    result_id = at.publish(attested=attestation_of(at.key))
    document = at.server.call("GET", f"/v2/results/{result_id}").json()
    assert document["marks"] == {"compatible": "yes", "powered": "yes"}
    assert document["signer"] == at.fingerprint
    public = {
        "date": "2026-11-20",
        "sections": {"keystone": "yes", "swift": "yes"},
        "signer": at.fingerprint,
        "by": None,
        "product": None,
    }
    assert document["attestation"] == public
    page = get(at.server, f"/results/{result_id}").text
    assert facts(page)["Bundle signed with"] == at.fingerprint
    assert facts(page)["Attestation"] == (
        "Of 2026-11-20: uses the designated sections of keystone, swift. Signed with "
        f"{at.fingerprint}. A statement of the vendor, which no test checks."
    )
    assert "OpenStack Compatible (the tests alone decide): yes" in page
    assert (
        "OpenStack Powered (tests, and designated sections attested by the vendor on 2026-11-20): "
        "yes" in page
    )
    for path in (f"/results/{result_id}", f"/v2/results/{result_id}", "/", "/v2/results"):
        answer = at.server.call("GET", path).text
        assert not any(name in answer for name in PRIVATE)
    for who in (alice, root):
        document = at.server.call("GET", f"/v2/results/{result_id}", who).json()
        assert document["attestation"] == {
            **public,
            "by": "Alice Liddell",
            "product": "Hidden Cloud 1",
        }
        page = at.server.call("GET", f"/results/{result_id}", who).text
        assert "Of 2026-11-20 by Alice Liddell for Hidden Cloud 1: uses" in page
        assert "designated sections attested by Alice Liddell on 2026-11-20): yes" in page
    queue = at.server.call("GET", "/queue", root).text
    (row,) = lxml.html.fromstring(queue).xpath(f"//tr[.//a[@href='/results/{result_id}']]")
    assert "attestation" not in row.text_content()
    decision = at.server.call("GET", f"/queue/{result_id}", root).text
    assert "Alice Liddell for Hidden Cloud 1" in facts(decision)["Attestation"]


def test_another_guideline_is_not_attested(at):
    result_id = at.publish(attested=attestation_of())
    assert "No signature of its own." in get(at.server, f"/results/{result_id}").text
    for guideline, is_attested in (("2020.06", True), ("2018.02", False)):
        page = get(at.server, f"/results/{result_id}", guideline=guideline).text
        assert ("attested by the vendor on 2026-11-20" in page) == is_attested
        expected = f"of the designated sections of keystone, swift for {guideline} storage."
        assert (expected in page) != is_attested


@pytest.mark.parametrize(
    ("failing", "answers", "powered"),
    [(0, {"swift": "no"}, "no"), (1, {}, "no"), (0, None, "not-attested"), (1, None, "no")],
)
def test_powered_needs_tests_and_all_sections(at, root, failing, answers, powered):
    attested = None if answers is None else attestation_of(at.key, **answers)
    result_id = at.publish(failing, attested)
    document = at.server.call("GET", f"/v2/results/{result_id}").json()
    compatible = "no" if failing else "yes"
    assert document["marks"] == {"compatible": compatible, "powered": powered}
    assert (document["attestation"] is None) == (answers is None)
    page = get(at.server, f"/results/{result_id}").text
    if answers is None:
        assert facts(page)["Attestation"].startswith("None: the bundle has no attestation of the")
        assert "OpenStack Powered: not attested." in page
        queue = at.server.call("GET", f"/queue/{result_id}", root).text
        assert "No attestation: it does not support OpenStack Powered." in facts(queue)["Missing"]
    if answers:
        assert "sections of keystone. Not of swift." in facts(page)["Attestation"]


def test_a_result_without_a_bundle_is_not_attested(at, alice):
    result_id = at.server.upload(["t"], alice)
    document = at.server.call("GET", f"/v2/results/{result_id}", alice).json()
    assert (document["marks"], document["attestation"], document["signer"]) == (None, None, None)
    for key, value in (("guideline", "2020.06"), ("target", "object")):
        path = f"/v1/results/{result_id}/meta/{key}"
        assert at.server.call("POST", path, alice, data=value).ok
    document = at.server.call("GET", f"/v2/results/{result_id}", alice).json()
    assert document["marks"] == {"compatible": "not-shown", "powered": "not-attested"}
    page = at.server.call("GET", f"/results/{result_id}", alice).text
    assert facts(page)["Attestation"].startswith("None: the upload has no attestation")
    path = f"/v1/results/{result_id}/meta/guideline"
    assert at.server.call("POST", path, alice, data="scs-0128").ok
    assert at.server.call("GET", f"/v2/results/{result_id}", alice).json()["marks"] is None


@pytest.mark.parametrize("name", ["A\nB", "A\u202eB", "A\x00", "x" * 256])
def test_a_name_that_cannot_be_shown_is_refused(at, tmp_path, name):
    content = packed(tmp_path, at.key, attested=attestation_of(by=name))
    answer = at.server.call("POST", "/v2/bundles", data=content)
    assert answer.status_code == 400
    assert "attestation: by must be one line of at most 255 visible characters" in answer.text


def test_an_upgrade_reads_the_attestations_of_stored_bundles(at, database, tmp_path):
    made = [at.publish(attested=attestation_of(at.key)), at.publish(), at.publish(failing=2)]

    def shown(result_id: str):
        document = at.server.call("GET", f"/v2/results/{result_id}").json()
        return document["signer"], document["marks"], document["attestation"]

    before = [shown(result_id) for result_id in made]
    digest = at.server.call("GET", f"/v2/results/{made[2]}").json()["sha256"]
    with changing(at.server, database) as connection:
        forget = "UPDATE results SET signer = NULL, attestation = NULL"
        connection.execute(sa.text(forget))
    assert shown(made[0]) != before[0]
    blob = at.server.data / "uploads" / digest[:2] / digest
    shutil.move(blob, tmp_path / "blob")
    upgraded = client("upgrade", *where(at.server.data, database))
    assert upgraded.returncode == 0
    assert f"warning: the bundle of the result {made[2]} cannot be read" in upgraded.stderr
    assert [shown(result_id) for result_id in made[:2]] == before[:2]
    shutil.move(tmp_path / "blob", blob)
    assert client("upgrade", *where(at.server.data, database)).stderr.count("warning") == 0
    assert shown(made[2]) == before[2]
