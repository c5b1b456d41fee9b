"""Define what every command has in common: errors become sentences and exit codes."""

import errno
import logging
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence

import cliff.command
import cliff.lister
import cliff.show
from cliff.display import DisplayCommandBase

from capabilities.errors import ProblemError
from refstack_client import interruption
from refstack_client.cli import exit_codes
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNUSABLE
from refstack_client.cli.options import selection
from refstack_client.errors import ClientError, MachineError, UsageError
from refstack_client.printable import printable

LOG = logging.getLogger(__name__)

Table = tuple[Sequence[str], Iterable[Sequence[object]]]
"""The columns and the rows that a :class:`Lister` lists."""

Fields = tuple[Sequence[str], Sequence[object]]
"""The names and the values that a :class:`ShowOne` shows."""

_OURS = ("", "capabilities", "refstack_client", "refstack_server", "scoring")
_SCORING, _SERVER = "refstack-client[scoring]", "refstack-client[server]"
# Packages of extras, which the container leaves out.
_EXTRAS = {
    **dict.fromkeys(("matplotlib", "numpy", "openpyxl", "pandas", "tabulate"), _SCORING),
    **dict.fromkeys(
        (
            "PIL",
            "alembic",
            "fastapi",
            "jwt",
            "lxml",
            "limits",
            "psycopg",
            "pydantic",
            "sqlalchemy",
            "uvicorn",
        ),
        _SERVER,
    ),
}


_FOR_PEOPLE = ("table", "value")
"""The formats of cliff that a terminal shows; the others encode control characters."""
_HINTS = {
    errno.ENOSPC: "free some space; TMPDIR names another directory for temporary files",
    errno.EDQUOT: "free some space; TMPDIR names another directory for temporary files",
    errno.EACCES: "check the owner and the permissions",
    errno.EPERM: "check the owner and the permissions",
    errno.EROFS: "name a place that can be written",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
}


class _Command(cliff.command.Command):
    """Turn exceptions into a sentence, a hint and the exit code that belongs to them."""

    def _load_hooks(self) -> None:
        """Take no hooks: to find any, cliff scans every installed distribution."""
        self._hooks = []

    def get_epilog(self) -> str:
        """Return nothing: cliff would name the distribution of a plug-in, and scans for it."""
        return ""

    def run(self, parsed_args: Namespace) -> int:
        """Run the command and return its exit code."""
        for name in selection.NAMES:  # the parser of all commands has taken them
            if name in parsed_args and getattr(self.app.options, name, None):
                setattr(parsed_args, name, getattr(self.app.options, name))
        try:
            return super().run(parsed_args)
        except BrokenPipeError:
            raise
        except (Exception, KeyboardInterrupt) as error:
            self._trace()
            code = self._report(error)
            for note in getattr(error, "__notes__", ()):
                say(note)
            return code

    def _report(self, error: BaseException) -> int:
        """Report an error and return its exit code: never 1, which means a verdict."""
        if isinstance(error, KeyboardInterrupt) or interruption.count():
            # Libraries may turn an interrupt into any exception.
            return EXIT_INTERRUPTED
        if isinstance(error, ModuleNotFoundError):
            code = report_missing_module(error)
            if code is not None:
                return code
        problem = error if isinstance(error, ProblemError) else other_problem(error)
        if problem is None:
            say(f"error: unexpected {type(error).__name__}: {error}")
            say("hint:  this is a bug in refstack-client: report it with the output of --debug")
            return EXIT_UNUSABLE
        say(f"error: {problem}")
        if problem.hint:
            say(f"hint:  {problem.hint}")
        return exit_codes.of_error(problem)

    def _trace(self) -> None:
        """Show where an error happened, with --debug (-v does not)."""
        if self.app.options.debug:
            LOG.debug("traceback", exc_info=True)


class Command(_Command):
    """A command that prints for itself; ``take_action`` returns the exit code."""


class Lister(_Command, cliff.lister.Lister):
    """A command that lists rows, in any of cliff's formats; may set ``exit_code`` meanwhile."""

    def run(self, parsed_args: Namespace) -> int:
        """List the rows and return the exit code."""
        self.exit_code = EXIT_OK
        return super().run(parsed_args) or self.exit_code

    def produce_output(
        self, parsed_args: Namespace, column_names: Sequence[str], data: Iterable[Sequence[object]]
    ) -> int:
        """Print the rows; a column that does not exist is refused, which cliff may ignore.

        :raises UsageError: -c or --sort-column names such a column
        """
        _check_columns(self, (*parsed_args.columns, *parsed_args.sort_columns), column_names)
        if parsed_args.formatter in _FOR_PEOPLE:
            data = [list(map(_cell, row)) for row in data]
        return super().produce_output(parsed_args, column_names, data)


class ShowOne(_Command, cliff.show.ShowOne):
    """A command that shows the fields of one object, in any of cliff's formats."""

    def produce_output(
        self, parsed_args: Namespace, column_names: Sequence[str], data: Sequence[object]
    ) -> int:
        """Print the fields.

        :raises UsageError: -c names a field that does not exist
        """
        _check_columns(self, parsed_args.columns, column_names)
        if parsed_args.formatter in _FOR_PEOPLE:
            data = list(map(_cell, data))
        return super().produce_output(parsed_args, column_names, data)


def _check_columns(
    command: DisplayCommandBase, names: Iterable[str], columns: Sequence[str]
) -> None:
    """Check that all columns exist: cliff may ignore one that does not."""
    known = {command._normalize_column_name(name) for name in columns}
    for name in names:
        if command._normalize_column_name(name) not in known:
            raise UsageError(f"there is no column {name}", hint=f"choose from {', '.join(columns)}")


def _cell(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def other_problem(error: BaseException) -> ClientError | None:
    """Return what is wrong with the machine or an argument, if that is why; None for a bug."""
    if isinstance(error, MemoryError):
        return MachineError("there is not enough memory", hint="close other programs")
    if isinstance(error, UnicodeEncodeError):
        return UsageError(
            f"{error.object[error.start : error.end]!r} in a name is not text in {error.encoding}",
            hint="rename the file or directory",
        )
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):  # pathlib before 3.13
        return MachineError(str(error), hint="remove one of the symbolic links")
    if not isinstance(error, OSError):
        return None
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    reason = error.strerror or str(error) or type(error).__name__
    return MachineError(
        f"{' and '.join(names)}: {reason}" if names else reason,
        hint=_HINTS.get(error.errno or 0, ""),
    )


def report_missing_module(error: ModuleNotFoundError) -> int | None:
    """Report a package that this installation leaves out, as one for verification alone does.

    :return: the exit code; None where a module of the project is missing, which is a bug
    """
    package = (error.name or "").partition(".")[0]
    if package in _OURS:
        return None
    say(f"error: {error.name} is not installed")
    say(f'hint:  pip install "{_EXTRAS.get(package, "refstack-client")}"')
    return EXIT_UNUSABLE


def show_lines(lines: Iterable[str]) -> None:
    """Print lines of the result on stdout."""
    print("\n".join(map(printable, lines)), flush=True)


def say(line: str = "") -> None:
    """Print a line for people on stderr, if it can be written: stdout holds data."""
    try:
        print(printable(line), file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass
