"""Define what every command has in common: errors become sentences and exit codes."""

import logging
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence

import cliff.command
import cliff.lister

from capabilities.errors import ProblemError
from refstack_client.cli import exit_codes
from refstack_client.cli.exit_codes import EXIT_OK, EXIT_UNUSABLE
from refstack_client.cli.options import selection

LOG = logging.getLogger(__name__)

Table = tuple[Sequence[str], Iterable[Sequence[object]]]
"""The columns and the rows that a :class:`Lister` lists."""

_OURS = ("", "capabilities", "refstack_client", "refstack_server", "scoring")
_SCORING, _SERVER = "refstack-client[scoring]", "refstack-client[server]"
# Packages of extras, which the container leaves out.
_EXTRAS = {
    **dict.fromkeys(("matplotlib", "numpy", "openpyxl", "pandas", "tabulate"), _SCORING),
    **dict.fromkeys(
        (
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
        except ProblemError as error:
            self._trace()
            say(f"error: {error}")
            if error.hint:
                say(f"hint:  {error.hint}")
            return exit_codes.of_error(error)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:  # a bug: never exit code 1, which means a verdict
            self._trace()
            if isinstance(error, ModuleNotFoundError):
                code = report_missing_module(error)
                if code is not None:
                    return code
            say(f"error: unexpected {type(error).__name__}: {error}")
            say("hint:  this is a bug in refstack-client: report it with the output of --debug")
            return EXIT_UNUSABLE

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


def say(line: str = "") -> None:
    """Print a line for people on stderr: stdout holds data."""
    print(line, file=sys.stderr, flush=True)
