"""What a run came to, as lines for a terminal."""

from refstack_client import report, run
from refstack_client.command import say
from scoring.verdict import Verdict


def show(made: run.Run, verdict: Verdict) -> int:
    """Show the verdict of a run and where it is; return the exit code that belongs to it."""
    say(f"run:    {made.directory}")
    say(f"report: {made.report}")
    say()
    print("\n".join(report.text(verdict, run.retries(made))), flush=True)
    return report.EXIT_CODES[verdict.conformance]
