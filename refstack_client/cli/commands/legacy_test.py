"""``test`` of RefStack v1: run tests with a tempest.conf."""

import sys
from argparse import REMAINDER, ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from refstack_client.cli.command import Command, say
from refstack_client.cli.commands import refstack_v1
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_NOT_CONFORMANT, EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import server as server_options
from refstack_client.cli.options import tempest_run
from refstack_client.cli.options.tempest_run import RunArguments
from refstack_client.errors import UsageError
from refstack_client.running import legacy_test
from refstack_client.running.legacy_test import LegacyOutput, LegacyRequest
from refstack_client.running.run_recorder import new_id

_SEPARATOR = "--"


class Test(Command):
    """Run tests with a given tempest.conf, and optionally upload those that passed.

    For scripts written for the original refstack-client. With -v, each test is printed as Tempest
    prints it. See also: certify.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            *("-c", "--conf-file"),
            metavar="FILE",
            type=Path,
            required=True,
            dest="conf",
            help="tempest.conf to use",
        )
        parser.add_argument(
            "--test-list", metavar="FILE|URL", help="list of tests to run, one per line"
        )
        parser.add_argument(
            "-r",
            "--result-file-tag",
            metavar="TAG",
            dest="tag",
            default="",
            help="write results to .tempest/.stestr/TAG-N.json (default: N.json, N counts runs)",
        )
        parser.add_argument(
            "-u", "--upload", action="store_true", help="upload the tests that passed"
        )
        cloud_options.add_output(parser)
        parser.add_argument(
            *("-p", "--parallel"),
            action="store_true",
            help="run as many tests at the same time as there are processors, and half as many as "
            "there are users in an accounts file",
        )
        parser.add_argument(
            "--concurrency",
            metavar="N",
            type=int,
            help="number of tests to run at the same time (default: 1)",
        )
        server_options.add_upload(parser)
        parser.add_argument(
            "tests",
            nargs=REMAINDER,
            metavar="-- TEST",
            help="regular expressions for tests, or arguments of tempest run such as --regex",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        words = args.tests[1:] if args.tests[:1] == [_SEPARATOR] else args.tests
        chosen = tempest_run.parse(words)
        request = LegacyRequest(
            conf=args.conf,
            test_list=args.test_list or chosen.load_list,
            selection=chosen.selection,
            concurrency=_concurrency(args, chosen),
            directory=args.output / new_id(datetime.now(UTC)),
            tag=_tag(args.tag),
            insecure=args.insecure,
        )
        show = server_options.information(args)
        verbose = self.app.options.verbose_level > 1
        output = LegacyOutput(
            show=show,
            warn=say,
            console=Console(stderr=True, quiet=args.silent),
            trace=sys.stdout if verbose else None,
        )
        done = legacy_test.run_tests(request, output)
        show(f"run: {request.directory}")
        # Scripts look for these sentences of the original refstack-client.
        show(f"Subunit results located in: {done.stream}")
        show(f"Number of passed tests: {len(done.results.passes)}")
        show(f"JSON results saved in: {done.file}")
        if done.ended.interrupted:
            return EXIT_INTERRUPTED
        if not done.results.passes:
            say("no test passed: nothing to upload")
            return done.ended.status or EXIT_NOT_CONFORMANT
        if args.upload:
            args.yes = True
            refstack_v1.send(args, done.results, str(done.file))
        return done.ended.status or EXIT_OK


def _concurrency(args: Namespace, chosen: RunArguments) -> int | None:
    """Return how many classes run at a time; None for as many as suit.

    :raises UsageError: the number is not one
    """
    named = args.concurrency if args.concurrency is not None else chosen.concurrency
    if named is not None and named < 1:
        raise UsageError("--concurrency must be at least 1")
    if named is not None:
        return int(named)
    return None if args.parallel or chosen.parallel else 1


def _tag(text: str) -> str:
    """Return the start of the name of a file.

    :raises UsageError: it names another directory
    """
    if "/" in text:
        raise UsageError(f"--result-file-tag {text} is part of a file's name: it has no slash")
    return text
