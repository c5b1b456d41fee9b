"""Reference pages: the shipped guidelines, their capabilities, and the requests of the API."""

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from capabilities import catalogue, diff, timeline
from capabilities import programme as programmes
from capabilities.diff import Change
from capabilities.guideline import Guideline, Status
from capabilities.programme import Programme
from refstack_server.pages import forms
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.publish import shipped
from refstack_server.web.errors import PROBLEMS

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_HERE = "/guidelines"
_CACHED = "public, max-age=3600"
_PAGES = 64
"""The number of rendered pages in memory."""

_STATUS = {diff.ENTERED: "entered as {}", diff.LEFT: "dropped, {}", diff.STATUS: "{}"}
"""A change of the status of a capability in words."""


@dataclass(frozen=True)
class Standing:
    """The status of a guideline, and its last event, such as an approval, and its day; or ""."""

    status: str
    event: str = ""
    day: str = ""


@dataclass(frozen=True)
class Size:
    """How much a programme requires: capabilities by status, tests that count, flagged tests."""

    programme: Programme
    capabilities: Mapping[Status, int]
    counted: int
    flagged: int


@dataclass(frozen=True)
class Changed:
    """The changes of a capability: ``status`` in words, "" for none, and those of its tests."""

    capability: str
    status: str
    tests: Sequence[Change]


@router.get("/guidelines")
def list_guidelines(response: Response, visitor: CurrentVisitor) -> str:
    """List the shipped guidelines with their programmes."""
    _allow_caches(response, visitor)
    return _guidelines_page(visitor)


def _allow_caches(response: Response, visitor: Visitor) -> None:
    """Let caches keep the page for readers who are not signed in; it varies with the cookie."""
    if not visitor.openid:
        response.headers["Cache-Control"] = _CACHED


@functools.lru_cache(_PAGES)
def _guidelines_page(visitor: Visitor) -> str:
    ids = shipped.newest_first()
    newest = catalogue.default()
    rows = [
        (guideline, _standing(guideline), [_size(one) for one in programmes.programmes(guideline)])
        for guideline in map(shipped.guideline, ids)
    ]
    return render(
        "guidelines.html",
        _HERE,
        visitor,
        rows=rows,
        statuses=list(Status),
        ids=ids,
        before=catalogue.previous(newest) or newest,
        after=newest,
    )


def _standing(guideline: Guideline) -> Standing:
    event = timeline.last_event(guideline.id)
    if event is None:
        return Standing(guideline.status)
    status = timeline.current_status(guideline.id)
    return Standing(status, event.status, event.day.isoformat())


def _size(programme: Programme) -> Size:
    counted = len(programme.counted_tests())
    return Size(
        programme,
        Counter(programme.statuses.values()),
        counted,
        len(programme.required_tests()) - counted,
    )


@router.get("/guidelines/diff", response_class=RedirectResponse)
def choose_diff(before: str = "", after: str = "") -> RedirectResponse:
    """Redirect to the page of the changes between two guidelines."""
    ids = [shipped.guideline(guideline_id).id for guideline_id in (before, after)]
    return forms.see(f"/guidelines/{'/diff/'.join(ids)}")


@router.get("/guidelines/{guideline_id}")
def show_guideline(guideline_id: str, response: Response, visitor: CurrentVisitor) -> str:
    """Show a guideline's programmes with their capabilities and tests."""
    shipped.guideline(guideline_id)
    _allow_caches(response, visitor)
    return _guideline_page(guideline_id, visitor)


@functools.lru_cache(_PAGES)
def _guideline_page(guideline_id: str, visitor: Visitor) -> str:
    guideline = shipped.guideline(guideline_id)
    previous = catalogue.previous(guideline_id)
    return render(
        "guideline.html",
        _HERE,
        visitor,
        guideline=guideline,
        standing=_standing(guideline),
        is_json=catalogue.file_name(guideline_id).endswith(".json"),
        sizes=[_size(programme) for programme in programmes.programmes(guideline)],
        statuses=list(Status),
        ids=shipped.newest_first(),
        before=previous or guideline_id,
        previous=previous,
    )


@router.get("/guidelines/{before}/diff/{after}")
def show_diff(before: str, after: str, response: Response, visitor: CurrentVisitor) -> str:
    """Show what changed from one guideline to another, by programme and capability."""
    found = shipped.changes(before, after)
    _allow_caches(response, visitor)
    return render(
        "guideline_diff.html",
        _HERE,
        visitor,
        before=before,
        after=after,
        programmes={key: _by_capability(changes) for key, changes in found.items()},
        keys=[(guideline_id, _keys(guideline_id)) for guideline_id in (before, after)],
        ids=shipped.newest_first(),
    )


def _keys(guideline_id: str) -> list[str]:
    return [programme.key for programme in programmes.programmes(shipped.guideline(guideline_id))]


def _by_capability(changes: Iterable[Change]) -> list[Changed]:
    """Return the capabilities whose status changed first, then those whose tests did."""
    status: dict[str, str] = {}
    tests: dict[str, list[Change]] = {}
    for change in changes:
        if change.is_of_test:
            tests.setdefault(change.capability, []).append(change)
        else:
            status[change.capability] = _STATUS[change.kind].format(change.what)
    names = dict.fromkeys((*status, *tests))
    return [Changed(name, status.get(name, ""), tests.get(name, [])) for name in names]


@router.get("/capabilities/{capability_id}")
def show_capability(capability_id: str, response: Response, visitor: CurrentVisitor) -> str:
    """Show the status and the tests of a capability in each guideline, the newest first."""
    entries = shipped.history(capability_id)
    latest = entries[0].guideline.id
    of_series = (
        guideline_id
        for guideline_id in shipped.newest_first()
        if timeline.series(guideline_id) == timeline.series(latest)
    )
    _allow_caches(response, visitor)
    return render(
        "capability.html",
        _HERE,
        visitor,
        latest=entries[0],
        is_gone=next(of_series) != latest,
        rows=[(entry, _standing(entry.guideline)) for entry in entries],
        previous={entry.guideline.id: catalogue.previous(entry.guideline.id) for entry in entries},
    )


@router.get("/docs")
def api(request: Request, visitor: CurrentVisitor) -> str:
    """Show the requests of the API."""
    paths = request.app.openapi()["paths"]
    return render("api.html", "/docs", visitor, paths=paths, problems=PROBLEMS.values())
