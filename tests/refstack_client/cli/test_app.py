"""The list of commands, which imports none of them."""

import inspect
import subprocess
import sys
from importlib import metadata

import pytest
from support.making import NAMES

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
        "print(*(name for name in sys.modules"
        " if '.commands.' in name or 'refstack_server.cli.' in name), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True
    )
    assert done.stderr.split() == []
    for entry in ENTRIES:
        assert f"\n  {entry.name.replace('_', ' ')} " in done.stdout


def test_help_of_a_command_and_no_command_at_all(capsys):
    assert app.main(["help", "guideline", "list"]) == 0
    assert "usage: refstack-client guideline list" in capsys.readouterr().out
    assert app.main([]) == 2
    assert "\n  guideline list " in capsys.readouterr().out


def test_a_verdict_imports_no_library_that_it_does_not_use(tmp_path, writer):
    for name in NAMES:
        writer.test(name, "success")
    (tmp_path / "stream").write_bytes(writer.content)
    script = (
        "import sys\n"
        "from refstack_client.cli import app\n"
        "code = app.main(['verdict', 'stream', '--programme', 'storage'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    unused = {"cryptography", "jinja2", "prettytable", "requests", "rich", "xlsxwriter", "yaml"}
    assert unused & set(done.stderr.split()) == set()
