"""How a result stands for the public: pages, API, badge, registry and export show the same."""

from enum import StrEnum

import sqlalchemy as sa

from refstack_server.store.results import verified
from refstack_server.store.schema import Result


class Standing(StrEnum):
    """What the Foundation decided about a result, from the strongest to the weakest."""

    VERIFIED = "verified"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNOFFICIAL = "unofficial"


def standing(result: Result) -> Standing:
    """Return how a result stands."""
    if result.verification_status:
        return Standing.VERIFIED if result.is_verified else Standing.EXPIRED
    return Standing.REVOKED if result.revoked_at else Standing.UNOFFICIAL


def of_standing(wanted: Standing) -> sa.ColumnElement[bool]:
    """Return the condition that :func:`standing` is the wanted one."""
    is_marked, was_revoked = Result.verification_status == 1, Result.revoked_at.is_not(None)
    return {
        Standing.VERIFIED: verified(),
        Standing.EXPIRED: is_marked & ~verified(),
        Standing.REVOKED: ~is_marked & was_revoked,
        Standing.UNOFFICIAL: ~is_marked & ~was_revoked,
    }[wanted]
