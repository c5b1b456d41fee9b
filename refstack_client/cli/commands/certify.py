"""``plan`` and ``certify``: show the tests of a certification, and run it."""

import contextlib
import dataclasses
import json
import os
import shlex
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from refstack_client import interruption
from refstack_client.cli.command import Command, say, show_lines
from refstack_client.cli.exit_codes import (
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_NOT_CONFORMANT,
    EXIT_OK,
    EXIT_UNUSABLE,
)
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import formats
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options.sandbox import add_sandbox
from refstack_client.cli.text import run as run_text
from refstack_client.cli.text.plan import lines
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.run_attempts import Mode
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import Shard
from refstack_client.planning.workers import Workers
from refstack_client.report import text as report_text
from refstack_client.running import certify, cleanup, resume, run_recorder
from refstack_client.running.progress import RemovalProgress
from refstack_client.running.resume import Resumption
from refstack_client.sandbox import lifecycle as sandbox_cloud
from refstack_client.sandbox import services as sandbox_services
from refstack_client.sandbox import state as sandbox_state
from refstack_client.sandbox.profiles import PROFILES
from refstack_client.sandbox.state import Sandbox
from refstack_client.tempest.settings import parse_settings
from scoring.conformance.outcomes import Outcome

_LEAVING = "leaving the sandbox running; press Ctrl-C again to end at once"
_SANDBOX_NOTICES = (
    "stopping, the sandbox too; press Ctrl-C again to leave the sandbox running",
    *(_LEAVING, _LEAVING, _LEAVING),  # earlier ones may have stopped a removal
)


