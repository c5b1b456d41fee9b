"""Export of the public pages as files."""

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path

import lxml.html
import pytest
from support import images
from support.bundles import make_key, packed, registered
from support.certifying import CLIENT
from support.publishing import Publisher

from refstack_server.operation.site_directory import RECORD


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
    *progress, number, start = done.stderr.splitlines()
    assert all(line.startswith("written so far: ") for line in progress)
    assert number.endswith("of them new or changed")
    assert start == f"start page: {target}/index.html"
    return target


def test_every_link_of_every_page_leads_to_a_file(exported):
    pages = list(exported.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        document = lxml.html.fromstring(page.read_bytes())
        for element, _, link, _ in document.iterlinks():
            path = link.partition("#")[0]
            if path and not path.startswith("https:"):
                assert (page.parent / path).is_file(), (page, link)
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
    served = server.call("GET", f"/vendors/{shared['vendor']}/logo")
    assert (vendor / "logo.png").read_bytes() == served.content
    assert [path.name for path in exported.rglob("*.png")] == ["logo.png"]
    page = (vendor / "index.html").read_text()
    assert 'src="logo.png"' in page
    assert ">acme.example.org</a>" in page
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
    again = export(server, database, exported)
    assert (again.returncode, "nothing has changed" in again.stderr) == (0, True)
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


def inodes(directory: Path) -> dict[str, int]:
    """Return the inode of each file of an export: that of a file that is kept stays."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.stat().st_ino for path in files}


def share(server, who, result_id: str, with_: str) -> None:
    path = f"/v2/results/{result_id}/sharing"
    assert server.call("PUT", path, who, json={"with": with_}).ok


@pytest.fixture
def other(server, people, tmp_path) -> str:
    """Return the id of a published result that is not verified."""
    key = make_key(tmp_path / "key")
    registered(server, people["alice"], key)
    content = packed(tmp_path, key, failing=7, traceback=f"E: {tmp_path.name}")
    made = server.call("POST", "/v2/bundles", data=content).json()["id"]
    share(server, people["alice"], made, "everybody")
    return made


def test_only_what_changed_is_written_again(server, database, people, shared, other, tmp_path):
    site = tmp_path / "site"
    assert export(server, database, site).returncode == 0
    before = inodes(site)
    page, kept = (f"results/{name}/index.html" for name in (other, shared["everybody"]))
    (site / kept).write_text("edited")
    (site / "results" / other / "badge.svg").unlink()
    done = export(server, database, site)
    assert "2 of them new or changed" in done.stderr
    assert "NOT CONFORMANT" in (site / kept).read_text()
    before |= {name: number for name, number in inodes(site).items() if "badge" in name}
    before[kept] = (site / kept).stat().st_ino
    assert inodes(site).items() - before.items() <= {(RECORD, (site / RECORD).stat().st_ino)}

    path = f"/v2/results/{other}/verification"
    assert server.call("PUT", path, people["root"], json={"why": "agreed"}).ok
    assert export(server, database, site).returncode == 0
    assert "Verified by the Foundation" in (site / page).read_text()
    after = inodes(site)
    changed = {name for name, number in after.items() if before.get(name) != number}
    assert {page, "log.json", "checkpoint", "feed.atom"} <= changed
    assert not {name for name in changed if "/results/" in name}
    assert {name for name in changed if len(Path(name).parts) > 2} == {
        page,
        f"results/{other}/badge.svg",
    }


def test_a_withdrawn_and_a_removed_result_leave_the_export(
    server, database, people, other, tmp_path
):
    site = tmp_path / "site"
    removed = server.upload(["t"])
    assert export(server, database, site).returncode == 0
    assert {other, removed} <= {path.name for path in (site / "results").iterdir()}
    share(server, people["alice"], other, "nobody")
    assert server.call("DELETE", f"/v1/results/{removed}", people["root"]).ok
    assert export(server, database, site).returncode == 0
    for path in site.rglob("*"):
        assert other not in path.name
        assert removed not in path.name
        if path.is_file() and path.name != RECORD and not path.match("log*"):
            assert f"results/{other}" not in path.read_text(errors="replace"), path


def test_an_interrupted_export_leaves_the_older_one(server, database, other, tmp_path):
    site = tmp_path / "site"
    assert export(server, database, site).returncode == 0
    server.upload(["t"])
    before = inodes(site)
    for seconds in (1.0, 1.5, 2.0):
        where = ["--database", database] if database else []
        command = [CLIENT, "server", "export", site, "--data", server.data, *where]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
        if process.returncode == 0:
            break
        assert inodes(site) == before
        assert [path.name for path in tmp_path.glob(".exporting-*")] == []
    assert export(server, database, site).returncode == 0


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}",
        b"[]",
        b'{"format": 1, "state": "", "files": {"../../x": "0"}, "results": {"a": {}}}',
        b'{"format": 1, "state": 7, "files": 7, "results": {}}',
    ],
)
def test_a_changed_record_is_not_trusted(server, database, exported, record):
    (exported / RECORD).write_bytes(record)
    done = export(server, database, exported)
    assert done.returncode == 0, done.stderr
    assert sorted(exported.parent.iterdir()) == [exported]
    assert (exported / "index.html").is_file()


def test_files_outside_of_the_export_are_never_taken(server, database, exported, shared, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    document = json.loads((exported / RECORD).read_text())
    digest = hashlib.sha256(b"secret").hexdigest()
    outside = f"results/{shared['everybody']}/../../../../{tmp_path.name}/secret.txt"
    document["files"] |= {outside: digest, "secret.txt": digest}
    document["results"][shared["everybody"]]["files"] = [outside, "secret.txt"]
    (exported / RECORD).write_text(json.dumps(document))
    (exported / "secret.txt").symlink_to(secret)
    assert export(server, database, exported).returncode == 0
    assert not [path for path in exported.rglob("*") if path.name == "secret.txt"]
