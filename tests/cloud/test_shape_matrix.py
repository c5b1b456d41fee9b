"""Each shape of the sandbox: the exit codes of ``cloud check``, ``plan`` and ``certify``."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from support.certifying import CLIENT, SANDBOX_ROOT, run

from refstack_client.sandbox import lifecycle, state
from refstack_client.sandbox.shapes import SHAPES

pytestmark = [pytest.mark.cloud, pytest.mark.long]
COMMANDS = {"check": ("cloud", "check"), "plan": ("plan",), "certify": ("certify",)}


@dataclass(frozen=True)
class Case:
    """A cloud, and the right exit code of each command, or one for all."""

    shapes: tuple[str, ...]
    code: int | Mapping[str, int] = 0
    environ: Mapping[str, str] = field(default_factory=dict)
    prints: tuple[str, ...] = ()
    full: bool = False
    """Whether all tests are run, not a quick look."""
    programme: str = "storage"
    """Also the profile of the sandbox."""

    def expected(self, command: str) -> int:
        return self.code if isinstance(self.code, int) else self.code[command]

    def arguments(self, command: str) -> list[str]:
        quick = ["--mode", "quick"] if command == "certify" and not self.full else []
        return ["--programme", self.programme, *quick]


REFUSED = {"check": 3, "plan": 5, "certify": 5}
# Two required tests sign in to a guest, which is off unless it is asked for.
WITHOUT_GUESTS = {"check": 3, "plan": 0, "certify": 3}
MATRIX = {
    "devstack": Case(
        ("devstack",),
    ),
    "internal-only": Case(("internal-only",)),
    "private-ca": Case(("private-ca",)),
    "http-proxy": Case(("http-proxy",), full=True),
    "http-proxy and TLS": Case(("http-proxy", "private-ca")),
    "two-regions, one chosen": Case(
        ("two-regions",),
        environ={"OS_REGION_NAME": "RegionTwo"},
    ),
    "two-regions, none chosen": Case(
        ("two-regions",),
        REFUSED,
        prints=("RegionOne", "RegionTwo"),
    ),
    "foreign-services": Case(("foreign-services",)),
    "rate-limited": Case(("rate-limited",)),
    # Tempest creates tenants only with a role called member, which one required test needs.
    "old-roles": Case(("old-roles",), {"check": 3, "plan": 0, "certify": 0}),
    # Swift, unlike Ceph, computes the signature of a temporary URL from the account. Without the
    # account in the URL, no cloud can pass the tests of the rights of another account.
    "rgw": Case(
        ("rgw",),
        {"check": 0, "plan": 0, "certify": 1},
        prints=("16/19",),
    ),
    "ipv6": Case(("ipv6",)),
    "no-project-scope": Case(
        ("no-project-scope",),
        REFUSED,
        prints=("project",),
    ),
    "star-region": Case(("star-region",)),
    "no-region": Case(("no-region",)),
    "combined": Case(
        ("devstack", "internal-only", "private-ca", "foreign-services", "ipv6"), full=True
    ),
    "scs-flavors": Case(
        ("scs-flavors",),
        WITHOUT_GUESTS,
        programme="compute",
    ),
    "community-images": Case(("community-images",), WITHOUT_GUESTS, programme="compute"),
}


def cases() -> Iterator[object]:
    for name, case in MATRIX.items():
        for command in COMMANDS:
            yield pytest.param(case, command, id=f"{name}: {command}")


@pytest.fixture(scope="module")
def shape() -> Iterator[Callable[[Case], dict[str, str]]]:
    """A function that gives a running sandbox the shapes of a case and returns its environment."""
    sandboxes: dict[str, state.Sandbox] = {}
    current: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}

    def shape(case: Case) -> dict[str, str]:
        name = f"test-{uuid.uuid4().hex[:8]}"
        new = state.find(SANDBOX_ROOT, name, case.programme)
        sandbox = sandboxes.setdefault(case.programme, new)
        key = (case.programme, case.shapes)
        if key not in current:
            current.clear()
            current[key] = lifecycle.up(sandbox, None, print, shape_names=case.shapes)
        return current[key]

    try:
        yield shape
    finally:
        for sandbox in sandboxes.values():
            lifecycle.wipe(sandbox)


@pytest.mark.parametrize(("case", "command"), list(cases()))
def test_each_command_does_what_is_right(case, command, shape, place, monkeypatch):
    for name, value in {**shape(case), **case.environ}.items():
        monkeypatch.setenv(name, value)
    done = run(CLIENT, *COMMANDS[command], "--os-cloud", "sandbox", *case.arguments(command))
    output = done.stdout + done.stderr
    assert done.returncode == case.expected(command), output
    assert "Traceback" not in output
    assert "bug in refstack-client" not in output
    if case.expected(command):
        assert [text for text in case.prints if text not in output] == []


def test_the_matrix_has_every_shape():
    assert {name for case in MATRIX.values() for name in case.shapes} == set(SHAPES)
