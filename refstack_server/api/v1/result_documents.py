"""Results as JSON in RefStack v1's form."""

from typing import NotRequired

from typing_extensions import TypedDict

from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.schema import ProductVersion, Result
from refstack_server.web import times


class ProductInfo(TypedDict):
    """The product of a version."""

    id: str
    name: str
    organization_id: str
    public: bool


class VersionOfResult(TypedDict):
    """The version of a product that a result is attached to."""

    id: str
    version: str | None
    cpid: str | None
    product_info: ProductInfo


class ResultSummary(TypedDict):
    """A result without its tests."""

    id: str
    created_at: str
    duration_seconds: int
    meta: dict[str, str]
    product_version: VersionOfResult | None
    verification_status: int


class Row(ResultSummary):
    """A result in a list."""

    url: str


class ResultDetails(ResultSummary):
    """A result with the names of the passed tests; only the owner and the Foundation see its cpid.

    ``user_role`` is the role in which the caller sees the result.
    """

    cpid: NotRequired[str]
    results: list[str]
    user_role: str | None


class Pagination(TypedDict):
    """The number of a page, and of all pages."""

    current_page: int
    total_pages: int


class ResultsPage(TypedDict):
    """A page of a list of results."""

    results: list[Row]
    pagination: Pagination


def summary(result: Result, caller: Caller) -> ResultSummary:
    """Return a result without its tests, as far as the caller may see it."""
    sees_all = stored_results.role(result, caller) in (
        stored_results.OWNER,
        stored_results.FOUNDATION,
    )
    meta = {
        entry.key: entry.value
        for entry in result.meta
        if sees_all or entry.key in stored_results.PUBLIC_KEYS
    }
    version = result.product_version
    if version and not sees_all and not version.product.public:
        version = None
    return {
        "id": result.id,
        "created_at": times.text(result.created_at),
        "duration_seconds": result.duration_seconds,
        "meta": meta,
        "product_version": _version(version) if version else None,
        "verification_status": int(result.is_verified),
    }


def _version(version: ProductVersion) -> VersionOfResult:
    product = version.product
    return {
        "id": version.id,
        "version": version.version,
        "cpid": version.cpid,
        "product_info": {
            "id": product.id,
            "name": product.name,
            "organization_id": product.organization_id,
            "public": product.public,
        },
    }
