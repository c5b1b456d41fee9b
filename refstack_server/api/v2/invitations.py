"""Invitations of the caller to act for vendors (``/v2/invitations``)."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from refstack_server.store import memberships
from refstack_server.web import times
from refstack_server.web.dependencies import CurrentCaller, ReadSession, WriteSession

router = APIRouter(prefix="/invitations", tags=["invitations"])


class InvitationDocument(TypedDict):
    """An invitation that is not answered."""

    vendor_id: str
    vendor: str
    created_at: str


@router.get("")
def list_invitations(session: ReadSession, caller: CurrentCaller) -> list[InvitationDocument]:
    """List the invitations that the caller has not answered."""
    caller.require_user()
    return [
        {
            "vendor_id": invitation.vendor_id,
            "vendor": invitation.vendor.name,
            "created_at": times.text(invitation.created_at),
        }
        for invitation in memberships.invitations(session, caller)
    ]


@router.put("/{vendor_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def accept(vendor_id: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Accept an invitation: the caller acts for the vendor from now on."""
    caller.require_user()
    memberships.answer(session, caller, vendor_id, accepts=True)
    session.commit()


@router.delete("/{vendor_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def decline(vendor_id: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Decline an invitation."""
    caller.require_user()
    memberships.answer(session, caller, vendor_id, accepts=False)
    session.commit()
