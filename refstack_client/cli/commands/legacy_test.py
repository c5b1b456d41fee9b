"""``test`` and ``config``, as the old refstack-client had them: run a list with a tempest.conf."""

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
    """Run tests with a tempest.conf of your own; keep and, with -u, upload what passed."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            *("-c", "--conf-file"), metavar="FILE", type=Path, required=True, dest="conf"
        )
        parser.add_argument("--test-list", metavar="FILE|URL", help="tests to run, one per line")
        parser.add_argument("-r", "--result-file-tag", metavar="TAG", dest="tag", default="")
        parser.add_argument("-u", "--upload", action="store_true", help="upload what passed")
        cloud_options.add_output(parser)
        parser.add_argument(
            "--concurrency", metavar="N", type=int, default=1, help="default: %(default)s"
        )
        server_options.add_upload(parser)
        parser.add_argument(
            "tests",
            nargs=REMAINDER,
            metavar="-- TEST",
            help="tests, or what their names start with",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        given = [each for each in args.tests if each != "--"]
        request = legacy_test.LegacyRequest(
            conf=args.conf,
            test_list=args.test_list,
            tests=tuple(given),
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
            say("no test passed: there is nothing to upload")
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
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_provision(parser)
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, default=Path("tempest.conf")
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        conf = config.configure(args)
        write_over(args.output, conf.render().encode())
        say(f"written: {args.output}; set the values that are {HIDDEN}")
        if conf.unknown:
            say(f"the first lines name values that are {effective_conf.UNKNOWN}")
        return EXIT_OK
