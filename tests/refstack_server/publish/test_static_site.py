"""Export of the public pages as files."""

import json
import subprocess
from pathlib import Path

import lxml.html
import pytest
from support import images
from support.bundles import make_key, packed, registered
from support.certifying import CLIENT
from support.publishing import Publisher


@pytest.fixture(scope="module")
def shared(server, people, tmp_path_factory) -> dict[str, str]:
    """Return the ids of results by whom they are shared with, and of an anonymous one."""
    place = tmp_path_factory.mktemp("shared")
    key = make_key(place / "key")
    registered(server, people["alice"], key)
    ids = {}
    at = Publisher(server, people["alice"], people["root"])
    vendor = at.vendor("Acme")
    at.branding(vendor, "https://acme.example.org/", images.logo())
    at.propose(vendor, images.logo("gold"))
    at.result(at.version(at.product(vendor, "Cloud"), "1"), "object")
    ids["vendor"] = vendor
    for failing, with_ in enumerate(("nobody", "certifier", "everybody"), start=1):
        why = f"Conflict: {with_} at https://secret.example:5000"
        content = packed(place, key, failing=failing, traceback=why)
        ids[with_] = server.call("POST", "/v2/bundles", data=content).json()["id"]
        path = f"/v2/results/{ids[with_]}/sharing"
        server.call("PUT", path, people["alice"], json={"with": with_})
    for key, value in (("guideline", "2020.06"), ("target", "object")):
        path = f"/v1/results/{ids['everybody']}/meta/{key}"
        server.call("POST", path, people["alice"], data=value)
    path = f"/v2/results/{ids['everybody']}/verification"
    assert server.call("PUT", path, people["root"], json={"why": "agreed"}).ok
    for _ in range(22):  # a second page
        ids["anonymous"] = server.upload(["t"])
    return ids


def export(server, database, target: Path) -> subprocess.CompletedProcess:
    where = ["--database", database] if database else []
    return subprocess.run(
        [CLIENT, "server", "export", target, "--data", server.data, *where],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def exported(server, database, shared, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("export") / "site"
    done = export(server, database, target)
    assert done.returncode == 0, done.stderr
    *progress, message = done.stderr.splitlines()
    assert all(line.endswith("files are written") for line in progress)
    assert message.endswith(f"start page: {target}/index.html")
    return target


def test_every_link_of_every_page_leads_to_a_file(exported):
    pages = list(exported.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        document = lxml.html.fromstring(page.read_bytes())
        for element, _, link, _ in document.iterlinks():
            if not link.startswith(("#", "https:")):
                assert (page.parent / link).is_file(), (page, link)
            assert element.tag in ("a", "img", "link"), (page, element)
        assert not document.xpath("//form|//script")


def test_an_export_has_all_published_results_and_no_others(exported, shared):
    page = (exported / "results" / shared["everybody"] / "index.html").read_text()
    assert "NOT CONFORMANT" in page
    assert "Conflict: … at …" in page
    assert (exported / "results" / shared["anonymous"] / "index.html").is_file()
    assert (exported / "results" / "page-2.html").is_file()
    assert "<h1>Registry of OpenStack certifications</h1>" in (exported / "index.html").read_text()
    assert f"/results/{shared['everybody']}" in (exported / "feed.atom").read_text()
    entries = (exported / "log" / "index.html").read_text()
    assert f"results/{shared['everybody']}/index.html" in entries
    assert 'href="../log.json"' in entries
    verdict = exported / "v2" / "results" / shared["everybody"] / "verdict.json"
    assert json.loads(verdict.read_text())["verdict"] == "not-conformant"
    log = json.loads((exported / "log.json").read_text())
    assert json.loads(log[-1]["text"])["event"] == "verified"
    for path in exported.rglob("*"):
        if path.is_file():
            content = path.read_text(errors="replace")
            assert "secret.example" not in content, path
            assert shared["nobody"] not in content, path
            assert shared["certifier"] not in content, path


def test_an_export_has_the_logo_and_the_site_that_are_approved(exported, server, shared):
    vendor = exported / "vendors" / shared["vendor"]
    assert (vendor / "logo.png").read_bytes() == server.call(
        "GET", f"/vendors/{shared['vendor']}/logo"
    ).content
    assert [path.name for path in exported.rglob("*.png")] == ["logo.png"]
    assert 'src="logo.png"' in (vendor / "index.html").read_text().replace("./", "")
    assert ">acme.example.org</a>" in (vendor / "index.html").read_text()
    first = (exported / "index.html").read_text()
    assert f'src="vendors/{shared["vendor"]}/logo.png"' in first


def test_a_directory_without_a_server_is_refused(tmp_path):
    for data, message in (
        (tmp_path, "does not belong to a server"),
        (tmp_path / "none", "is not a directory"),
    ):
        command = [CLIENT, "server", "export", tmp_path / "site", "--data", data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, message in done.stderr) == (4, True)
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / "site").exists()


def test_only_an_older_export_is_replaced(server, database, exported, tmp_path):
    (exported / "stale").touch()
    assert export(server, database, exported).returncode == 0
    assert not (exported / "stale").exists()
    assert sorted(exported.parent.iterdir()) == [exported]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    done = export(server, database, mine)
    assert (done.returncode, "exists and is not an export" in done.stderr) == (4, True)
    done = export(server, database, tmp_path / "none" / "site")
    assert (done.returncode, "cannot write" in done.stderr) == (5, True)
    assert not list(tmp_path.glob(".exporting-*"))
    assert [path.name for path in mine.iterdir()] == ["file"]
