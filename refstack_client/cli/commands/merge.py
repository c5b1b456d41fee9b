"""``merge``: join runs of parts of a certification."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from refstack_client.cli.command import Command, say
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.text import run as run_text
from refstack_client.outcomes import run_directory
from refstack_client.running import merge_runs, run_recorder


class Merge(Command):
    """Merge runs of one certification into one run, and judge it.

    The runs must have the same guideline, programme, Tempest and cloud. The exit code is that of
    the verdict.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "runs", metavar="RUN", type=Path, nargs="+", help="directories of the runs"
        )
        cloud_options.add_output(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        return merged([run_directory.Run(path) for path in args.runs], args.output)


def merged(runs: Sequence[run_directory.Run], output: Path) -> int:
    """Merge runs, report missing parts and show the verdict; return its exit code."""
    made, verdict = merge_runs.merge(runs, output, run_recorder.new_id(datetime.now(UTC)))
    for part in merge_runs.missing_shards(runs):
        say(f"shard {part} is missing: its tests have the outcome not-run")
    return run_text.show(made, verdict)
