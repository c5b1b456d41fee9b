"""Changes of a result by its owner, each confirmed on a page before it is made."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from refstack_server.pages import forms
from refstack_server.pages.reader import Visitor
from refstack_server.pages.sharing_choices import CHANGES
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import products, removal
from refstack_server.store import results as stored_results
from refstack_server.store import sharing as stored_sharing
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import Result
from refstack_server.store.sharing import Sharing
from refstack_server.web import signin, times
from refstack_server.web.dependencies import Config, Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, prefix="/mine/{result_id}"
)
_HERE = "/mine"
_LONGEST_WORD = 16
_LONGEST_ID = 36
_NO_LONGER_PUBLIC = "The result is no longer public. The public log keeps its publication."


@router.get("/share")
def confirm_share(
    result_id: str,
    context: Context,
    visitor: CurrentVisitor,
    with_: Annotated[Sharing, Query(alias="with")],
) -> str:
    """Show what a change of who may see a result means, before it is made."""
    result = stored_results.find_own(context.session, result_id, context.caller)
    if with_ is not Sharing.EVERYBODY:
        stored_results.require_unverified(result, "it cannot be withdrawn")
    change = CHANGES[with_]
    is_withdrawal = result.listed and with_ is not Sharing.EVERYBODY
    return _confirmation(
        visitor,
        result,
        title=change.title,
        meanings=[change.meaning, *([_NO_LONGER_PUBLIC] if is_withdrawal else [])],
        label=change.label,
        action="share",
        fields={"with": str(with_)},
    )


def _confirmation(visitor: Visitor, result: Result, **values: object) -> str:
    about = f"The result of {times.text(result.created_at)}"
    if result.guideline:
        about += f", {result.guideline} {result.programme}: {result.conformance}"
    return render(
        "confirm.html",
        _HERE,
        visitor,
        about=about,
        page=f"/results/{result.id}",
        **{**values, "action": f"/mine/{result.id}/{values['action']}"},
    )


@router.post("/share")
def share(result_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Share a result with the certifier, publish it, or withdraw it."""
    try:
        with_ = Sharing(signin.text(form, "with", _LONGEST_WORD))
    except ValueError as error:
        raise InvalidError(f"with: must be one of {', '.join(Sharing)}") from error
    stored_sharing.share(session, result_id, caller, with_)
    session.commit()
    return forms.see(_HERE)


@router.get("/delete")
def confirm_delete(result_id: str, context: Context, visitor: CurrentVisitor) -> str:
    """Show what the removal of a result means, before it is removed."""
    result = stored_results.find_removable(context.session, result_id, context.caller)
    stored_results.require_unverified(result, "it cannot be removed")
    meanings = ["The result and its upload cannot be restored. The public log records the removal."]
    return _confirmation(
        visitor,
        result,
        title="Delete this result?",
        meanings=meanings,
        label="Delete",
        action="delete",
        fields={},
    )


@router.post("/delete")
def delete(
    result_id: str, form: Form, session: WriteSession, caller: CurrentCaller, settings: Config
) -> Response:
    """Remove a result of the caller."""
    result = stored_results.find_removable(session, result_id, caller)
    stored_results.require_unverified(result, "it cannot be removed")
    removal.remove(session, settings.data, result)
    return forms.see(_HERE)


@router.post("/attach")
def attach(result_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Attach a result to a version of a product of the caller's vendors, or detach it."""
    version_id = signin.optional_text(form, "version", _LONGEST_ID)
    result = stored_results.find_own(session, result_id, caller)
    version = products.find_attachable(session, version_id, caller) if version_id else None
    stored_results.attach(session, result, version)
    session.commit()
    return forms.see(f"/results/{result_id}")
