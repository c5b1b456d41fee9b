"""``plan`` and ``certify``: what would be tested, and the certification itself."""

import contextlib
import json
import os
import shlex
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from capabilities import catalogue, programme
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import (
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_NOT_CONFORMANT,
    EXIT_OK,
    EXIT_UNUSABLE,
)
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options.sandbox import add_sandbox
from refstack_client.cli.text import run as run_text
from refstack_client.cli.text.plan import lines
from refstack_client.errors import InputError, UsageError
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.outcomes.run_directory import retries
from refstack_client.planning import guideline_source
from refstack_client.planning import shard as shards
from refstack_client.planning.request import Request
from refstack_client.planning.shard import Shard
from refstack_client.report import text as report_text
from refstack_client.running import certify, run_recorder
from refstack_client.sandbox import lifecycle as sandbox_cloud
from refstack_client.sandbox import services as sandbox_services
from refstack_client.sandbox import state as sandbox_state
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.concurrency import Workers
from scoring.conformance.outcomes import Outcome


class Plan(Command):
    """Show what would be tested, where and as whom; touches nothing."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_part(parser)
        parser.add_argument(
            "-f", "--format", choices=("text", "json"), default="text", help="default: text"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        plan = certify.preview(cloud_options.request(args, args.os_cloud, Path()))
        if args.format == "json":
            print(json.dumps(plan.record().as_json(), indent=2, ensure_ascii=False))
        else:
            print("\n".join(lines(plan)))
        return 0


class Certify(Command):
    """Check a cloud, run the tests of a programme, judge and report."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_part(parser)
        cloud_options.add_output(parser)
        parser.add_argument(
            "--sandbox",
            metavar="PROFILE",
            help="start a sandbox, certify it and stop it again",
        )
        cloud_options.add_again(parser).add_argument(
            "--clean",
            metavar="RUN",
            type=Path,
            help="remove what a run that died left in the cloud and on this machine",
        )
        add_sandbox(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        cloud_options.check_again(args)
        with _sandbox(args) as os_cloud:
            if args.clean:
                return _clean(args, os_cloud)
            if args.resume:
                request = _resumed(args, os_cloud)
            else:
                _say_cut_off(args.output)
                request = cloud_options.request(
                    args, os_cloud, args.output, args.sandbox or guideline_options.PLATFORM
                )
            result = certify.certify(
                request,
                Console(stderr=True),
                lambda plan, asked: say("\n".join(lines(plan, asked))),
            )
        say()
        _say_how_it_ended(result)
        if request.quick:
            exit_code = _show_quick(result)
        elif request.shard:
            exit_code = _show_part(result, request.shard)
        else:
            exit_code = run_text.show(result.run, result.verdict)
        interrupted = result.ended and result.ended.interrupted
        return EXIT_INTERRUPTED if interrupted else exit_code


def _show_part(result: certify.Result, shard: Shard) -> int:
    """Show what one part came to; it is done when each of its tests came to an end."""
    say(f"run:    {result.run.directory}")
    say("merge:  the verdict is that of all parts: refstack-client merge RUN…")
    say()
    counts = Counter(result.outcomes)
    shown = ", ".join(f"{counts[each]} {each}" for each in Outcome if counts[each])
    print(f"shard {shard}: {len(result.outcomes)} tests: {shown}", flush=True)
    return EXIT_INCOMPLETE if counts[Outcome.NOT_RUN] else EXIT_OK


def _show_quick(result: certify.Result) -> int:
    """Show what one test for each capability came to; whether all passed is the exit code."""
    say(f"run:    {result.run.directory}")
    say()
    print("\n".join(report_text.quick_lines(result.verdict, len(result.outcomes))), flush=True)
    if Outcome.FAIL in result.outcomes:
        return EXIT_NOT_CONFORMANT
    return EXIT_OK if set(result.outcomes) == {Outcome.PASS} else EXIT_INCOMPLETE


def _say_how_it_ended(result: certify.Result) -> None:
    """Say what is not as it should be: nothing reported, ended before its time, things left."""
    ended = result.ended
    if ended is None:
        say("nothing is left to run")
    elif not result.run.stream.stat().st_size and not ended.interrupted:
        say(f"Tempest reported nothing (status {ended.status}); it said:")
        say(result.run.log.read_text(errors="replace").strip()[-1000:])
    elif Outcome.NOT_RUN in result.outcomes:
        say("not every test came to an end; what is missing runs with:")
        say(f"  refstack-client certify --resume {shlex.quote(str(result.run.directory))}")
    for sentence in result.left:
        say(f"left behind: {sentence}")


def _say_cut_off(output: Path) -> None:
    for each in run_recorder.cut_off(output):
        where = shlex.quote(str(each.directory))
        say(f"the run {each.id} was cut off: certify --resume {where} goes on with it,")
        say(f"  certify --clean {where} removes what it left in the cloud")


def _resumed(args: Namespace, os_cloud: str | None) -> Request:
    """Return the request a run was started with, but for what is given anew.

    :raises InputError: it is no run, or was of another guideline or programme than is named
    :raises UsageError: failures were run again as often as the budget allows
    """
    made = run_directory.Run(args.resume)
    guideline, options = run_directory.read_request(made)
    if args.guideline and guideline_source.load(args.guideline)[0].digest != guideline.digest:
        raise InputError(
            f"{made.directory} is a run of guideline {guideline.id} ({guideline.digest[:12]}), "
            f"not of {args.guideline}",
            hint="leave --guideline out, or certify anew",
        )
    if args.programme not in (None, options["programme"]):
        raise InputError(
            f"{made.directory} is a run of {options['programme']}, not of {args.programme}",
            hint="leave --programme out, or certify anew",
        )
    if args.shard and args.shard != options.get("shard"):
        part = f"shard {options['shard']}" if options.get("shard") else "all tests"
        raise InputError(
            f"{made.directory} is a run of {part}, not of shard {args.shard}",
            hint="leave --shard out, or certify anew",
        )
    used = retries(made).used
    if args.rerun_failed and used >= args.retry_budget:
        raise UsageError(
            f"what failed was run again {used} times, the budget is {args.retry_budget}",
            hint="certify anew, or raise --retry-budget: the verdict says how often",
        )
    settings = args.settings or options.get("settings", [])
    if any(HIDDEN in each for each in settings):
        names = ", ".join(each.partition("=")[0] for each in settings)
        raise UsageError(f"the run was started with secret settings: give --set {names} again")
    accounts, shard = options.get("accounts"), options.get("shard")
    return Request(
        programme=catalogue.with_bases(programme.find(guideline, options["programme"])),
        guideline_name=str(made.guideline),
        os_cloud=os_cloud or options.get("os_cloud"),
        accounts_file=args.accounts or (Path(accounts) if accounts else None),
        workers=Workers(args.concurrency) if args.concurrency else None,
        settings=tempest_conf.parse_settings(settings),
        output=args.output,
        resumed=made,
        mode=run_directory.Mode.FAILED if args.rerun_failed else run_directory.Mode.NO_OUTCOME,
        retry_budget=args.retry_budget,
        shard=shards.parse(shard) if shard else None,
        quick=options.get("quick", False),
    )


def _clean(args: Namespace, os_cloud: str | None) -> int:
    args.resume, args.rerun_failed = args.clean, False
    request = _resumed(args, os_cloud)
    done = certify.clean_run(request)
    for each in done.removed:
        print(f"removed: {each}")
    for each in done.stayed:
        say(f"left behind: {each}")
    if not done.removed and not done.stayed:
        say(f"{args.clean} left nothing behind")
    return EXIT_UNUSABLE if done.stayed else EXIT_OK


@contextlib.contextmanager
def _sandbox(args: Namespace) -> Iterator[str | None]:
    """Provide the cloud to certify: the one named, or a sandbox for as long as it is needed."""
    if not args.sandbox:
        yield args.os_cloud
        return
    sandbox = sandbox_state.find(args.root, args.name, args.sandbox)
    was_up = sandbox_services.is_up(sandbox)
    try:
        sandbox_cloud.up(sandbox, None, say)
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
        yield args.os_cloud or "sandbox"
    finally:
        if not was_up:
            say("stopping the sandbox")
            sandbox_cloud.down(sandbox)
