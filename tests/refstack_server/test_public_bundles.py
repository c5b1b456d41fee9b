"""Anonymised bundles that owners publish: a stranger recomputes the verdicts from an export."""

import hashlib
import itertools
import json
import re
import shlex
import subprocess
import tarfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import lxml.html
import pytest
import requests
from support.browsing import csrf, get, signed_in
from support.bundles import make_key, registered
from support.certifying import CLIENT
from support.making import BEGIN, NAMES, make_run
from support.serving import Person, Server

from refstack_client.bundle import archive, pack
from refstack_client.bundle.contents import Bundle

SECRET = "compute-17.corp.example"
HOURS = itertools.count(1)


def bundle_of(place: Path, key: Path | None, *, failing: int = 0, anonymous: bool = False) -> bytes:
    """Return the bundle of another run."""
    run = make_run(
        place / "runs",
        lambda name: "fail" if name in NAMES[:failing] else "success",
        started=BEGIN + timedelta(hours=next(HOURS)),
        traceback=f"Conflict: {SECRET}",
    )
    members = pack.make(pack.of_run(run), anonymous=anonymous)
    return archive.pack(pack.signed(members, key) if key else members)


def copy_of(content: bytes, key: Path | None) -> bytes:
    members = pack.anonymised(Bundle.unpack(content, "x"))
    return archive.pack(pack.signed(members, key) if key else members)


@dataclass(frozen=True)
class Owner:
    """A user of a server with a registered key."""

    server: Server
    who: Person
    key: Path
    place: Path

    def uploaded(self, content: bytes, with_: str = "everybody") -> str:
        answer = self.server.call("POST", "/v2/bundles", self.who, data=content)
        assert answer.ok, answer.text
        made = answer.json()["id"]
        self.share(made, with_)
        return made

    def share(self, result_id: str, with_: str) -> None:
        path = f"/v2/results/{result_id}/sharing"
        assert self.server.call("PUT", path, self.who, json={"with": with_}).ok

    def publish(self, result_id: str, content: bytes) -> requests.Response:
        path = f"/v2/results/{result_id}/public-bundle"
        return self.server.call("PUT", path, self.who, data=content)

    def withdraw(self, result_id: str) -> requests.Response:
        return self.server.call("DELETE", f"/v2/results/{result_id}/public-bundle", self.who)


@pytest.fixture(scope="module")
def owner(server, people, tmp_path_factory) -> Owner:
    place = tmp_path_factory.mktemp("owner")
    key = make_key(place / "key")
    registered(server, people["alice"], key)
    return Owner(server, people["alice"], key, place)


def status(server, result_id: str) -> int:
    codes = {
        get(server, f"/results/{result_id}/bundle.zip").status_code,
        get(server, f"/v2/results/{result_id}/public-bundle").status_code,
    }
    (code,) = codes
    return code


def events(server) -> list[dict[str, str]]:
    entries = server.call("GET", "/v2/log", params={"most": 1000}).json()
    return [json.loads(entry["text"]) for entry in entries]


def test_a_bundle_is_published_and_withdrawn(server, owner, people):
    whole = bundle_of(owner.place, owner.key)
    result_id = owner.uploaded(whole)
    assert status(server, result_id) == 404
    copy = copy_of(whole, owner.key)
    answer = owner.publish(result_id, copy)
    assert answer.ok, answer.text
    digest = answer.json()["sha256"]
    assert get(server, f"/v2/results/{result_id}").json()["public_bundle"] == digest
    assert get(server, f"/results/{result_id}/bundle.zip").content == copy
    assert SECRET.encode() not in copy
    page = get(server, f"/results/{result_id}").text
    assert digest in page
    assert "refstack-client bundle verify bundle.zip --any-signer" in page
    assert owner.publish(result_id, copy).ok  # again: no further entry
    published = [entry for entry in events(server) if entry.get("result") == result_id]
    assert [(entry["event"], entry.get("bundle")) for entry in published] == [
        ("published", None),
        ("bundle-published", digest),
    ]
    log = get(server, "/log").text
    assert "published the anonymised bundle" in log
    path = f"/v2/results/{result_id}/public-bundle"
    for name in ("bob", "root"):
        assert server.call("DELETE", path, people[name]).status_code == 403
    assert owner.withdraw(result_id).ok
    assert status(server, result_id) == 404
    assert owner.withdraw(result_id).status_code == 404
    assert events(server)[-1]["event"] == "bundle-withdrawn"
    assert digest not in get(server, f"/results/{result_id}").text