class Plan(Command):
    """Show the tests that a certification would run, without running any."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_part(parser)
        formats.add_format(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        plan = certify.preview(cloud_options.request(args, args.os_cloud, Path()))
        if args.format == "json":
            print(json.dumps(plan.record().as_json(), indent=2, ensure_ascii=False))
        else:
            show_lines(lines(plan))
        return 0


class Certify(Command):
    """Certify a cloud: check it, run the tests of a programme, judge and report."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_part(parser)
        cloud_options.add_output(parser)
        challenge_options.add_challenge(parser)
        parser.add_argument(
            "--sandbox",
            metavar="PROFILE",
            help=f"start a sandbox of this profile, certify it and stop it: {', '.join(PROFILES)}",
        )
        cloud_options.add_again(parser).add_argument(
            "--clean",
            metavar="RUN",
            type=Path,
            help="directory of a run that was cut off: remove its resources from the cloud and its "
            "files from this machine; run no tests",
        )
        add_sandbox(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        cloud_options.check_again(args)
        sandbox = sandbox_state.find(args.root, args.name, args.sandbox) if args.sandbox else None
        os_cloud = args.os_cloud or ("sandbox" if args.sandbox else None)
        if args.sandbox:
            sandbox_state.find(args.root, args.name, args.sandbox)
        if args.clean:
            with _running(sandbox):
                return _clean(args, os_cloud)
        resumption = _resumption(args, args.resume) if args.resume else None
        request = dataclasses.replace(
            _request(args, os_cloud, resumption), clean_options=_clean_options(args)
        )
        with _running(sandbox):
            result = certify.certify(
                request,
                Console(stderr=True),
                lambda plan, asked: say("\n".join(lines(plan, asked))),
                resumption,
            )
        say()
        _say_how_it_ended(result, request.clean_options)
        if request.quick:
            exit_code = _show_quick(result)
        elif request.shard:
            exit_code = _show_part(result, request.shard)
        else:
            exit_code = run_text.show(result.run, result.verdict)
        return EXIT_INTERRUPTED if interruption.count() else exit_code


def _request(
    args: Namespace, os_cloud: str | None, resumption: Resumption | None
) -> CertificationRequest:
    """Return what the options request, before a sandbox is started for it."""
    answered = challenge_options.read_to_answer(args)
    if resumption:
        challenge_options.check_unexpired(resumption.run.challenge)
        return resume.request_of(resumption, _options(args, os_cloud))
    _say_cut_off(args.output)
    request = cloud_options.request(
        args, os_cloud, args.output, args.sandbox or guideline_options.PLATFORM
    )
    return dataclasses.replace(request, challenge=answered)


def _show_part(result: certify.Result, shard: Shard) -> int:
    """Show the outcomes of one part; exit code 0 if each of its tests has one."""
    say(f"run:    {result.run.directory}")
    say("merge:  for a verdict on all parts: refstack-client merge RUN…")
    say()
    counts = Counter(result.outcomes)
    shown = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    print(f"shard {shard}: {len(result.outcomes)} tests: {shown}", flush=True)
    return EXIT_INCOMPLETE if counts[Outcome.NOT_RUN] else EXIT_OK


def _show_quick(result: certify.Result) -> int:
    """Show the outcome of one test for each capability; exit code 0 if all passed."""
    say(f"run:    {result.run.directory}")
    say()
    show_lines(report_text.quick_lines(result.verdict, len(result.outcomes)))
    if Outcome.FAIL in result.outcomes:
        return EXIT_NOT_CONFORMANT
    return EXIT_OK if set(result.outcomes) == {Outcome.PASS} else EXIT_INCOMPLETE


def _say_how_it_ended(result: certify.Result, clean_options: Sequence[str]) -> None:
    """Report a run without outcomes, one that ended early, and leaked resources."""
    ended = result.ended
    if ended is None:
        say("no tests to run: each has an outcome")
    elif not result.run.stream.stat().st_size and not ended.interrupted:
        say(f"Tempest reported no test (status {ended.status}); its output:")
        say(result.run.log.read_text(errors="replace").strip()[-1000:])
    elif Outcome.NOT_RUN in result.outcomes:
        say("some tests have no outcome; to run them:")
        say(f"  refstack-client certify --resume {shlex.quote(str(result.run.directory))}")
    for line in cleanup.advice(result.run, result.leaked, clean_options):
        say(line)


def _say_cut_off(output: Path) -> None:
    for run in run_recorder.cut_off(output):
        directory = shlex.quote(str(run.directory))
        say(f"the run {run.id} was cut off:")
        say(f"  refstack-client certify --resume {directory}   runs the other tests")
        say(f"  refstack-client certify --clean {directory}    removes its resources")


def _resumption(args: Namespace, run: Path) -> Resumption:
    mode = Mode.FAILED if args.rerun_failed else Mode.NO_OUTCOME
    found = run_directory.Run(run)
    run_directory.check_own(found)
    return Resumption(found, mode, args.retry_budget)


def _options(args: Namespace, os_cloud: str | None) -> resume.Options:
    return resume.Options(
        output=args.output,
        guideline=args.guideline,
        programme=args.programme,
        shard=args.shard,
        cloud=cloud_options.selection(args, os_cloud),
        accounts_file=args.accounts,
        workers=Workers(args.concurrency) if args.concurrency else None,
        settings=parse_settings(cloud_options.settings(args)) or None,
    )


def _clean(args: Namespace, os_cloud: str | None) -> int:
    """Remove the resources of a run from its cloud; exit code 5 if some could not be removed."""
    resumption = _resumption(args, args.clean)
    # Secret settings are not recorded, and not needed either.
    options = dataclasses.replace(_options(args, os_cloud), settings=())
    request = resume.request_of(resumption, options)
    done = cleanup.clean_run(request, resumption.run, RemovalProgress(Console(stderr=True)))
    if done.removed:
        show_lines(f"removed: {resource}" for resource in done.removed)
    for line in cleanup.advice(resumption.run, done.leaked, _clean_options(args)):
        say(line)
    if not done.removed and not done.leaked:
        say(f"{args.clean} has no leaked resources")
    return EXIT_UNUSABLE if done.leaked else EXIT_OK


def _clean_options(args: Namespace) -> tuple[str, ...]:
    """Return the options that start the sandbox of a run again; others are in the run itself."""
    if not args.sandbox:
        return ()
    given = (("--sandbox", args.sandbox), ("--root", args.root), ("--name", args.name))
    return tuple(text for option, value in given if value for text in (option, str(value)))


@contextlib.contextmanager
def _running(sandbox: Sandbox | None) -> Iterator[None]:
    """Run the sandbox to certify, if one is wanted, for as long as it is needed."""
    if not sandbox:
        yield
        return
    was_up = sandbox_services.is_up(sandbox)
    try:
        with interruption.announced(_SANDBOX_NOTICES):
            sandbox_cloud.up(sandbox, None, say)
            os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
            yield
    finally:
        if not was_up:
            say("stopping the sandbox")
            _stop(sandbox)


def _stop(sandbox: Sandbox) -> None:
    """Stop the sandbox; if that is interrupted, name the command that does it."""
    try:
        with interruption.announced(_SANDBOX_NOTICES), interruption.on_first(lambda: None):
            sandbox_cloud.down(sandbox)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("the sandbox still runs; to stop it:")
        interrupt.add_note(f"  {sandbox.command('down')}")
        raise
