"""Uploads of passed tests in RefStack v1's form (``POST /v1/results``)."""

import hashlib
from http import HTTPStatus
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
from refstack_server.store import callers, packed_outcomes, public_keys
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError, UnauthenticatedError
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import LONGEST_CPID, Product, ProductVersion, Result
from refstack_server.web.dependencies import Body, Context, WriteSession
from refstack_server.web.request_body import Document, Json, Line, read, schema_of
from refstack_server.web.urls import result_url
from scoring.conformance.outcomes import Outcome

router = APIRouter(prefix="/results", tags=["results"])
_LARGEST = 2**31 - 1
_QUICKLY_READ = 64 * 1024
"""Bodies up to this size are read within milliseconds."""


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


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(Upload))
async def upload(
    body: Body,
    session: WriteSession,
    context: Context,
    signature: Annotated[str | None, Header(alias="X-Signature")] = None,
    key: Annotated[str | None, Header(alias="X-Public-Key")] = None,
) -> dict[str, str]:
    """Store results: a signed upload is private to the key's owner, an anonymous one is public."""
    is_signed = signature is not None or key is not None
    if is_signed:
        raw = callers.read_signature(signature or "")
        callers.check_signature(callers.read_key(key or ""), raw.hex(), body)
    elif not context.settings.anonymous_upload:
        raise UnauthenticatedError(
            "Anonymous result uploads are disabled. Please create a user account and an api key at "
            f"{context.settings.public_url}"
        )
    if len(body) > _QUICKLY_READ:
        passes = await context.run(read_passes, body)
    else:
        passes = await run_in_threadpool(read_passes, body)
    return await run_in_threadpool(_store, session, context.settings, body, passes, key)


def read_passes(body: bytes) -> Passes:
    """Return what an upload states.

    :raises InvalidError: it does not have the form of :class:`Upload`, or contains no passed test
    """
    sent = read(body, Upload)
    if not sent.results:
        raise InvalidError("Uploaded results must contain at least one passing test.")
    return Passes(sent.cpid, sent.duration_seconds, packed_outcomes.pack(_passed(sent.results)))


def _store(
    session: Session, settings: Settings, body: bytes, passes: Passes, key: str | None
) -> dict[str, str]:
    result = Result(
        cpid=passes.cpid,
        cpid_folded=passes.cpid.casefold(),
        duration_seconds=passes.duration_seconds,
        outcomes=passes.outcomes,
    )
    if key is not None:
        line = public_keys.parse(key)
        result = _add_signed(session, result, _owner(session, line), _digest(line, body))
    else:
        stored_results.add(session, result, settings.most_unowned_bytes)
        session.commit()
    return {"test_id": result.id, "url": result_url(settings, result)}


def _digest(line: PublicKey, body: bytes) -> str:
    """Return what names a signed upload: the signature alone may have several forms."""
    return hashlib.sha256(f"{line.fingerprint}\n".encode() + body).hexdigest()


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
