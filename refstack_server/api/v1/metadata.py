"""Metadata of results: shared, guideline, target (``/v1/results/…/meta``)."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from refstack_server.api.v1.result_documents import summary
from refstack_server.intake.judge_passes import judge_passes
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ForbiddenError, InvalidError
from refstack_server.store.schema import Result
from refstack_server.store.text import has_hidden
from refstack_server.web.dependencies import (
    Body,
    CurrentCaller,
    ReadSession,
    WriteSession,
)

router = APIRouter(prefix="/results/{result_id}/meta", tags=["results"])
_LONGEST_VALUE = 4096
_DECIDE_THE_VERDICT = (stored_results.GUIDELINE, stored_results.TARGET)


@router.get("")
def show_meta(result_id: str, session: ReadSession, caller: CurrentCaller) -> dict[str, str]:
    """Return the metadata of a result."""
    return summary(stored_results.find(session, result_id, caller), caller)["meta"]


@router.get("/{key}")
def show_meta_value(
    result_id: str, key: str, session: ReadSession, caller: CurrentCaller
) -> str | None:
    """Return a value of a result's metadata, null if there is no such key."""
    result = stored_results.find(session, result_id, caller)
    if (
        key not in stored_results.PUBLIC_KEYS
        and stored_results.role(result, caller) == stored_results.READER
    ):
        raise ForbiddenError(f"only the owner of a result and the Foundation may read {key}")
    return result.meta_value(key)


@router.post("/{key}", status_code=HTTPStatus.CREATED)
def write_meta(
    result_id: str, key: str, body: Body, session: WriteSession, caller: CurrentCaller
) -> None:
    """Set a value of a result's metadata to the unchanged body."""
    result = _find_writable(session, result_id, key, caller)
    try:
        value = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidError(f"the value of {key} is not UTF-8 text", str(error)) from error
    if len(value) > _LONGEST_VALUE or has_hidden(value):
        raise InvalidError(
            f"the value of {key} must have at most {_LONGEST_VALUE} characters, none of them hidden"
        )
    stored_results.write_meta(session, result, key, value)
    if key in _DECIDE_THE_VERDICT:
        judge_passes(result)
    session.commit()


@router.delete("/{key}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete_meta(result_id: str, key: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Remove a value of a result's metadata."""
    result = _find_writable(session, result_id, key, caller)
    stored_results.delete_meta(session, result, key)
    if key in _DECIDE_THE_VERDICT:
        judge_passes(result)
    session.commit()


def _find_writable(session: Session, result_id: str, key: str, caller: Caller) -> Result:
    if not caller.openid:
        raise ForbiddenError("only the owner of a result may change it")
    result = stored_results.find_own(session, result_id, caller)
    if key not in stored_results.PUBLIC_KEYS:
        raise ForbiddenError(
            f"{key} cannot be written; writable keys: {', '.join(stored_results.PUBLIC_KEYS)}"
        )
    stored_results.require_unverified(result, "its metadata cannot be changed")
    return result
