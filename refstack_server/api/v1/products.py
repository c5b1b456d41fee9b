"""Products and their versions (``/v1/products``)."""

import json
from http import HTTPStatus
from typing import NotRequired

import pydantic
from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from refstack_server.store import products
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import (
    LONGEST_CPID,
    LONGEST_NAME,
    Product,
    ProductKind,
    ProductVersion,
    Result,
)
from refstack_server.web import times
from refstack_server.web.dependencies import (
    Body,
    CurrentCaller,
    ReadSession,
    WriteSession,
)
from refstack_server.web.request_body import (
    Description,
    Document,
    Line,
    Properties,
    read,
    read_fields,
    schema_of,
)

router = APIRouter(prefix="/products", tags=["products"])


class NewProduct(Document):
    """A new product; without an organization it belongs to the user's own vendor."""

    name: Line = pydantic.Field(max_length=LONGEST_NAME)
    product_type: int = pydantic.Field(ge=min(ProductKind), le=max(ProductKind))
    description: Description | None = None
    organization_id: Line | None = None
    version: Line | None = pydantic.Field(default=None, max_length=255)


class ProductChange(pydantic.BaseModel):
    """The changeable fields of a product."""

    name: Line | None = pydantic.Field(default=None, max_length=LONGEST_NAME, min_length=1)
    description: Description | None = None
    public: bool | None = None
    properties: Properties | None = None


class NewVersion(Document):
    """A new version of a product, and the cloud provider id of a cloud that runs it."""

    version: Line = pydantic.Field(max_length=255)
    cpid: Line | None = pydantic.Field(default=None, max_length=LONGEST_CPID)


class VersionChange(pydantic.BaseModel):
    """The changeable fields of a version."""

    cpid: Line | None = pydantic.Field(default=None, max_length=LONGEST_CPID)


class ProductSummary(TypedDict):
    """A product as everyone who may see it sees it."""

    id: str
    name: str
    description: str | None
    type: int
    product_type: int
    public: bool
    organization_id: str
    can_manage: bool


class ProductDetails(ProductSummary):
    """A product as the users of its vendor and the Foundation see it; properties are JSON text."""

    created_by_user: NotRequired[str]
    created_at: NotRequired[str]
    updated_at: NotRequired[str | None]
    properties: NotRequired[str | None]


class Products(TypedDict):
    """A list of products."""

    products: list[ProductSummary]


class ChangedProduct(TypedDict):
    """A product after a change."""

    id: str
    name: str
    organization_id: str
    public: bool
    can_manage: bool


class Version(TypedDict):
    """A version of a product."""

    id: str
    product_id: str
    version: str | None
    cpid: str | None


@router.get("")
def list_products(
    session: ReadSession, caller: CurrentCaller, organization_id: str | None = None
) -> Products:
    """List public products and the caller's own, by name; the Foundation sees all."""
    found = products.products(session, caller, organization_id)
    return {"products": [_summary(product, caller) for product in found]}


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewProduct))
def add(body: Body, session: WriteSession, caller: CurrentCaller) -> dict[str, str]:
    """Add a product with one version."""
    caller.require_user()
    sent = read(body, NewProduct)
    product = Product(
        name=sent.name,
        description=sent.description,
        product_type=sent.product_type,
        organization_id=sent.organization_id,
    )
    products.add(session, caller, product, sent.version)
    session.commit()
    return {"id": product.id}


def _summary(product: Product, caller: Caller) -> ProductSummary:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "type": product.type,
        "product_type": product.product_type,
        "public": product.public,
        "organization_id": product.organization_id,
        "can_manage": caller.acts_for(product.organization_id),
    }


@router.get("/{product_id}")
def show(product_id: str, session: ReadSession, caller: CurrentCaller) -> ProductDetails:
    """Return a product; its managers see its creator, dates and properties too."""
    product = products.find_product(session, product_id, caller)
    summary = _summary(product, caller)
    if not summary["can_manage"]:
        return {**summary}
    return {
        **summary,
        "created_by_user": product.created_by_user,
        "created_at": times.text(product.created_at),
        "updated_at": times.text(product.updated_at) if product.updated_at else None,
        # JSON in a text, as in RefStack v1.
        "properties": json.dumps(product.properties) if product.properties else None,
    }


@router.put("/{product_id}")
def change(
    product_id: str, body: Body, request: Request, session: WriteSession, caller: CurrentCaller
) -> ChangedProduct:
    """Change a product; only products of official vendors can become public."""
    product = products.find_own(session, product_id, caller)
    content_type = request.headers.get("content-type", "")
    change = read_fields(body, content_type, request.url.query, ProductChange)
    for name, value in change.model_dump(exclude_unset=True).items():
        if name in ("name", "public") and value is None:
            raise InvalidError(f"{name} should not be empty", f"/{name}")
        setattr(product, name, value)
    products.require_publishable(session, product)
    session.commit()
    return {
        "id": product.id,
        "name": product.name,
        "organization_id": product.organization_id,
        "public": product.public,
        "can_manage": caller.acts_for(product.organization_id),
    }


@router.delete("/{product_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(product_id: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Remove a product without attached results."""
    product = products.find_own(session, product_id, caller)
    if stored_results.any_match(session, stored_results.of_product(product.id)):
        raise InvalidError("results are attached to this product")
    session.delete(product)
    session.commit()


@router.get("/{product_id}/versions")
def list_versions(product_id: str, session: ReadSession, caller: CurrentCaller) -> list[Version]:
    """List a product's versions; the one without a name represents the product itself."""
    products.find_product(session, product_id, caller)
    return [_version(version) for version in products.versions(session, product_id)]


def _version(version: ProductVersion) -> Version:
    return {
        "id": version.id,
        "product_id": version.product_id,
        "version": version.version,
        "cpid": version.cpid,
    }


@router.post(
    "/{product_id}/versions",
    status_code=HTTPStatus.CREATED,
    openapi_extra=schema_of(NewVersion),
)
def add_version(
    product_id: str, body: Body, session: WriteSession, caller: CurrentCaller
) -> Version:
    """Add a version to a product."""
    product = products.find_own(session, product_id, caller)
    sent = read(body, NewVersion)
    version = products.add_version(session, product, sent.version, sent.cpid)
    session.commit()
    return _version(version)


@router.get("/{product_id}/versions/{version_id}")
def show_version(
    product_id: str, version_id: str, session: ReadSession, caller: CurrentCaller
) -> Version:
    """Return a version of a product."""
    products.find_product(session, product_id, caller)
    return _version(products.find_version(session, product_id, version_id))


@router.put("/{product_id}/versions/{version_id}")
def change_version(
    product_id: str,
    version_id: str,
    body: Body,
    request: Request,
    session: WriteSession,
    caller: CurrentCaller,
) -> Version:
    """Change the cloud provider id of a version."""
    product = products.find_own(session, product_id, caller)
    version = products.find_version(session, product.id, version_id)
    content_type = request.headers.get("content-type", "")
    change = read_fields(body, content_type, request.url.query, VersionChange)
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(version, name, value)
    session.commit()
    return _version(version)


@router.delete(
    "/{product_id}/versions/{version_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
)
def delete_version(
    product_id: str, version_id: str, session: WriteSession, caller: CurrentCaller
) -> None:
    """Remove a version without attached results."""
    product = products.find_own(session, product_id, caller)
    version = products.find_version(session, product.id, version_id)
    if version.version is None:
        raise InvalidError("this version represents the product itself")
    if stored_results.any_match(session, Result.product_version_id == version.id):
        raise InvalidError("results are attached to this version")
    session.delete(version)
    session.commit()
