"""The shipped guidelines and their lists of tests (``/v1/guidelines``)."""

from collections import defaultdict
from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from capabilities import catalogue, refstack_list
from capabilities.errors import UnknownNameError
from capabilities.guideline import Status
from refstack_server.store.errors import InvalidError, NotFoundError

router = APIRouter(prefix="/guidelines", tags=["guidelines"])
_JSON = ".json"
_POWERED = "powered"


@router.get("")
def list_guidelines() -> dict[str, list[dict[str, str]]]:
    """List the guidelines, the newest first, in groups: the base programmes and each add-on."""
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for guideline_id in sorted(catalogue.shipped(), reverse=True):
        file = catalogue.file_name(guideline_id)
        if file.endswith(_JSON):
            group, _, name = guideline_id.partition(".")
            is_powered = group.isdigit()
            name = guideline_id if is_powered else name
            groups[_POWERED if is_powered else group].append(
                {"name": f"{name}{_JSON}", "file": file}
            )
    return groups


def _find(name: str) -> str:
    """Return the id of a shipped guideline; the name is never used as a path."""
    guideline_id = name.removesuffix(_JSON)
    if guideline_id not in catalogue.shipped():
        raise NotFoundError(f"Guideline {name} not found")
    return guideline_id


@router.get("/{name}")
def show(name: str) -> Response:
    """Return a guideline as it was published."""
    guideline_id = _find(name)
    if not catalogue.file_name(guideline_id).endswith(_JSON):
        raise NotFoundError(
            f"Guideline {name} is a flat list of tests; request /v1/guidelines/{name}/tests"
        )
    return Response(catalogue.content(guideline_id), media_type="application/json")


@router.get("/{name}/tests", response_class=PlainTextResponse)
def list_tests(
    name: str, target: str = "", type: str = "", alias: str = "", flag: str = ""
) -> Response:
    """List the tests of a programme, one per line.

    :param type: comma-separated statuses of capabilities; "" for all
    :param alias: whether to list the tests' other names too
    :param flag: whether to list flagged tests
    """
    guideline, _ = catalogue.load(_find(name))
    query = {"target": target, "type": type, "alias": alias, "flag": flag}
    try:
        lines = refstack_list.lines(guideline, query)
    except UnknownNameError as error:
        raise InvalidError(f"Invalid target: {target}", str(error)) from error
    except ValueError as error:
        raise InvalidError(
            f"Invalid type: {type}", f"must be one of {', '.join(Status)}"
        ) from error
    if not lines:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return PlainTextResponse("\n".join(lines))
