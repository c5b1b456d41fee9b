"""What every command has in common: errors become sentences and exit codes."""

import logging
import sys
from argparse import Namespace

import cliff.command
import cliff.lister

from capabilities.errors import ProblemError
from refstack_client.cli import exit_codes
from refstack_client.cli.exit_codes import EXIT_OK, EXIT_UNUSABLE

LOG = logging.getLogger(__name__)


_SCORING, _SERVER = "scoring", "server"
# Of extras, which not every installation has: the container has neither.
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


class _Explaining:
    """Turns exceptions into a sentence, a hint and the exit code that belongs to them."""

    def run(self, parsed_args: Namespace) -> int:
        try:
            return super().run(parsed_args)  # type: ignore[misc]
        except ProblemError as error:
            self._trace()
            say(f"error: {error}")
            if error.hint:
                say(f"hint:  {error.hint}")
            return exit_codes.of_error(error)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:  # a fault of ours: never exit code 1, which means a verdict
            self._trace()
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if extra := _EXTRAS.get((missing or "").partition(".")[0]):
                say(f"error: {missing} is not installed")
                say(f'hint:  pip install "refstack-client[{extra}]" (the container leaves it out)')
                return EXIT_UNUSABLE
            say(f"error: unexpected {type(error).__name__}: {error}")
            say("hint:  this is a fault of refstack-client; --debug shows where it happened")
            return EXIT_UNUSABLE

    def _trace(self) -> None:
        """Show where an error happened, to those who asked for --debug (-v does not)."""
        if self.app.options.debug:  # type: ignore[attr-defined]
            LOG.debug("traceback", exc_info=True)


class Command(_Explaining, cliff.command.Command):
    """A command that prints for itself; ``take_action`` returns the exit code."""


class Lister(_Explaining, cliff.lister.Lister):
    """A command that lists rows, in any of cliff's formats; may set ``exit_code`` meanwhile."""

    def run(self, parsed_args: Namespace) -> int:
        self.exit_code = EXIT_OK
        return super().run(parsed_args) or self.exit_code


def say(line: str = "") -> None:
    """Talk to the user: stderr, so that stdout stays data."""
    print(line, file=sys.stderr, flush=True)
