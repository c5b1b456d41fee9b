"""``explain``: everything about one test of one run."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from capabilities import programme
from refstack_client.bundle import open_results
from refstack_client.bundle.open_results import Results
from refstack_client.cli.command import Command
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
    """Say why a test is required, what it came to and why, at which call, and what to do."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("test", metavar="TEST", help="its name, the end of it, or its id")
        results_options.add_results(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        found = open_results.read(args.results)
        verdict = results_options.judge(found, args.guideline, args)
        for number, each in enumerate(_find(verdict, args.test)):
            print("\n" * bool(number) + "\n".join(_lines(each, verdict, found)))
        return EXIT_OK


def _find(verdict: Verdict, wanted: str) -> list[TestVerdict]:
    tests = {
        each.test.key: each for capability in verdict.capabilities for each in capability.tests
    }
    text = wanted.partition("[")[0]
    for matches in (
        lambda each: wanted.removeprefix("id-") == (each.test.idempotent_id or "")[3:],
        lambda each: text in each.test.names,
        lambda each: any(name.endswith(f".{text}") for name in each.test.names),
        lambda each: any(text in name for name in each.test.names),
    ):
        found = [each for each in tests.values() if matches(each)]
        if found:
            return found
    raise InputError(
        f"no test of {verdict.programme.name} {verdict.programme.guideline.id} is called {wanted}",
        hint="give its name or the end of it; guideline tests lists them",
    )


def _lines(each: TestVerdict, verdict: Verdict, found: Results) -> Iterator[str]:
    yield each.test.name
    yield f"  id          {each.test.idempotent_id or 'none'}"
    for one in programme.programmes(verdict.programme.guideline):
        for capability, status in one.statuses.items():
            listed = one.guideline.capabilities[capability].tests
            if any(test.key == each.test.key for test in listed):
                yield f"  {status:<11} in {one.key}, as part of {capability}"
    if each.test.flag:
        yield f"  flagged     {each.test.flag.reason} ({each.test.flag.date}): it does not count"
    attempts = f" (attempts: {', '.join(each.attempts)})" if len(each.attempts) > 1 else ""
    yield f"  outcome     {each.outcome}{attempts}"
    if each.outcome is Outcome.PASS:
        return
    yield f"  reason      {each.reason}"
    if each.cause:
        yield f"  kind        {each.cause.kind}"
        if each.cause.call:
            yield f"  call        {each.cause.call}"
    remedy = remedy_of(each.outcome, each.cause)
    yield f"  to do       {remedy}"
    yield from _evidence(each, found)


def _evidence(each: TestVerdict, found: Results) -> Iterator[str]:
    """Yield the traceback and the end of the log, of the last attempt that left them."""
    with found.open_stream() as content:
        attachments = stream_tools.attachments(content, each.test.names)
    for name, text in attachments.items():
        # The stream may be another's, with secrets in it.
        lines = hide(text.strip().encode()).decode().splitlines()
        if lines and name != "reason":
            more = len(lines) - LINES_OF_LOG
            yield f"  {name}" + (f" (the last {LINES_OF_LOG} of {len(lines)} lines)" * (more > 0))
            yield from (f"    {line}" for line in lines[-LINES_OF_LOG:])
