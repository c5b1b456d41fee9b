"""The users that test classes borrow at a time, read from Tempest's source."""

import ast
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from capabilities.guideline import Test
from capabilities.programme import Programme
from capabilities.tempest_id import class_of
from refstack_client.planning import test_requirements, test_source
from refstack_client.planning.test_requirements import TENANTS_OF_TEMPEST

_MEMBERS = {"primary", "alt"}
"""Credentials that Tempest fulfils with any member. A reader is one of the project of the first."""
_RESELLER_ROLE = "reseller_admin_role"


@dataclass(frozen=True)
class Users:
    """How many users are borrowed at a time.

    :param members: of different projects, each of which has a reader too
    :param resellers: users who may set account quotas
    """

    members: int
    resellers: int = 0

    def without_resellers(self) -> "Users":
        """Return the same for a cloud in which any member may set account quotas."""
        return Users(self.members + self.resellers)


UNKNOWN = Users(members=2)
"""The most that a class of Tempest borrows; assumed of a class that is not installed."""


@functools.cache
def of_class(class_name: str) -> Users:
    """Return the users that a test class borrows."""
    source = test_source.find(class_name)
    value = source.value("credentials") if source else None
    if not isinstance(value, ast.List):
        return UNKNOWN
    by_role = [ast.unparse(node) for node in value.elts if isinstance(node, ast.List)]
    resellers = sum(_RESELLER_ROLE in text for text in by_role)
    by_type = sum(isinstance(node, ast.Constant) and node.value in _MEMBERS for node in value.elts)
    return Users(by_type + len(by_role) - resellers, resellers)


def of_test(test: Test) -> Users:
    """Return the users that the class of a test borrows, by the first installed name of it."""
    classes = map(class_of, test.names)
    return of_class(next(filter(test_source.find, classes), class_of(test.name)))


def of_programme(programme: Programme, *, tempest_creates: bool) -> tuple[Users, ...]:
    """Return the users of each class of a programme that borrows users.

    :param tempest_creates: whether Tempest itself creates the users of classes with a test that
        requires that; else those classes borrow users too
    """
    classes: set[str] = set()
    own: set[str] = set()
    for test in programme.wanted_tests():
        class_names = {class_of(name) for name in test.names}
        # A test that has another name today may be in any class.
        classes |= set(filter(test_source.find, class_names)) or class_names
        if tempest_creates and TENANTS_OF_TEMPEST in test_requirements.of_test(test):
            own |= class_names
    return tuple(map(of_class, classes - own))


def at_a_time(classes: Iterable[Users], workers: int) -> Users:
    """Return the users that suffice for ``workers`` workers, whichever classes they run.

    A class runs once at a time, so the classes that borrow most decide. There is a member at least.
    """
    needs = tuple(classes)
    members = sorted((users.members for users in needs), reverse=True)
    resellers = sorted((users.resellers for users in needs), reverse=True)
    return Users(max(1, sum(members[:workers])), sum(resellers[:workers]))


def workers_for(classes: Iterable[Users], available: Users, wanted: int) -> int:
    """Return for how many workers users suffice, at least 1 and at most ``wanted``.

    Without a reseller the classes that need one skip.
    """
    needs = tuple(classes)
    for workers in range(wanted, 1, -1):
        used = at_a_time(needs, workers)
        enough = used.resellers <= available.resellers or not available.resellers
        if used.members <= available.members and enough:
            return workers
    return 1
