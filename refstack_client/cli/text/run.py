"""Write the result of a run as lines for a terminal."""

from refstack_client.cli.command import say, show_lines
from refstack_client.cli.exit_codes import OF_CONFORMANCE
from refstack_client.outcomes import run_directory
from refstack_client.report import text as report_text
from scoring.conformance.verdict import Verdict


def show(run: run_directory.Run, verdict: Verdict) -> int:
    """Show the verdict of a run and its paths; return its exit code."""
    say(f"run:    {run.directory}")
    say(f"report: {run.report}")
    say()
    show_lines(report_text.lines(verdict, run_directory.retries(run)))
    return OF_CONFORMANCE[verdict.conformance]
