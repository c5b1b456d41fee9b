"""The full id of a Tempest test: ``module.Class.test[id-<uuid>,attribute](scenario)``."""

import functools
import re
from dataclasses import dataclass

_FULL = re.compile(r"(?P<name>[^\[(\s]+)(?:\[(?P<attributes>[^\]]*)\])?(?P<scenario>\(.*\))?")
_ID = re.compile(r"id-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CACHED = 8192
"""More ids than the tests of a Tempest with its plugins have; results repeat them."""


@dataclass(frozen=True)
class TestId:
    """A test that was discovered or executed.

    ``full`` is the id for stestr's ``--load-list``. It is not a stable key, because the attributes
    in its brackets depend on tempest.conf: compare by ``name`` and ``idempotent_id``.
    """

    __test__ = False  # pytest takes any class called Test… for one of its own

    full: str
    name: str
    idempotent_id: str | None

    @property
    def class_name(self) -> str:
        """The name of the test's class, with its module."""
        return class_of(self.name)


def class_of(name: str) -> str:
    """Return ``module.Class`` of ``module.Class.test``."""
    return name.rpartition(".")[0]


@functools.lru_cache(maxsize=_CACHED)
def parse(text: str) -> TestId | None:
    """Return the test with the full id ``text``, or None where it is not a valid id."""
    match = _FULL.fullmatch(text.strip())
    if not match or "." not in match["name"]:
        return None
    found = _ID.search(match["attributes"] or "")
    return TestId(text.strip(), match["name"], found[0] if found else None)


def name_of(text: str) -> str:
    """Return the name of the test with the full id ``text``, or the text where it is not one."""
    match = _FULL.fullmatch(text.strip())
    return match["name"] if match and "." in match["name"] else text
