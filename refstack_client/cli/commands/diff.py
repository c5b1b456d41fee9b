"""``diff``: compare two results."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from refstack_client.bundle import open_results
from refstack_client.cli.command import Lister, say
from refstack_client.cli.exit_codes import EXIT_NOT_CONFORMANT
from refstack_client.cli.options import results as results_options
from refstack_client.report import comparison


class Diff(Lister):
    """List the tests that came to something else in other results; exit code 1 if any fails now.

    Both are judged by the guideline and programme of the first unless others are named.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        for name in ("before", "after"):
            parser.add_argument(
                name, metavar="RUN|FILE", type=Path, help="a run directory or a subunit stream"
            )
        results_options.add_judging(parser)
        parser.add_argument("--all", action="store_true", help="those that are the same too")
        return parser

    def take_action(self, args: Namespace):
        before, after = open_results.read(args.before), open_results.read(args.after)
        old = results_options.judge(before, args.guideline, args)
        found = comparison.compare(old, after.judge(old.programme, strict=args.strict))
        counts = Counter(each.change for each in found)
        say(", ".join(f"{counts[each]} {each}" for each in comparison.Change))
        if counts[comparison.Change.NEWLY_FAILING]:
            self.exit_code = EXIT_NOT_CONFORMANT
        return ("test", "before", "after", "change", "reason"), (
            (each.test.name, str(each.before), str(each.after), str(each.change), each.reason)
            for each in found
            if args.all or each.change is not comparison.Change.SAME
        )
