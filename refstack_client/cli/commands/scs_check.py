"""``scs check``: SCS-0128 as a check program of Sovereign Cloud Stack's test suite."""

import contextlib
import os
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console

from capabilities.errors import ProblemError
from refstack_client import interruption
from refstack_client.cli import exit_codes, levelled_stderr
from refstack_client.cli.command import Command, say, show_lines
from refstack_client.cli.exit_codes import (
    EXIT_INTERRUPTED,
    EXIT_NOT_CONFORMANT,
    EXIT_OK,
    EXIT_UNUSABLE,
)
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.text.plan import lines as plan_lines
from refstack_client.cloud.connection import connect
from refstack_client.errors import CloudError, UsageError
from refstack_client.planning.request import CertificationRequest
from refstack_client.report import scs_test_cases
from refstack_client.report.scs_test_cases import LIST, Level, LogLine, Result
from refstack_client.running import certify, cleanup

_MOST_MINUTES = 100_000
_NOTICES = ("INFO: stopping", "INFO: stopping at once")


class Check(Command):
    """Run the tests of SCS-0128, and print the results as SCS's check programs do.

    On stdout is a line ID: PASS, ID: FAIL or ID: ABORT for each test case, where ABORT means that
    the cloud could not be tested. The lines on stderr begin with INFO, WARNING, ERROR or CRITICAL.
    All tests run, whatever test cases are named.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "test_cases",
            metavar="TESTCASE",
            nargs="*",
            help=f"id of a test case to report: {scs_test_cases.WHOLE} for the whole list, "
            f"{scs_test_cases.WHOLE}-SERVICE for the tests of a service (default: all)",
        )
        # -c is the option that SCS gives to its check programs.
        parser.add_argument("-c", dest="os_cloud", metavar="NAME", help="as --os-cloud")
        cloud_options.add_cloud(parser)
        parser.add_argument(
            "--guideline",
            metavar="ID|FILE|URL",
            default=LIST,
            help="another version of the list, one test per line (default: %(default)s)",
        )
        parser.add_argument(
            "--timeout",
            metavar="MINUTES",
            type=_minutes,
            help="stop after so many minutes: every test case is ABORT then (default: never)",
        )
        cloud_options.add_output(parser)
        return parser

    def run(self, parsed_args: Namespace) -> int:
        """Run the command; return its exit code."""
        with levelled_stderr.installed(), interruption.announced(_NOTICES):
            return super().run(parsed_args)

    def take_action(self, args: Namespace) -> int:
        """Run the tests and print the results; exit code 0 if each is PASS."""
        args.programme = LIST
        request = cloud_options.request(args, args.os_cloud, args.output)
        asked = _asked(scs_test_cases.ids(request.programme), args.test_cases)
        aborted = dict.fromkeys(asked, Result.ABORT)
        try:
            with _stopped_after(args.timeout):
                result = certify.certify(request, Console(stderr=True), _say_plan)
        except BaseException as error:
            show_lines(scs_test_cases.lines(aborted))
            if not isinstance(error, ProblemError):
                raise
            _say(Level.CRITICAL, f"the cloud could not be tested: {error}")
            if error.hint:
                say(f"hint: {error.hint}")
            for note in getattr(error, "__notes__", ()):
                say(note)
            return exit_codes.of_error(error)
        _say_run(result, request)
        if interruption.count() or (result.ended and result.ended.interrupted):
            _say(Level.CRITICAL, "the tests were stopped before all of them had ended")
            show_lines(scs_test_cases.lines(aborted))
            return EXIT_INTERRUPTED
        found = scs_test_cases.results(result.verdict)
        if Result.FAIL in found.values() and not _is_usable(request):
            show_lines(scs_test_cases.lines(aborted))
            return EXIT_UNUSABLE
        for logged in scs_test_cases.log(result.verdict):
            say(str(logged))
        return _show({name: found[name] for name in asked})


def _minutes(text: str) -> float:
    """Return a time of more than 0 minutes that an option has.

    :raises ArgumentTypeError: it is not one
    """
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0
    if not 0 < minutes < _MOST_MINUTES:
        raise ArgumentTypeError(f"expected a number of minutes, not {text}")
    return minutes


def _asked(known: Sequence[str], named: Sequence[str]) -> Sequence[str]:
    """Return the test cases to report; warn of others, as SCS's programs do.

    :raises UsageError: none of those named is known
    """
    found = [name for name in dict.fromkeys(named) if name in known]
    for name in dict.fromkeys(named):
        if name not in known:
            say(f"warning: there is no test case {name}")
    if named and not found:
        raise UsageError("no test case to report", hint=f"choose from {', '.join(known)}")
    return found or known


@contextlib.contextmanager
def _stopped_after(minutes: float | None) -> Iterator[None]:
    """Stop as a user would, who presses Ctrl-C, when the time is over; resources are removed."""

    def stop() -> None:
        _say(Level.WARNING, f"{minutes:g} minutes are over")
        os.kill(os.getpid(), signal.SIGTERM)

    if not minutes:
        yield
        return
    timer = threading.Timer(minutes * 60, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say_plan(plan: certify.Plan, asked: int) -> None:
    for line in plan_lines(plan, asked):
        say(line)


def _say_run(result: certify.Result, request: CertificationRequest) -> None:
    say(f"run: {result.run.directory}")
    say(f"report: {result.run.report}")
    if result.leaked:
        _say(Level.WARNING, "some resources could not be removed from the cloud")
    for line in cleanup.advice(result.run, result.leaked, request.clean_options):
        say(line)


def _is_usable(request: CertificationRequest) -> bool:
    """Return whether the user can sign in after tests failed.

    If not, the tests may have failed because the cloud could not be reached.
    """
    try:
        connect(request.cloud, request.projects)
    except CloudError as error:
        _say(Level.CRITICAL, f"the cloud cannot be used any more: {error}")
        return False
    return True


def _show(found: Mapping[str, Result]) -> int:
    show_lines(scs_test_cases.lines(found))
    if set(found.values()) == {Result.PASS}:
        return EXIT_OK
    return EXIT_NOT_CONFORMANT if Result.FAIL in found.values() else exit_codes.EXIT_INCOMPLETE


def _say(level: Level, message: str) -> None:
    say(str(LogLine(level, message)))
