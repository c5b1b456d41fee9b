"""``diff``: compare two results."""

from argparse import ArgumentParser, Namespace
from collections import Counter

from refstack_client.cli.command import Lister, Table, say
from refstack_client.cli.exit_codes import EXIT_NOT_CONFORMANT
from refstack_client.cli.options import results as results_options
from refstack_client.report import comparison


class Diff(Lister):
    """List the tests whose outcome differs between two results.

    Both are judged by the guideline and programme of the first unless others are named. The exit
    code is 1 if a test fails in the second only.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        for name in ("before", "after"):
            parser.add_argument(
                name,
                metavar=results_options.PLACES,
                type=results_options.place,
                help=results_options.HELP_OF_PLACES,
            )
        results_options.add_judging(parser)
        parser.add_argument(
            "--all", action="store_true", help="also list tests with the same outcome"
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        before, after = (results_options.read(where) for where in (args.before, args.after))
        old = results_options.judge(before, args.guideline, args)
        found = comparison.compare(
            old, after.judge(old.programme, strict=args.strict, max_retries=args.max_retries)
        )
        counts = Counter(difference.change for difference in found)
        say(", ".join(f"{counts[change]} {change}" for change in comparison.Change))
        if counts[comparison.Change.NEWLY_FAILING]:
            self.exit_code = EXIT_NOT_CONFORMANT
        return ("test", "before", "after", "change", "reason"), (
            (
                difference.test.name,
                str(difference.before),
                str(difference.after),
                str(difference.change),
                difference.reason,
            )
            for difference in found
            if args.all or difference.change is not comparison.Change.SAME
        )
