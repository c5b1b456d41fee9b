"""Rights of callers."""

import pytest

from refstack_server.store.callers import ANONYMOUS, Caller
from refstack_server.store.errors import ForbiddenError, UnauthenticatedError

USER = Caller("alice", frozenset({"vendor"}))
FOUNDATION = Caller("root", is_foundation=True)


def test_a_user_acts_for_its_vendors_and_the_foundation_for_all():
    assert [caller.acts_for("vendor") for caller in (ANONYMOUS, USER, FOUNDATION)] == [
        False,
        True,
        True,
    ]
    assert [caller.acts_for("other") for caller in (ANONYMOUS, USER, FOUNDATION)] == [
        False,
        False,
        True,
    ]


def test_missing_rights_are_refused():
    with pytest.raises(UnauthenticatedError):
        ANONYMOUS.require_user()
    for caller in (ANONYMOUS, USER):
        with pytest.raises(ForbiddenError):
            caller.require_foundation()
        with pytest.raises(ForbiddenError):
            caller.require_vendor("other")
    USER.require_user()
    USER.require_vendor("vendor")
    FOUNDATION.require_foundation()
