"""``plan`` and ``certify``: what would be tested, and the certification itself."""

import contextlib
import json
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from refstack_client import certify, report
from refstack_client.command import Command, say
from refstack_client.commands import arguments, cloud_arguments
from refstack_client.commands.plan_text import lines
from refstack_client.commands.sandbox_arguments import add_sandbox
from refstack_client.errors import EXIT_INTERRUPTED
from refstack_client.sandbox import cloud as sandbox_cloud


class Plan(Command):
    """Show what would be tested, where and as whom; touches nothing."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        arguments.add_guideline(parser)
        cloud_arguments.add_cloud(parser)
        parser.add_argument(
            "-f", "--format", choices=("text", "json"), default="text", help="default: text"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        plan = certify.preview(cloud_arguments.request(args, args.os_cloud, Path()))
        if args.format == "json":
            print(json.dumps(plan.as_json(), indent=2, ensure_ascii=False))
        else:
            print("\n".join(lines(plan)))
        return 0


class Certify(Command):
    """Check a cloud, run the tests of a programme, judge and report."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        arguments.add_guideline(parser)
        cloud_arguments.add_cloud(parser)
        parser.add_argument(
            "--output",
            metavar="DIRECTORY",
            type=Path,
            default=Path(os.environ.get("REFSTACK_OUTPUT", "runs")),
            help="where the directory of the run is made (default: %(default)s)",
        )
        parser.add_argument(
            "--sandbox",
            metavar="PROFILE",
            help="start a sandbox, certify it and stop it again",
        )
        add_sandbox(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        with _sandbox(args) as os_cloud:
            request = cloud_arguments.request(
                args, os_cloud, args.output, args.sandbox or arguments.PLATFORM
            )
            console = Console(stderr=True)
            result = certify.certify(request, console, lambda plan: say("\n".join(lines(plan))))
        say()
        if not result.run.stream.stat().st_size and not result.ended.interrupted:
            say(f"Tempest reported nothing (status {result.ended.status}); it said:")
            say(result.run.log.read_text(errors="replace").strip()[-1000:])
        for sentence in result.left:
            say(f"left behind: {sentence}")
        say(f"run:    {result.run.directory}")
        say(f"report: {result.run.report}")
        say()
        print("\n".join(report.text(result.verdict)), flush=True)
        if result.ended.interrupted:
            return EXIT_INTERRUPTED
        return report.EXIT_CODES[result.verdict.conformance]


@contextlib.contextmanager
def _sandbox(args: Namespace) -> Iterator[str | None]:
    """Provide the cloud to certify: the one named, or a sandbox for as long as it is needed."""
    if not args.sandbox:
        yield args.os_cloud
        return
    sandbox = sandbox_cloud.find(args.root, args.name, args.sandbox)
    was_up = sandbox_cloud.is_up(sandbox)
    try:
        sandbox_cloud.up(sandbox, None, say)
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
        yield args.os_cloud or "sandbox"
    finally:
        if not was_up:
            say("stopping the sandbox")
            sandbox_cloud.down(sandbox)