def test_a_withdrawn_result_takes_its_bundle_along(server, owner):
    whole = bundle_of(owner.place, owner.key)
    result_id = owner.uploaded(whole)
    assert owner.publish(result_id, copy_of(whole, owner.key)).ok
    owner.share(result_id, "certifier")
    assert [entry["event"] for entry in events(server)[-2:]] == ["bundle-withdrawn", "withdrawn"]
    owner.share(result_id, "everybody")
    assert status(server, result_id) == 404


def changed(content: bytes, key: Path, name: str, to: bytes) -> bytes:
    """Return a signed bundle with another member."""
    members = {**Bundle.unpack(content, "x").members, name: to}
    return archive.pack(pack.signed(members, key))


def test_only_the_signed_anonymised_copy_is_published(server, owner, people, tmp_path):
    whole = bundle_of(owner.place, owner.key)
    result_id = owner.uploaded(whole)
    copy = copy_of(whole, owner.key)
    other = make_key(tmp_path / "other")
    bobs = make_key(tmp_path / "bobs")
    registered(server, people["bob"], bobs)
    for content, reason in (
        (b"no bundle", "This is not a bundle"),
        (whole, "The bundle is not anonymised"),
        (copy_of(whole, None), "The bundle is not signed"),
        (copy_of(whole, other), "is not yours"),
        (copy_of(whole, bobs), "is not yours"),
        (bundle_of(owner.place, owner.key, anonymous=True), "differs"),
        (changed(copy, owner.key, "tempest.conf", SECRET.encode()), "hashes"),
        (changed(copy, owner.key, "notes.txt", b"x"), "not valid"),
    ):
        answer = owner.publish(result_id, content)
        assert (answer.status_code, reason in answer.text) == (400, True), answer.text
    assert "refstack-client bundle anonymise" in owner.publish(result_id, whole).text
    assert status(server, result_id) == 404


def test_a_bundle_with_a_host_name_in_any_member_is_refused(owner):
    """Its manifest lists the member as it is, and every check of the bundle passes."""
    run = make_run(owner.place / "runs", started=BEGIN + timedelta(hours=next(HOURS)))
    whole = archive.pack(pack.signed(pack.make(pack.of_run(run)), owner.key))
    result_id = owner.uploaded(whole)
    run.tempest_conf.write_text(f"[identity]\nregion = {SECRET}\n")
    members = pack.make(pack.of_run(run), anonymous=False)
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = (json.dumps({**manifest, "anonymous": True}, indent=2)).encode()
    answer = owner.publish(result_id, archive.pack(pack.signed(members, owner.key)))
    assert (answer.status_code, "differs" in answer.text) == (400, True), answer.text


def test_a_result_that_is_not_public_has_no_public_bundle(server, owner):
    whole = bundle_of(owner.place, owner.key)
    result_id = owner.uploaded(whole, "nobody")
    answer = owner.publish(result_id, copy_of(whole, owner.key))
    assert (answer.status_code, "publish it before" in answer.text) == (409, True)
    passes = server.upload(["t"], owner.who)
    owner.share(passes, "everybody")
    assert owner.publish(passes, whole).status_code == 409


@pytest.fixture(scope="module")
def site(server, database, owner, tmp_path_factory) -> Path:
    """Return an export with results of every verdict and their bundles."""
    for failing in (0, 3):
        whole = bundle_of(owner.place, owner.key, failing=failing)
        result_id = owner.uploaded(whole)
        assert owner.publish(result_id, copy_of(whole, owner.key)).ok
    anonymous = bundle_of(owner.place, owner.key, failing=1, anonymous=True)
    result_id = owner.uploaded(anonymous)
    assert owner.publish(result_id, anonymous).ok
    assert owner.uploaded(bundle_of(owner.place, owner.key))
    target = tmp_path_factory.mktemp("export") / "site"
    where = ["--database", database] if database else []
    command = [CLIENT, "server", "export", target, "--data", server.data, *where]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target


