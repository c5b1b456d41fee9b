"""``test`` and ``config`` of RefStack v1: run a list of tests with a tempest.conf."""

from argparse import REMAINDER, ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from refstack_client.cli.command import Command, say
from refstack_client.cli.commands import config, refstack_v1
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_NOT_CONFORMANT, EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options import server as server_options
from refstack_client.files import json_text, write_over
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.running import effective_conf, legacy_test
from refstack_client.running.run_recorder import new_id


class Test(Command):
    """Run tests with a given tempest.conf, and optionally upload those that passed.

    For scripts written for the original refstack-client. See also: certify.
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
            help="write results to TAG-results.json (default: results.json)",
        )
        parser.add_argument(
            "-u", "--upload", action="store_true", help="upload the tests that passed"
        )
        cloud_options.add_output(parser)
        parser.add_argument(
            "--concurrency",
            metavar="N",
            type=int,
            default=1,
            help="number of tests to run at the same time (default: %(default)s)",
        )
        server_options.add_upload(parser)
        parser.add_argument(
            "tests",
            nargs=REMAINDER,
            metavar="-- TEST",
            help="tests, or prefixes of their names",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        request = legacy_test.LegacyRequest(
            conf=args.conf,
            test_list=args.test_list,
            tests=tuple(test for test in args.tests if test != "--"),
            concurrency=args.concurrency,
            directory=args.output / new_id(datetime.now(UTC)),
        )
        done = legacy_test.run_tests(request, Console(stderr=True), say)
        name = f"{args.tag}-results.json" if args.tag else "results.json"
        target = request.directory / name
        say(f"subunit: {request.directory / 'stream.subunit'}")
        if done.ended.interrupted:
            return EXIT_INTERRUPTED
        if not done.results.passes:
            say("no test passed: nothing to upload")
            return done.ended.status or EXIT_NOT_CONFORMANT
        write_over(target, json_text(done.results.as_json()).encode())
        say(f"results: {target}")
        say(f"Number of passed tests: {len(done.results.passes)}")
        if args.upload:
            args.yes = True
            refstack_v1.send(args, done.results, str(target))
        return done.ended.status or EXIT_OK


class Config(Command):
    """Write the tempest.conf that a run would use for a cloud, secrets hidden."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_provision(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            type=Path,
            default=Path("tempest.conf"),
            help="file to write (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        conf = config.configure(args)
        write_over(args.output, conf.render().encode())
        say(f"written: {args.output}; set the values that are {HIDDEN}")
        if conf.unknown:
            say(f"the first lines name values that are {effective_conf.UNKNOWN}")
        return EXIT_OK
