"""Products and their versions (``/v1/products``)."""

from http import HTTPStatus
from typing import Any

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from refstack_server.store import results as stored_results
from refstack_server.store import vendors
from refstack_server.store.callers import Caller
from refstack_server.store.schema import (
    LONGEST_CPID,
    PUBLIC_VENDORS,
    Membership,
    Product,
    ProductKind,
    ProductVersion,
    Result,
    Vendor,
)
from refstack_server.web import times
from refstack_server.web.dependencies import Body, Reader, Reading, Writer, Writing
from refstack_server.web.errors import bad_request, conflict, forbidden, not_found
from refstack_server.web.request_body import Document, Text, read, read_fields, schema_of

router = APIRouter(prefix="/products", tags=["products"])
_LONGEST = 80


class NewProduct(Document):
    """A product; without an organization it is that of the user alone."""

    name: Text = pydantic.Field(max_length=_LONGEST)
    product_type: int = pydantic.Field(ge=min(ProductKind), le=max(ProductKind))
    description: Text | None = None
    organization_id: Text | None = None
    version: Text | None = pydantic.Field(default=None, max_length=255)


class ProductChange(pydantic.BaseModel):
    """What may be changed of a product."""

    name: Text | None = pydantic.Field(default=None, max_length=_LONGEST, min_length=1)
    description: Text | None = None
    public: bool | None = None
    properties: dict[str, Any] | None = None


class NewVersion(Document):
    """A version of a product, and the cloud provider id of a cloud that runs it."""

    version: Text = pydantic.Field(max_length=255)
    cpid: Text | None = pydantic.Field(default=None, max_length=LONGEST_CPID)


class VersionChange(pydantic.BaseModel):
    """What may be changed of a version."""

    cpid: Text | None = pydantic.Field(default=None, max_length=LONGEST_CPID)


@router.get("")
def list_products(
    session: Reading, caller: Reader, organization_id: str | None = None
) -> dict[str, Any]:
    """List public products and one's own, by name; the foundation sees all."""
    found = vendors.products(session, caller, organization_id)
    return {"products": [_summary(each, caller) for each in found]}


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewProduct))
def add(body: Body, session: Writing, caller: Writer) -> dict[str, str]:
    """Add a product with one version."""
    caller.require_user()
    sent = read(body, NewProduct)
    if not sent.name.strip():
        raise bad_request("name should not be empty")
    if sent.organization_id is None:
        vendor_id = _own_vendor(session, caller)
    else:
        vendor_id = sent.organization_id
        if session.get(Vendor, vendor_id) is None:
            raise bad_request(f"Organization {vendor_id} not found", "/organization_id")
        caller.require_vendor(vendor_id)
    product = Product(
        name=sent.name,
        description=sent.description,
        product_type=sent.product_type,
        organization_id=vendor_id,
        created_by_user=caller.openid,
    )
    session.add(product)
    session.flush()
    session.add(ProductVersion(product_id=product.id, version=sent.version))
    session.commit()
    return {"id": product.id}


def _own_vendor(session: Session, caller: Caller) -> str:
    """Return the vendor that stands for the user alone; it is made where there is none."""
    name = f"vendor_{caller.openid}"[:_LONGEST]
    query = sa.select(Vendor).where(Vendor.name == name, Vendor.created_by_user == caller.openid)
    vendor = session.scalar(query)
    if vendor is None:
        vendor = Vendor(name=name, created_by_user=caller.openid)
        session.add(vendor)
        session.flush()
        session.add(Membership(vendor_id=vendor.id, openid=caller.openid))
    return vendor.id


def _summary(product: Product, caller: Caller) -> dict[str, Any]:
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


def _find_own(session: Session, product_id: str, caller: Caller) -> Product:
    product = vendors.find_product(session, product_id, caller)
    caller.require_vendor(product.organization_id)
    return product


@router.get("/{product_id}")
def show(product_id: str, session: Reading, caller: Reader) -> dict[str, Any]:
    """Return a product; those who manage it see who made it, and when."""
    product = vendors.find_product(session, product_id, caller)
    shown = _summary(product, caller)
    if not shown["can_manage"]:
        return shown
    return {
        **shown,
        "created_by_user": product.created_by_user,
        "created_at": times.text(product.created_at),
        "updated_at": times.text(product.updated_at) if product.updated_at else None,
        "properties": product.properties,
    }


