"""The list of commands, which imports none of them."""

import inspect
import subprocess
import sys
from importlib import metadata

import pytest

from refstack_client.cli import app, summaries

ENTRIES = tuple(
    metadata.distribution("refstack-client").entry_points.select(group="refstack_client.commands")
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_summary_is_the_first_line_of_the_docstring_of_the_command(entry):
    command = entry.load()
    assert command.__doc__, "cliff would show the docstring of a base class"
    expected = inspect.getdoc(command).splitlines()[0].removesuffix(".")
    assert summaries.of([entry]) == {entry.value: expected}
    assert len(expected) < 90


def test_help_lists_every_command_and_imports_none():
    script = (
        "import sys\n"
        "from refstack_client.cli import app\n"
        "try: app.main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*(name for name in sys.modules if '.commands.' in name), 'refstack_server.cli'"
        " in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True
    )
    assert done.stderr.split() == ["False"]
    for entry in ENTRIES:
        assert f"\n  {entry.name.replace('_', ' ')} " in done.stdout


def test_help_of_a_command_and_no_command_at_all(capsys):
    assert app.main(["help", "guideline", "list"]) == 0
    assert "usage: refstack-client guideline list" in capsys.readouterr().out
    assert app.main([]) == 2
    assert "\n  guideline list " in capsys.readouterr().out
