"""From a cloud to the published page: certify, sign, upload, share, verify, show."""

import subprocess

import pytest
from support.bundles import make_key, registered
from support.certifying import CERTIFY, CLIENT

pytestmark = [pytest.mark.cloud, pytest.mark.long]


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **more)
    assert done.returncode == 0, done.stderr
    return done


def test_a_cloud_is_certified_and_its_verdict_is_on_a_page(
    server, alice, root, sandbox, browser, tmp_path
):
    run(*CERTIFY, "--os-cloud", "sandbox", "--output", str(tmp_path / "runs"))
    (made,) = (tmp_path / "runs").iterdir()
    key, packed = make_key(tmp_path / "key"), tmp_path / "b.zip"
    run(CLIENT, "bundle", "sign", str(made), "--key", str(key), "-o", str(packed))
    refused = subprocess.run(
        [CLIENT, "bundle", "upload", packed, "--url", server.url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 4
    assert "registered" in refused.stderr
    registered(server, alice, key)
    for _ in range(2):  # The same bundle again is the same result.
        page = run(CLIENT, "bundle", "upload", str(packed), "--url", server.url).stdout.strip()
    result_id = page.rpartition("/")[2]
    server.call("POST", f"/v1/results/{result_id}/meta/shared", alice, data="true")
    server.call("PUT", f"/v2/results/{result_id}/verification", root, json={})
    shown = run(
        *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *("--disable-background-networking", "--disable-sync", "--no-first-run"),
        *("--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}"),
        page,
    ).stdout
    assert "Verified by the Foundation" in shown
    assert "CONFORMANT</strong>" in shown
    assert "58/58 required tests passed" in shown
