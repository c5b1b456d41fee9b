"""``explain``: show everything about one test of one run."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from capabilities import programme
from capabilities.guideline import Rule
from refstack_client.bundle.open_results import Results
from refstack_client.cli.command import Command, show_lines
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import results as results_options
from refstack_client.errors import InputError
from refstack_client.outcomes import stream_tools
from refstack_client.outcomes.redaction import hide
from refstack_client.report.groups import remedy as remedy_of
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import TestVerdict, Verdict

LINES_OF_LOG = 20


class Explain(Command):
    """Show why a test is required, its outcome, the reason, the failing call, and what to do."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "test",
            metavar="TEST",
            help="name of the test, the end of the name, or the idempotent ID",
        )
        results_options.add_results(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        found = results_options.read(args.results)
        verdict = results_options.judge(found, args.guideline, args)
        for number, test in enumerate(_find(verdict, args.test)):
            show_lines((*[""] * bool(number), *_lines(test, verdict, found)))
        return EXIT_OK


def _find(verdict: Verdict, wanted: str) -> list[TestVerdict]:
    tests = {
        tested.test.key: tested
        for capability in verdict.capabilities
        for tested in capability.tests
    }
    text = wanted.partition("[")[0]
    for matches in (
        lambda tested: wanted.removeprefix("id-") == (tested.test.idempotent_id or "")[3:],
        lambda tested: text in tested.test.names,
        lambda tested: any(name.endswith(f".{text}") for name in tested.test.names),
        lambda tested: any(text in name for name in tested.test.names),
    ):
        found = [tested for tested in tests.values() if matches(tested)]
        if found:
            return found
    raise InputError(
        f"{verdict.programme.name} {verdict.programme.guideline.id} has no test {wanted}",
        hint="give its name or the end of it; to list all: refstack-client guideline tests",
    )


def _lines(tested: TestVerdict, verdict: Verdict, found: Results) -> Iterator[str]:
    yield tested.test.name
    yield f"  id          {tested.test.idempotent_id or 'none'}"
    for one in programme.programmes(verdict.programme.guideline):
        for capability, status in one.statuses.items():
            listed = one.guideline.capabilities[capability].tests
            if not any(test.key == tested.test.key for test in listed):
                continue
            if one.rule is Rule.NONE_FAILED:
                yield f"  listed      in {one.key}"
            else:
                yield f"  {status:<11} in {one.key}, as part of {capability}"
    if tested.test.flag:
        yield f"  flagged     {tested.test.flag.reason} ({tested.test.flag.date}): does not count"
    attempts = f" (attempts: {', '.join(tested.attempts)})" if len(tested.attempts) > 1 else ""
    yield f"  outcome     {tested.outcome}{attempts}"
    if tested.outcome is Outcome.PASS:
        return
    yield f"  reason      {tested.reason}"
    if tested.cause:
        yield f"  kind        {tested.cause.kind}"
        if tested.cause.call:
            yield f"  call        {tested.cause.call}"
    remedy = remedy_of(tested.outcome, tested.cause)
    yield f"  to do       {remedy}"
    yield from _evidence(tested, found)


def _evidence(tested: TestVerdict, found: Results) -> Iterator[str]:
    """Yield the traceback and the end of the log of the last attempt that has them."""
    with found.open_stream() as content:
        attachments = stream_tools.attachments(content, tested.test.names)
    for name, text in attachments.items():
        # The stream may come from elsewhere and contain secrets.
        lines = hide(text.strip().encode()).decode().splitlines()
        if lines and name != "reason":
            more = len(lines) - LINES_OF_LOG
            yield f"  {name}" + (f" (the last {LINES_OF_LOG} of {len(lines)} lines)" * (more > 0))
            yield from (f"    {line}" for line in lines[-LINES_OF_LOG:])
