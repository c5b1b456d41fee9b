"""Results in RefStack v1's form: upload, list, show, change (``/v1/results``)."""

import hashlib
import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from refstack_client.bundle.ssh_public_key import PublicKey
from refstack_server.api.v1.result_documents import (
    ResultDetails,
    ResultsPage,
    ResultSummary,
    Row,
    summary,
)
from refstack_server.store import callers, packed_outcomes, public_keys, sharing
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import LONGEST_CPID, Product, ProductVersion, Result
from refstack_server.web import times
from refstack_server.web.dependencies import (
    Body,
    Config,
    ReadCaller,
    ReadSession,
    WriteCaller,
    WriteSession,
)
from refstack_server.web.request_body import Document, Json, Line, read, read_fields, schema_of
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
    results: list[Test]


class Change(pydantic.BaseModel):
    """The changeable fields of a result; other keys are ignored."""

    product_version_id: Line | None = None
    verification_status: pydantic.StrictInt | pydantic.StrictBool | None = None


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(Upload))
def upload(
    body: Body,
    session: WriteSession,
    settings: Config,
    signature: Annotated[str | None, Header(alias="X-Signature")] = None,
    key: Annotated[str | None, Header(alias="X-Public-Key")] = None,
) -> dict[str, str]:
    """Store results: a signed upload is private to the key's owner, an anonymous one is public."""
    sent = read(body, Upload)
    is_signed = signature is not None or key is not None
    if is_signed:
        raw = callers.read_signature(signature or "")
        callers.check_signature(callers.read_key(key or ""), raw.hex(), body)
    if not sent.results:
        raise InvalidError("Uploaded results must contain at least one passing test.")
    if not is_signed and not settings.anonymous_upload:
        raise UnauthenticatedError(
            "Anonymous result uploads are disabled. Please create a user account and an api key at "
            f"{settings.public_url}"
        )
    result = Result(
        cpid=sent.cpid,
        cpid_folded=sent.cpid.casefold(),
        duration_seconds=sent.duration_seconds,
        outcomes=packed_outcomes.pack(_passed(sent.results)),
    )
    if is_signed and key:
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


class Filters(pydantic.BaseModel):
    """Filters of a list of results; of a repeated one the last applies."""

    page: str = "1"
    start_date: str | None = None
    end_date: str | None = None
    cpid: str | None = None
    signed: str | None = None
    verification_status: str | None = None
    product_id: str | None = None


@router.get("")
def list_results(
    filters: Annotated[Filters, Query()], session: ReadSession, caller: ReadCaller, settings: Config
) -> ResultsPage:
    """List the results that the caller may see, the newest first."""
    conditions = list(_conditions(filters, session, caller))
    pages = math.ceil(stored_results.count(session, conditions) / settings.page_size)
    page = _page(filters.page, pages)
    rows: list[Row] = [
        {**summary(result, caller), "url": result_url(settings, result)}
        for result in stored_results.newest(session, conditions, settings.page_size, page)
    ]
    return {"results": rows, "pagination": {"current_page": page, "total_pages": pages}}


def _conditions(
    filters: Filters, session: Session, caller: Caller
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions of a list; the first is that the caller may see the result."""
    if filters.signed is not None:
        if not caller.openid:
            raise InvalidError("To see signed test results you need to authenticate")
        yield Result.openid == caller.openid
    elif filters.product_id is None:
        yield stored_results.LISTED
    elif not _is_own(session, filters.product_id, caller):
        yield stored_results.visible_to(caller)
    if filters.product_id is not None:
        yield stored_results.of_product(filters.product_id)
    yield from _period(filters)
    if filters.cpid:
        yield stored_results.with_cpid(filters.cpid, caller)
    if filters.verification_status is not None:
        verified = stored_results.verified()
        yield verified if filters.verification_status == "1" else ~verified


def _period(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    start, end = (
        times.parse(text) if text is not None else None
        for text in (filters.start_date, filters.end_date)
    )
    if start and end and start > end:
        raise InvalidError("Invalid dates: start_date more than end_date")
    if start:
        yield Result.created_at >= start
    if end:
        yield Result.created_at <= end


def _is_own(session: Session, product_id: str, caller: Caller) -> bool:
    product = session.get(Product, product_id)
    if product is None:
        raise NotFoundError(f'Product with id "{product_id}" not found')
    if not product.public:
        caller.require_vendor(product.organization_id)
    return product.organization_id in caller.vendors


def _page(text: str, pages: int) -> int:
    try:
        page = int(text)
    except ValueError as error:
        raise InvalidError(
            "Invalid page number: The page number can not be converted to an integer"
        ) from error
    if page <= 0:
        raise InvalidError("Invalid page number: The page number less or equal zero.")
    if page > max(1, pages):
        raise InvalidError(
            "Invalid page number: The page number is greater than the total number of pages."
        )
    return page


@router.get("/{result_id}")
def show(result_id: str, session: ReadSession, caller: ReadCaller) -> ResultDetails:
    """Return a result with the names of the passed tests."""
    result = stored_results.find(session, result_id, caller)
    role = stored_results.role(result, caller)
    names = packed_outcomes.passed(packed_outcomes.unpack(result.outcomes))
    details: ResultDetails = {**summary(result, caller), "results": names, "user_role": role}
    if role != stored_results.READER:
        details["cpid"] = result.cpid
    return details


@router.put("/{result_id}", status_code=HTTPStatus.CREATED)
def change(
    result_id: str, body: Body, request: Request, session: WriteSession, caller: WriteCaller
) -> ResultSummary:
    """Attach a result to a version of a product, or verify it."""
    content_type = request.headers.get("content-type", "")
    wanted = read_fields(body, content_type, request.url.query, Change)
    if not caller.openid:
        raise ForbiddenError("only the owner of a result and the Foundation may change it")
    if "verification_status" in wanted.model_fields_set:
        caller.require_foundation()
    result = stored_results.find(session, result_id, caller)
    if "product_version_id" in wanted.model_fields_set:
        result = stored_results.find_own(session, result_id, caller)
        stored_results.attach(session, result, _version(session, wanted, caller))
    if "verification_status" in wanted.model_fields_set:
        _verify(session, result, wanted.verification_status)
    session.commit()
    return summary(result, caller)


def _version(session: Session, wanted: Change, caller: Caller) -> ProductVersion | None:
    """Return the version to attach a result to: one of the caller's own vendors."""
    version_id = wanted.product_version_id
    if not version_id:
        return None
    version = session.get(ProductVersion, version_id)
    if version is None:
        raise NotFoundError(f"Product version {version_id} not found")
    if version.product.organization_id not in caller.vendors:
        raise ForbiddenError("a result can be attached only to a product of the caller's vendors")
    return version


def _verify(session: Session, result: Result, status: int | bool | None) -> None:
    if status not in (0, 1):
        raise InvalidError("verification_status must be 0 or 1")
    if status:
        sharing.verify(session, result, until=None)
    else:
        sharing.revoke(session, result, why="")


@router.delete("/{result_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(result_id: str, session: WriteSession, caller: WriteCaller) -> None:
    """Remove a result; the Foundation may remove any public one, also one without an owner."""
    if not caller.openid:
        raise ForbiddenError("only the owner of a result and the Foundation may remove it")
    result = stored_results.find_removable(session, result_id, caller)
    stored_results.require_unverified(result, "it cannot be removed")
    stored_results.remove(session, result)
    session.commit()
