"""Results: uploaded, listed, shown, changed (``/v1/results``)."""

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.orm import Session

from refstack_server.api.v1 import products
from refstack_server.settings import Settings
from refstack_server.store import callers, packed_outcomes, public_keys
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import LONGEST_CPID, Product, ProductVersion, Result
from refstack_server.web import times
from refstack_server.web.dependencies import Body, Config, Reader, Reading, Writer, Writing
from refstack_server.web.errors import bad_request, forbidden, not_found, unauthorized
from refstack_server.web.request_body import Document, Text, read, read_fields, schema_of
from scoring.conformance.outcomes import Outcome

router = APIRouter(prefix="/results", tags=["results"])
_LARGEST = 2**31 - 1


class Test(pydantic.BaseModel):
    """A test that passed; what else stands in it is dropped."""

    model_config = pydantic.ConfigDict(strict=True)
    name: Text = pydantic.Field(max_length=512)
    uuid: Text | None = pydantic.Field(default=None, max_length=36)


class Upload(Document):
    """What passed in a cloud, called by its cloud provider id."""

    cpid: Text = pydantic.Field(max_length=LONGEST_CPID)
    duration_seconds: int = pydantic.Field(ge=-_LARGEST, le=_LARGEST)
    results: list[Test]


class Change(pydantic.BaseModel):
    """What may be changed of a result; other keys are passed over."""

    product_version_id: Text | None = None
    verification_status: pydantic.StrictInt | pydantic.StrictBool | None = None


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(Upload))
def upload(
    body: Body,
    session: Writing,
    settings: Config,
    signature: Annotated[str | None, Header(alias="X-Signature")] = None,
    key: Annotated[str | None, Header(alias="X-Public-Key")] = None,
) -> dict[str, str]:
    """Store results: a signed upload is its key's owner's and private, another is nobody's."""
    sent = read(body, Upload)
    is_signed = signature is not None or key is not None
    if is_signed:
        raw = callers.read_signature(signature or "")
        callers.check_signature(callers.read_key(key or ""), raw.hex(), body)
    if not sent.results:
        raise bad_request("Uploaded results must contain at least one passing test.")
    if not is_signed and not settings.anonymous_upload:
        raise unauthorized(
            "Anonymous result uploads are disabled. Please create a user account and an api key at "
            f"{settings.public_url}"
        )
    owner = _owner(session, key) if is_signed and key else None
    result = Result(
        cpid=sent.cpid,
        cpid_folded=sent.cpid.casefold(),
        duration_seconds=sent.duration_seconds,
        openid=owner.openid if owner else None,
        outcomes=packed_outcomes.pack(_passed(sent.results)),
    )
    if owner:
        result.product_version = _version_of(session, sent.cpid, owner)
    stored_results.add(session, result)
    if owner:
        stored_results.write_meta(session, result, stored_results.USER, owner.openid)
    session.commit()
    return {"test_id": result.id, "url": page_url(settings, result)}


def _owner(session: Session, key: str) -> Caller:
    known = public_keys.of(session, public_keys.parse(key))
    if known is None:
        raise unauthorized(
            "User with specified key not found. Please log into the RefStack server to upload "
            "your key."
        )
    return callers.of_user(session, known.openid)


def _passed(tests: list[Test]) -> list[Entry]:
    """Return each test once: lists of tests print one for each capability it stands in."""
    by_name: dict[str, Entry] = {}
    for each in tests:
        by_name.setdefault(each.name, Entry(each.name, each.uuid or "", str(Outcome.PASS)))
    return list(by_name.values())


def _version_of(session: Session, cpid: str, owner: Caller) -> ProductVersion | None:
    """Return the one version of a product that a cloud is, if its vendor is the uploader's."""
    query = sa.select(ProductVersion).where(ProductVersion.cpid == cpid).limit(2)
    found = list(session.scalars(query)) if cpid else []
    if len(found) != 1 or not owner.acts_for(found[0].product.organization_id):
        return None
    return found[0]


def page_url(settings: Settings, result: Result) -> str:
    return f"{settings.public_url}/results/{result.id}"