def test_a_stranger_recomputes_the_verdicts_of_an_export(site):
    """The commands are those of the pages, in the directory of the export."""
    found = {}
    for page in site.glob("results/*/index.html"):
        document = lxml.html.fromstring(page.read_bytes())
        links = [link for link in document.xpath("//a/@href") if link.endswith(".zip")]
        if not links:
            assert not (page.parent / "bundle.zip").exists()
            continue
        assert links == ["bundle.zip"]
        texts = [code.text for code in document.xpath("//code") if code.text]
        (command,) = (text for text in texts if text.startswith("refstack-client bundle verify"))
        words = [CLIENT, *shlex.split(command)[1:]]
        done = subprocess.run(
            words, cwd=page.parent, capture_output=True, text=True, timeout=120, check=False
        )
        assert "verification failed" not in done.stderr
        (stated,) = document.xpath("//h1/following::*[contains(., 'required tests')]")[:1]
        headline = re.search(r"(\d+)/(\d+) required tests", done.stderr)
        assert headline[0] in " ".join(stated.text_content().split())
        verdict = json.loads(
            (site / "v2" / "results" / page.parent.name / "verdict.json").read_text()
        )
        required = verdict["required"]
        assert headline.groups() == (str(required["passed"]), str(required["total"]))
        assert done.returncode == {"conformant": 0, "not-conformant": 1}[verdict["verdict"]]
        found[headline[0]] = done.returncode
    assert sorted(found.values()) == [0, 1, 1]


def test_nothing_of_an_export_names_a_host(site):
    for path in site.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for canary in (SECRET.encode(), b"keystone.example.org", b"192.0.2.7", b"mycloud"):
                assert canary not in content, path


def test_published_copies_are_checked_and_in_backups(server, database, site, tmp_path):
    where = ["--data", server.data, *(["--database", database] if database else [])]
    command = [CLIENT, "server", "check", *where, "-f", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = {check["check"]: check for check in json.loads(done.stdout)}
    assert found["uploads"]["result"] == "passed"
    copies = [path.read_bytes() for path in site.glob("results/*/bundle.zip")]
    digests = [hashlib.sha256(copy).hexdigest() for copy in copies]
    assert not [digest for digest in digests if digest in str(found["orphaned uploads"])]
    backup = tmp_path / "backup.tar"
    subprocess.run([CLIENT, "server", "backup", backup, *where], check=True, timeout=120)
    with tarfile.open(backup) as archived:
        names = archived.getnames()
    assert {f"uploads/{digest}" for digest in digests} <= set(names)


def test_a_withdrawn_bundle_leaves_the_export(server, database, owner, site):
    (page, *_) = site.glob("results/*/bundle.zip")
    result_id = page.parent.name
    assert owner.withdraw(result_id).ok
    where = ["--database", database] if database else []
    command = [CLIENT, "server", "export", site, "--data", server.data, *where]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert not page.exists()
    assert "bundle.zip" not in (page.parent / "index.html").read_text()


def test_a_page_has_a_form_for_each_step(served, provider, tmp_path):
    browser = signed_in(served, provider, "Vera")
    whole = bundle_of(tmp_path, None)
    sent = browser.post(
        f"{served.url}/mine/upload",
        data={"csrf": csrf(browser, served)},
        files={"bundle": ("b.zip", whole)},
        timeout=60,
    )
    result_id = sent.url.rpartition("/")[2]
    page = f"{served.url}/mine/{result_id}/public-bundle"
    assert browser.get(page, timeout=60).status_code == 409
    token = {"csrf": csrf(browser, served)}
    share = f"{served.url}/mine/{result_id}/share"
    browser.post(share, data={**token, "with": "everybody"}, timeout=60)
    shown = browser.get(f"{served.url}/results/{result_id}", timeout=60).text
    assert f'href="/mine/{result_id}/public-bundle"' in shown
    assert "Publish the bundle?" in browser.get(page, timeout=60).text
    refused = browser.post(page, data=token, timeout=60)  # the uploaded one has no signature
    assert (refused.status_code, "not signed" in refused.text) == (400, True)
    assert 'aria-invalid="true"' in refused.text
    assert browser.post(page, data={"csrf": "x"}, timeout=60).status_code in (400, 403)
