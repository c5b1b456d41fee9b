"""Challenges that a certification can answer (``/v2/challenges``)."""

from http import HTTPStatus

import pydantic
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from refstack_server.intake import challenges
from refstack_server.store import public_keys
from refstack_server.web.dependencies import Body, Config
from refstack_server.web.request_body import Document, Text, read, schema_of

router = APIRouter(prefix="/challenges", tags=["challenges"])


class Vendor(Document):
    """The public key of the vendor, who signs the bundle with the private key."""

    key: Text = pydantic.Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5… laptop"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_class=PlainTextResponse,
    openapi_extra=schema_of(Vendor),
)
def issue(body: Body, settings: Config) -> PlainTextResponse:
    """Issue a challenge: a file for ``refstack-client certify --challenge``.

    It may be requested for any key, without a token; only the owner of the key can sign the bundle.
    """
    vendor = public_keys.parse(read(body, Vendor).key)
    content = challenges.issue(settings, vendor).decode()
    return PlainTextResponse(content, HTTPStatus.CREATED)


@router.get("/signers", response_class=PlainTextResponse)
def signers(settings: Config) -> PlainTextResponse:
    """Return the key that signs challenges, as a line for ``bundle verify --signers``."""
    return PlainTextResponse(challenges.signers(settings).read_text(encoding="utf-8"))
