"""What changed between shipped guidelines, and the history of a capability (``/v2``)."""

from typing import Annotated

import pydantic
from fastapi import APIRouter, Path
from typing_extensions import TypedDict

from capabilities.guideline import Status
from refstack_server.publish import shipped

router = APIRouter(tags=["guidelines"])
GuidelineId = Annotated[str, Path(examples=["2019.11"])]


@pydantic.with_config(
    pydantic.ConfigDict(
        json_schema_extra={
            "example": {
                "programme": "compute",
                "capability": "compute-list-api-versions",
                "change": "status",
                "what": "deprecated -> removed",
            }
        }
    )
)
class GuidelineChange(TypedDict):
    """A change of a capability of a programme; ``what`` is its status, or the test."""

    programme: str
    capability: str
    change: str
    what: str


@pydantic.with_config(
    pydantic.ConfigDict(
        json_schema_extra={
            "example": {
                "guideline": "2020.06",
                "statuses": {"compute": "required"},
                "tests": 8,
                "flagged": 0,
            }
        }
    )
)
class CapabilityInGuideline(TypedDict):
    """A capability in a guideline: its status by programme, and how many tests it has."""

    guideline: str
    statuses: dict[str, Status]
    tests: int
    flagged: int


class CapabilityDocument(TypedDict):
    """A capability in each shipped guideline that has it, the newest first."""

    id: str
    description: str
    project: str
    history: list[CapabilityInGuideline]


@router.get("/guidelines/{before}/diff/{after}")
def show_changes(before: GuidelineId, after: GuidelineId) -> list[GuidelineChange]:
    """Return the changes from one guideline to another, of the programmes that both have."""
    return [
        {
            "programme": programme,
            "capability": change.capability,
            "change": change.kind,
            "what": change.what,
        }
        for programme, changes in shipped.changes(before, after).items()
        for change in changes
    ]


@router.get("/capabilities/{capability_id}")
def show_capability(
    capability_id: Annotated[str, Path(examples=["compute-servers-create"])],
) -> CapabilityDocument:
    """Return the status and the number of tests of a capability in each guideline."""
    entries = shipped.history(capability_id)
    latest = entries[0].capability
    return {
        "id": latest.id,
        "description": latest.description,
        "project": latest.project,
        "history": [
            {
                "guideline": entry.guideline.id,
                "statuses": dict(entry.statuses),
                "tests": len(entry.capability.tests),
                "flagged": entry.flagged,
            }
            for entry in entries
        ],
    }
