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
class Cell:
    """The right exit codes of the three commands for a cloud, and what each prints."""

    shapes: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: dict.fromkeys(COMMANDS, (0,))
    )
    prints: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    """Why a command is not right yet, by command."""


def _refused(*codes: int) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(COMMANDS, codes)


MATRIX = {
    "devstack": Cell(("devstack",)),
    "internal-only": Cell(("internal-only",)),
    "private-ca": Cell(("private-ca",)),
    "http-proxy": Cell(("http-proxy",)),
    "two-regions, one chosen": Cell(("two-regions",), {"OS_REGION_NAME": "RegionTwo"}),
    "two-regions, none chosen": Cell(
        ("two-regions",), codes=_refused(2, 5), prints=("RegionOne", "RegionTwo")
    ),
    "foreign-services": Cell(("foreign-services",)),
    "rate-limited": Cell(("rate-limited",)),
    "old-roles": Cell(("old-roles",)),
    "rgw": Cell(("rgw",)),
    "ipv6": Cell(("ipv6",)),
    "no-project-scope": Cell(("no-project-scope",), codes=_refused(3, 5), prints=("project",)),
    "star-region": Cell(("star-region",)),
    "no-region": Cell(("no-region",)),
    "combined": Cell(("devstack", "internal-only", "private-ca", "foreign-services", "ipv6")),
}


def cells() -> Iterator[object]:
    for name, cell in MATRIX.items():
        for command in COMMANDS:
            reason = cell.broken.get(command)
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            yield pytest.param(cell, command, id=f"{name}: {command}", marks=marks)


@pytest.fixture(scope="module")
def shaped() -> Iterator[Callable[[tuple[str, ...]], dict[str, str]]]:
    """A function that gives one running sandbox other shapes and returns its environment."""
    sandbox = state.find(SANDBOX_ROOT, f"test-{uuid.uuid4().hex[:8]}", "storage")
    current: dict[tuple[str, ...], dict[str, str]] = {}

    def shape(names: tuple[str, ...]) -> dict[str, str]:
        if names not in current:
            current.clear()
            current[names] = lifecycle.up(sandbox, None, lambda line: None, shape_names=names)
        return current[names]

    try:
        yield shape
    finally:
        lifecycle.wipe(sandbox)


@pytest.mark.parametrize(("cell", "command"), cells())
def test_the_commands_do_what_is_right_for_each_shape(cell, command, shaped, place, monkeypatch):
    for name, value in {**shaped(cell.shapes), **cell.environ}.items():
        monkeypatch.setenv(name, value)
    done = run(CLIENT, *COMMANDS[command], "--os-cloud", "sandbox", "--programme", "storage")
    output = done.stdout + done.stderr
    assert done.returncode in cell.codes[command], output
    assert "Traceback" not in output
    assert "bug in refstack-client" not in output
    assert [text for text in cell.prints if text not in output] == []


def test_the_matrix_has_every_shape_of_a_storage_sandbox():
    shapes = {name for cell in MATRIX.values() for name in cell.shapes}
    assert shapes == {
        name for name, shape in SHAPES.items() if not shape.services or "swift" in shape.services
    }
