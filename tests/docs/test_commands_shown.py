"""The commands that the documentation shows, executed: what is printed is what is shown."""

from collections.abc import Callable, Iterator
from pathlib import Path

import docs_outputs
import pytest
import shown_commands
from docs_outputs import Session

ROOT = Path(__file__).resolve().parents[2]

PAGES = {str(path.relative_to(ROOT)): shown_commands.read(path) for path in docs_outputs.pages()}
OFFLINE = ("docs/tutorials/board.rst", "docs/tutorials/committee.rst")
WITH_EVERY_SERVICE = ("docs/tutorials/scs.rst",)
EXECUTED = [name for name, page in PAGES.items() if page.executed]


def marks(name: str) -> list[pytest.MarkDecorator]:
    if name in WITH_EVERY_SERVICE:
        return [pytest.mark.platform]
    return [] if name in OFFLINE else [pytest.mark.long]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with docs_outputs.session() as opened:
        yield opened


@pytest.mark.cloud
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=marks(name)) for name in EXECUTED],
)
def test_commands_print_what_the_page_shows(session: Session, name: str) -> None:
    page = PAGES[name]

    complaints = docs_outputs.complaints(page, session.execute(page))

    assert not complaints, "\n\n".join(complaints)


@pytest.mark.parametrize("name", PAGES)
def test_each_block_is_executed_or_has_a_reason(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    blocks = PAGES[name].blocks
    not_run = [block for block in blocks if block.not_run]

    record_property("blocks executed", len(blocks) - len(not_run))
    record_property("blocks not run", len(not_run))
    for block in not_run:
        assert len(block.not_run.split()) > 2, f"{name}:{block.line}: a reason is a sentence"


@pytest.mark.parametrize(
    "name", [name for name in PAGES if name == "README.rst" or name.startswith("docs/tutorials/")]
)
def test_tutorials_are_executed(name: str) -> None:
    page = PAGES[name]
    not_run = [command for block in page.blocks if block.not_run for command in block.commands]

    if name != "docs/tutorials/index.rst":
        assert len(page.executed) > len(not_run)
