"""The id Tempest gives a test: ``module.Class.test[id-<uuid>,attribute](scenario)``."""

import re
from dataclasses import dataclass

_FULL = re.compile(r"(?P<name>[^\[(\s]+)(?:\[(?P<attributes>[^\]]*)\])?(?P<scenario>\(.*\))?")
_ID = re.compile(r"id-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class TestId:
    """A discovered or executed test.

    ``full`` is what stestr's ``--load-list`` takes. It is not a stable key: the attributes in its
    brackets depend on tempest.conf. Compare by ``name`` and ``idempotent_id``.
    """

    __test__ = False  # pytest takes any class called Test… for one of its own

    full: str
    name: str
    idempotent_id: str | None

    @property
    def class_name(self) -> str:
        return class_of(self.name)


def class_of(name: str) -> str:
    """Return ``module.Class`` of ``module.Class.test``."""
    return name.rpartition(".")[0]


def parse(text: str) -> TestId | None:
    """Return the test ``text`` names, or None when it does not name one."""
    match = _FULL.fullmatch(text.strip())
    if not match or "." not in match["name"]:
        return None
    found = _ID.search(match["attributes"] or "")
    return TestId(text.strip(), match["name"], found[0] if found else None)
