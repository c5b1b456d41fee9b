"""How the standing of a result is shown: its meaning, its dates, and a sentence."""

from refstack_client.bundle.manifest import UNOFFICIAL
from refstack_server.store.schema import Result
from refstack_server.store.standing import Standing, standing

MEANINGS = {
    Standing.VERIFIED: (
        "The Foundation checked the result of the tests and confirms it, until the date shown. "
        "This is a certification."
    ),
    Standing.EXPIRED: (
        "The Foundation confirmed the result, for a time that has ended. It no longer certifies."
    ),
    Standing.REVOKED: (
        "The Foundation confirmed the result and revoked that. The page of the result and the "
        "public log show the reason."
    ),
    Standing.UNOFFICIAL: (
        "The owner published the result of their own tests. The Foundation has not confirmed it: "
        "it certifies nothing."
    ),
}
"""What each standing means, from the strongest to the weakest."""


def dates(result: Result) -> str:
    """Return since when and until when a result stands as it does."""
    until = f"{result.verified_until:%Y-%m-%d}" if result.verified_until else ""
    verified = f"{result.verified_at:%Y-%m-%d}" if result.verified_at else ""
    match standing(result):
        case Standing.VERIFIED:
            ends = f"until {until}" if until else "without an end"
            return f"{ends}, since {verified}" if verified else ends
        case Standing.EXPIRED:
            return f"on {until}"
        case Standing.REVOKED:
            return f"on {result.revoked_at:%Y-%m-%d}"
    return f"uploaded {result.created_at:%Y-%m-%d}"


def sentence(result: Result) -> str:
    """Return the standing as the page of a result begins with it."""
    until = f"{result.verified_until:%Y-%m-%d}" if result.verified_until else ""
    match standing(result):
        case Standing.VERIFIED:
            return "Verified by the Foundation" + (f" until {until}" if until else "")
        case Standing.EXPIRED:
            return f"Expired: the verification by the Foundation ended on {until}"
        case Standing.REVOKED:
            return f"Revoked by the Foundation on {result.revoked_at:%Y-%m-%d}"
    return UNOFFICIAL
