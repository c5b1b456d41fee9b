"""A bundle with valid hashes and any content is accepted or refused without a failure."""

import contextlib
import functools
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.making import make_run

from refstack_client.bundle import archive, pack
from refstack_client.bundle import contents as bundle_contents
from refstack_client.outcomes import run_attempts
from refstack_server.intake import verify_upload
from refstack_server.settings import Settings
from refstack_server.store import blobs
from refstack_server.store.errors import RefusedError
from refstack_server.store.schema import LONGEST_CPID

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.just("\0")
    | st.just("x" * 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@functools.cache
def members() -> dict[str, bytes]:
    with TemporaryDirectory() as place:
        made = make_run(Path(place) / "runs")
        return dict(pack.make(pack.of_run(made), anonymous=False, attested={}))


def changed(document: Any, draw: st.DataObject) -> Any:
    """Return a copy of a JSON value with one random change."""
    if not isinstance(document, dict | list) or not document or draw.draw(st.integers(0, 4)) == 0:
        return draw.draw(JSON)
    keys = sorted(document) if isinstance(document, dict) else range(len(document))
    key = draw.draw(st.sampled_from(keys))
    copied = document.copy()
    if isinstance(copied, dict) and draw.draw(st.integers(0, 5)) == 0:
        del copied[key]
    else:
        copied[key] = changed(document[key], draw)
    return copied


def resealed(made: dict[str, bytes], name: str) -> dict[str, bytes]:
    """Return members with a manifest that has the digest of a changed member."""
    if name == bundle_contents.MANIFEST:
        return made
    manifest = json.loads(made[bundle_contents.MANIFEST])
    digest = hashlib.sha256(made[name]).hexdigest()
    manifest["members"][name] = {"sha256": digest, "size": len(made[name])}
    return {**made, bundle_contents.MANIFEST: json.dumps(manifest).encode()}


def read(content: bytes, place: Path) -> verify_upload.VerifiedUpload:
    with blobs.incoming(place) as file:
        file.write(content)
        return verify_upload.read_bundle(file.complete(), Settings(place, "http://x"))


@settings(max_examples=200)
@given(
    st.data(),
    st.sampled_from([bundle_contents.MANIFEST, bundle_contents.PLAN, bundle_contents.ATTEMPTS]),
)
def test_a_bundle_with_any_content_is_accepted_or_refused(data, name):
    made = members()
    lines = [json.loads(line) for line in made[name].splitlines()] if name.endswith("l") else None
    document = changed(lines or json.loads(made[name]), data)
    if lines and isinstance(document, list):
        content = "".join(f"{json.dumps(line)}\n" for line in document).encode()
    else:
        content = json.dumps(document).encode()
    made = resealed({**made, name: content}, name)
    found = None
    with TemporaryDirectory() as place, contextlib.suppress(RefusedError):
        found = read(archive.pack(made), Path(place))
    if found:
        assert len(found.cpid) <= LONGEST_CPID
        assert 0 <= found.seconds < 2**31
        run_attempts.retries_of(run_attempts.attempts_in(made[bundle_contents.ATTEMPTS].decode()))


@pytest.mark.parametrize(
    "name",
    [
        bundle_contents.MANIFEST,
        bundle_contents.PLAN,
        bundle_contents.ATTEMPTS,
        bundle_contents.VERDICT,
    ],
)
def test_deeply_nested_json_is_refused(tmp_path, name):
    with pytest.raises(RefusedError):
        read(archive.pack(resealed({**members(), name: b"[" * 100_000}, name)), tmp_path)
