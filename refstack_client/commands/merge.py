"""``merge``: runs of parts of a certification, joined into one run with one verdict."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from refstack_client import merge, run
from refstack_client.command import Command, say
from refstack_client.commands import cloud_arguments, run_text


class Merge(Command):
    """Join runs of one guideline, Tempest, cloud and plan; the exit code is the verdict."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "runs", metavar="RUN", type=Path, nargs="+", help="the directory of a run"
        )
        cloud_arguments.add_output(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        return merged([run.Run(each) for each in args.runs], args.output)


def merged(runs: Sequence[run.Run], output: Path) -> int:
    """Merge runs, say what is missing and show the verdict; return its exit code."""
    made, verdict = merge.merge(runs, output, run.new_id(datetime.now(UTC)))
    for part in merge.missing_shards(runs):
        say(f"shard {part} is missing: its tests are not-run")
    return run_text.show(made, verdict)
