"""What a run came to, as lines for a terminal."""

from refstack_client.cli.command import say
from refstack_client.cli.exit_codes import OF_CONFORMANCE
from refstack_client.outcomes import run_directory
from refstack_client.report import text as report_text
from scoring.conformance.verdict import Verdict


def show(made: run_directory.Run, verdict: Verdict) -> int:
    """Show the verdict of a run and where it is; return the exit code that belongs to it."""
    say(f"run:    {made.directory}")
    say(f"report: {made.report}")
    say()
    print("\n".join(report_text.lines(verdict, run_directory.retries(made))), flush=True)
    return OF_CONFORMANCE[verdict.conformance]