@router.put("/{product_id}")
def change(
    product_id: str, body: Body, request: Request, session: Writing, caller: Writer
) -> dict[str, Any]:
    """Change a product; only an official vendor's can become public."""
    product = _find_own(session, product_id, caller)
    content_type = request.headers.get("content-type", "")
    given = read_fields(body, content_type, request.url.query, ProductChange)
    for name, value in given.model_dump(exclude_unset=True).items():
        if name in ("name", "public") and value is None:
            raise bad_request(f"{name} should not be empty", f"/{name}")
        setattr(product, name, value)
    vendor = session.get_one(Vendor, product.organization_id)
    if product.public and vendor.type not in PUBLIC_VENDORS:
        raise forbidden("a product is public only once its vendor is official")
    session.commit()
    keys = ("id", "name", "organization_id", "public", "can_manage")
    summary = _summary(product, caller)
    return {key: summary[key] for key in keys}


@router.delete("/{product_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(product_id: str, session: Writing, caller: Writer) -> None:
    """Remove a product that no result is attached to."""
    product = _find_own(session, product_id, caller)
    if stored_results.are_there(session, stored_results.of_product(product.id)):
        raise bad_request("results are attached to this product")
    session.delete(product)
    session.commit()


@router.get("/{product_id}/versions")
def list_versions(product_id: str, session: Reading, caller: Reader) -> list[dict[str, Any]]:
    """List a product's versions; the first has no name and stands for the product itself."""
    vendors.find_product(session, product_id, caller)
    query = sa.select(ProductVersion).where(ProductVersion.product_id == product_id)
    versions = sorted(session.scalars(query), key=lambda each: (each.version or "", each.id))
    return [_version(each) for each in versions]


def _version(version: ProductVersion) -> dict[str, Any]:
    return {
        "id": version.id,
        "product_id": version.product_id,
        "version": version.version,
        "cpid": version.cpid,
    }


def version_of_result(version: ProductVersion) -> dict[str, Any]:
    """Return a version as a result shows it, with its product."""
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


@router.post(
    "/{product_id}/versions",
    status_code=HTTPStatus.CREATED,
    openapi_extra=schema_of(NewVersion),
)
def add_version(product_id: str, body: Body, session: Writing, caller: Writer) -> dict[str, Any]:
    """Add a version to a product."""
    product = _find_own(session, product_id, caller)
    sent = read(body, NewVersion)
    if not sent.version.strip():
        raise bad_request("version should not be empty")
    same = sa.select(ProductVersion).where(
        ProductVersion.product_id == product.id, ProductVersion.version == sent.version
    )
    if session.scalar(same):
        raise conflict(f"the product has a version {sent.version} already")
    version = ProductVersion(product_id=product.id, version=sent.version, cpid=sent.cpid)
    session.add(version)
    session.commit()
    return _version(version)


@router.get("/{product_id}/versions/{version_id}")
def show_version(
    product_id: str, version_id: str, session: Reading, caller: Reader
) -> dict[str, Any]:
    """Return a version of a product."""
    vendors.find_product(session, product_id, caller)
    return _version(_find_version(session, product_id, version_id))


def _find_version(session: Session, product_id: str, version_id: str) -> ProductVersion:
    version = session.get(ProductVersion, version_id)
    if version is None or version.product_id != product_id:
        raise not_found(f"Product version {version_id} not found")
    return version


@router.put("/{product_id}/versions/{version_id}")
def change_version(
    product_id: str,
    version_id: str,
    body: Body,
    request: Request,
    session: Writing,
    caller: Writer,
) -> dict[str, Any]:
    """Change the cloud provider id of a version."""
    product = _find_own(session, product_id, caller)
    version = _find_version(session, product.id, version_id)
    content_type = request.headers.get("content-type", "")
    given = read_fields(body, content_type, request.url.query, VersionChange)
    for name, value in given.model_dump(exclude_unset=True).items():
        setattr(version, name, value)
    session.commit()
    return _version(version)


@router.delete(
    "/{product_id}/versions/{version_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
)
def delete_version(product_id: str, version_id: str, session: Writing, caller: Writer) -> None:
    """Remove a version that no result is attached to."""
    product = _find_own(session, product_id, caller)
    version = _find_version(session, product.id, version_id)
    if version.version is None:
        raise bad_request("this version stands for the product itself")
    if stored_results.are_there(session, Result.product_version_id == version.id):
        raise bad_request("results are attached to this version")
    session.delete(version)
    session.commit()
