"""The shipped guidelines and their lists of tests (``/v1/guidelines``)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from capabilities import catalogue, programme
from capabilities.errors import UnknownNameError
from capabilities.guideline import Status
from refstack_server.intake import judge_passes
from refstack_server.store.errors import InvalidError, NotFoundError

router = APIRouter(prefix="/guidelines", tags=["guidelines"])
_JSON = ".json"
_POWERED = "powered"
_TRUE = ("true", "yes", "1")


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
    try:
        chosen = (
            programme.find(guideline, judge_passes.PROGRAMMES.get(target, target))
            if target
            else programme.default(guideline, "platform")
        )
    except UnknownNameError as error:
        raise InvalidError(f"Invalid target: {target}", str(error)) from error
    lines = sorted(
        line
        for status in _statuses(type)
        for capability in chosen.capabilities(status)
        for test in capability.tests
        if test.flag is None or _is_true(flag)
        for line in _lines(test.names if _is_true(alias) else (test.name,), test.idempotent_id)
    )
    if not lines:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return PlainTextResponse("\n".join(lines))


def _statuses(text: str) -> tuple[Status, ...]:
    try:
        return tuple(Status(name.strip()) for name in text.split(",")) if text else tuple(Status)
    except ValueError as error:
        raise InvalidError(
            f"Invalid type: {text}", f"must be one of {', '.join(Status)}"
        ) from error


def _is_true(text: str) -> bool:
    return not text or text.lower() in _TRUE


def _lines(names: Sequence[str], idempotent_id: str | None) -> Iterator[str]:
    for name in dict.fromkeys(names):
        yield f"{name}[{idempotent_id}]" if idempotent_id else name