@router.get("/schema")
def upload_schema() -> dict[str, Any]:
    """Return the JSON schema of an upload."""
    return Upload.model_json_schema()


class Filters(pydantic.BaseModel):
    """What a list of results is narrowed by; the last of a repeated one counts."""

    page: str = "1"
    start_date: str | None = None
    end_date: str | None = None
    cpid: str | None = None
    signed: str | None = None
    verification_status: str | None = None
    product_id: str | None = None


@router.get("")
def list_results(
    filters: Annotated[Filters, Query()], session: Reading, caller: Reader, settings: Config
) -> dict[str, Any]:
    """List the results the caller may see, newest first."""
    conditions = list(_conditions(filters, session, caller))
    pages = math.ceil(stored_results.count(session, conditions) / settings.page_size)
    page = _page(filters.page, pages)
    rows = [
        {**summary(each, caller), "url": page_url(settings, each)}
        for each in stored_results.newest(session, conditions, settings.page_size, page)
    ]
    return {"results": rows, "pagination": {"current_page": page, "total_pages": pages}}


def _conditions(
    filters: Filters, session: Session, caller: Caller
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield what the listed results have in common; first, that the caller may see them."""
    if filters.signed is not None:
        if not caller.openid:
            raise bad_request("To see signed test results you need to authenticate")
        yield Result.openid == caller.openid
    elif filters.product_id is None:
        yield stored_results.LISTED
    elif not _is_own(session, filters.product_id, caller):
        yield stored_results.seen_by(caller)
    if filters.product_id is not None:
        yield stored_results.of_product(filters.product_id)
    yield from _period(filters)
    if filters.cpid is not None:
        yield Result.cpid_folded == filters.cpid.casefold()
    if filters.verification_status is not None:
        verified = stored_results.verified()
        yield verified if filters.verification_status == "1" else ~verified


def _period(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    start, end = (
        times.parse(each) if each is not None else None
        for each in (filters.start_date, filters.end_date)
    )
    if start and end and start > end:
        raise bad_request("Invalid dates: start_date more than end_date")
    if start:
        yield Result.created_at >= start
    if end:
        yield Result.created_at <= end


def _is_own(session: Session, product_id: str, caller: Caller) -> bool:
    product = session.get(Product, product_id)
    if product is None:
        raise not_found(f'Product with id "{product_id}" not found')
    if not product.public:
        caller.require_vendor(product.organization_id)
    return product.organization_id in caller.vendors


def _page(text: str, pages: int) -> int:
    try:
        page = int(text)
    except ValueError as error:
        raise bad_request(
            "Invalid page number: The page number can not be converted to an integer"
        ) from error
    if page <= 0:
        raise bad_request("Invalid page number: The page number less or equal zero.")
    if page > max(1, pages):
        raise bad_request(
            "Invalid page number: The page number is greater than the total number of pages."
        )
    return page


def summary(result: Result, caller: Caller) -> dict[str, Any]:
    """Return a result without its tests, as far as the caller may know it."""
    knows_all = stored_results.role(result, caller) in (
        stored_results.OWNER,
        stored_results.FOUNDATION,
    )
    shown = {
        each.key: each.value
        for each in result.meta
        if knows_all or each.key in stored_results.PUBLIC_KEYS
    }
    version = result.product_version
    if version and not knows_all and not version.product.public:
        version = None
    return {
        "id": result.id,
        "created_at": times.text(result.created_at),
        "duration_seconds": result.duration_seconds,
        "meta": shown,
        "product_version": products.version_of_result(version) if version else None,
        "verification_status": int(result.is_verified),
    }


@router.get("/{result_id}")
def show(result_id: str, session: Reading, caller: Reader) -> dict[str, Any]:
    """Return a result with the names of the tests that passed."""
    result = stored_results.find(session, result_id, caller)
    role = stored_results.role(result, caller)
    names = packed_outcomes.passed(packed_outcomes.unpack(result.outcomes))
    own = {"cpid": result.cpid} if role != stored_results.READER else {}
    return {**summary(result, caller), **own, "results": names, "user_role": role}


@router.put("/{result_id}", status_code=HTTPStatus.CREATED)
def change(
    result_id: str, body: Body, request: Request, session: Writing, caller: Writer
) -> dict[str, Any]:
    """Attach a result to a version of a product, or verify it."""
    content_type = request.headers.get("content-type", "")
    wanted = read_fields(body, content_type, request.url.query, Change)
    given = wanted.model_dump(exclude_unset=True)
    if not caller.openid:
        raise forbidden("only its owner, and the foundation, may change a result")
    result = stored_results.find_own(session, result_id, caller)
    if "product_version_id" in given:
        _attach(session, result, given["product_version_id"], caller)
    if "verification_status" in given:
        _verify(session, result, given["verification_status"], caller)
    session.commit()
    return summary(result, caller)


def _attach(session: Session, result: Result, version_id: str | None, caller: Caller) -> None:
    stored_results.require_unverified(result, "the product cannot be changed")
    version = session.get(ProductVersion, version_id) if version_id else None
    if version_id and version is None:
        raise not_found(f"Product version {version_id} not found")
    if version:
        caller.require_vendor(version.product.organization_id)
    result.product_version = version


def _verify(session: Session, result: Result, status: int | bool | None, caller: Caller) -> None:
    caller.require_foundation()
    if status not in (0, 1):
        raise bad_request("verification_status: 0 or 1 is needed")
    if status:
        stored_results.verify(session, result, until=None)
    else:
        stored_results.revoke(session, result, why="")


@router.delete("/{result_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(result_id: str, session: Writing, caller: Writer) -> None:
    """Remove a result; only the foundation may remove what is nobody's."""
    if not caller.openid:
        raise forbidden("only its owner, and the foundation, may remove a result")
    result = stored_results.find_own(session, result_id, caller)
    stored_results.require_unverified(result, "nothing can be removed")
    stored_results.remove(session, result)
    session.commit()


@router.get("/{result_id}/meta")
def show_meta(result_id: str, session: Reading, caller: Reader) -> dict[str, str]:
    """Return what was written to a result."""
    return summary(stored_results.find(session, result_id, caller), caller)["meta"]


@router.get("/{result_id}/meta/{key}")
def show_meta_value(result_id: str, key: str, session: Reading, caller: Reader) -> str | None:
    """Return one value, null where there is none."""
    result = stored_results.find(session, result_id, caller)
    if (
        key not in stored_results.PUBLIC_KEYS
        and stored_results.role(result, caller) == stored_results.READER
    ):
        raise forbidden(f"{key} is for its owner only")
    return result.meta_value(key)


@router.post("/{result_id}/meta/{key}", status_code=HTTPStatus.CREATED)
def write_meta(result_id: str, key: str, body: Body, session: Writing, caller: Writer) -> None:
    """Write the body, as it is, to a result."""
    result = _of_writable(session, result_id, key, caller)
    try:
        value = body.decode()
    except UnicodeDecodeError as error:
        raise bad_request(f"the value of {key} is no text in UTF-8", str(error)) from error
    if "\0" in value or len(value) > _LONGEST_VALUE:
        raise bad_request(f"the value of {key} needs {_LONGEST_VALUE} characters at most, no NUL")
    stored_results.write_meta(session, result, key, value)
    session.commit()


_LONGEST_VALUE = 4096


@router.delete(
    "/{result_id}/meta/{key}", status_code=HTTPStatus.NO_CONTENT, response_class=Response
)
def delete_meta(result_id: str, key: str, session: Writing, caller: Writer) -> None:
    """Remove what was written under a key."""
    stored_results.delete_meta(session, _of_writable(session, result_id, key, caller), key)
    session.commit()


def _of_writable(session: Session, result_id: str, key: str, caller: Caller) -> Result:
    if not caller.openid:
        raise forbidden("only its owner, and the foundation, may write to a result")
    result = stored_results.find_own(session, result_id, caller)
    if key not in stored_results.PUBLIC_KEYS:
        raise forbidden(f"{key} cannot be written; {', '.join(stored_results.PUBLIC_KEYS)} can")
    stored_results.require_unverified(result, "nothing can be written to the metadata")
    if key == stored_results.SHARED:
        stored_results.require_owner(result, caller)
    return result
