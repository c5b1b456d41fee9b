"""Uploads of passed tests in RefStack v1's form (``POST /v1/results``)."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, NamedTuple

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Header
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from refstack_client.bundle.ssh_public_key import PublicKey
from refstack_server.intake.verify_upload import MOST_ENTRIES
from refstack_server.settings import Settings
from refstack_server.store import blobs, callers, packed_outcomes, public_keys
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError, UnauthenticatedError
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import LONGEST_CPID, Product, ProductVersion, Result
from refstack_server.web.dependencies import Context, StreamedBody
from refstack_server.web.request_body import Document, Json, Line, read, schema_of
from refstack_server.web.urls import result_url
from scoring.conformance.outcomes import Outcome

router = APIRouter(prefix="/results", tags=["results"])
_LARGEST = 2**31 - 1


class Test(pydantic.BaseModel):
    """A passed test; other keys are ignored."""

    __test__ = False

    model_config = pydantic.ConfigDict(strict=True)
    name: Line = pydantic.Field(max_length=512)
    uuid: Line | None = pydantic.Field(default=None, max_length=36)


class Upload(Document):
    """The passed tests of a cloud, which its cloud provider id names."""

    cpid: Line = pydantic.Field(max_length=LONGEST_CPID)
    duration_seconds: int = pydantic.Field(ge=-_LARGEST, le=_LARGEST)
    results: list[Test] = pydantic.Field(max_length=MOST_ENTRIES)


class Passes(NamedTuple):
    """A read upload; ``outcomes`` are packed."""

    cpid: str
    duration_seconds: int
    outcomes: bytes


class Sealed(NamedTuple):
    """A public key, and the signature of a body by its private key."""

    key: str
    signature: str


class Signer(NamedTuple):
    """The key that signed an upload, and a digest of the key and the body.

    The signature itself is not covered: one body may have several.
    """

    line: PublicKey
    digest: str


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(Upload))
async def upload(
    body: StreamedBody,
    context: Context,
    signature: Annotated[str | None, Header(alias="X-Signature")] = None,
    key: Annotated[str | None, Header(alias="X-Public-Key")] = None,
) -> dict[str, str]:
    """Store results: a signed upload is private to the key's owner, an anonymous one is public."""
    is_signed = key is not None or signature is not None  # Also where one of them is empty.
    sealed = Sealed(key or "", signature or "") if is_signed else None
    if not sealed and not context.settings.anonymous_upload:
        raise UnauthenticatedError(
            "Anonymous result uploads are disabled. Please create a user account and an api key at "
            f"{context.settings.public_url}"
        )
    if body.size > blobs.IN_MEMORY:
        passes = await context.run(read_file, body.complete(), sealed)
    elif not sealed:
        return await context.write(_read_and_store, context.settings, body.content())
    else:
        passes = await run_in_threadpool(read_passes, body.content(), sealed)
    signer = _signer(sealed, body.sha256) if sealed else None
    if signer:
        await context.count(signer.line.fingerprint)
    return await context.write(_store, context.settings, passes, signer)


def read_file(path: Path, sealed: Sealed | None) -> Passes:
    """As :func:`read_passes`, for a body in a file."""
    return read_passes(path.read_bytes(), sealed)


def read_passes(body: bytes, sealed: Sealed | None) -> Passes:
    """Return what an upload states.

    :raises InvalidError: the signature is not valid, the body does not have the form of
        :class:`Upload`, or it contains no passed test
    """
    if sealed:
        raw = callers.read_signature(sealed.signature)
        callers.check_signature(callers.read_key(sealed.key), raw.hex(), body)
    sent = read(body, Upload)
    if not sent.results:
        raise InvalidError("Uploaded results must contain at least one passing test.")
    return Passes(sent.cpid, sent.duration_seconds, packed_outcomes.pack(_passed(sent.results)))


def _read_and_store(session: Session, settings: Settings, body: bytes) -> dict[str, str]:
    """Read and store an upload without a signature; the session has no connection before that."""
    return _store(session, settings, read_passes(body, None), None)


def _store(
    session: Session, settings: Settings, passes: Passes, signer: Signer | None
) -> dict[str, str]:
    result = Result(
        cpid=passes.cpid,
        cpid_folded=passes.cpid.casefold(),
        duration_seconds=passes.duration_seconds,
        outcomes=passes.outcomes,
    )
    if signer:
        result = _add_signed(session, result, _owner(session, signer.line), signer.digest)
    else:
        stored_results.add(session, result, settings.most_unowned_bytes)
        session.commit()
    return {"test_id": result.id, "url": result_url(settings, result)}


def _signer(sealed: Sealed, body_sha256: str) -> Signer:
    line = public_keys.parse(sealed.key)
    digest = hashlib.sha256(f"{line.fingerprint} {body_sha256}".encode()).hexdigest()
    return Signer(line, digest)


def _add_signed(session: Session, result: Result, owner: Caller, digest: str) -> Result:
    """Store a signed upload; the same body by the same key again is the same result.

    The protocol does not protect against requests that are sent again by others.
    """
    same = sa.select(Result).where(Result.upload_digest == digest)
    if found := session.scalar(same):
        return found
    result.upload_digest, result.openid = digest, owner.openid
    result.product_version = _version_of(session, result.cpid, owner)
    stored_results.add(session, result)
    stored_results.write_meta(session, result, stored_results.USER, owner.openid)
    try:
        session.commit()
    except IntegrityError:  # Another process stored it in the meantime.
        session.rollback()
        return session.scalars(same).one()
    return result


def _owner(session: Session, line: PublicKey) -> Caller:
    registered = public_keys.registered(session, line)
    if registered is None:
        raise UnauthenticatedError(
            "User with specified key not found. Please log into the RefStack server to upload "
            "your key."
        )
    return callers.of_user(session, registered.openid)


def _passed(tests: list[Test]) -> list[Entry]:
    """Return each test once: a list of tests may repeat a test for each of its capabilities."""
    by_name: dict[str, Entry] = {}
    for test in tests:
        by_name.setdefault(test.name, Entry(test.name, test.uuid or "", str(Outcome.PASS)))
    return list(by_name.values())


def _version_of(session: Session, cpid: str, owner: Caller) -> ProductVersion | None:
    """Return the version with this cpid of the uploader's own vendors, if there is exactly one."""
    query = (
        sa.select(ProductVersion)
        .join(Product, Product.id == ProductVersion.product_id)
        .where(ProductVersion.cpid == cpid, Product.organization_id.in_(owner.vendors))
        .limit(2)
    )
    versions = list(session.scalars(query)) if cpid else []
    return versions[0] if len(versions) == 1 else None


@router.get("/schema")
def upload_schema() -> Json:
    """Return the JSON schema of an upload."""
    return Upload.model_json_schema()
