"""``invitation``: invitations of the user to act for vendors."""

from argparse import Namespace

from refstack_client.cli.collector_command import OnCollector
from refstack_client.cli.command import Command, Lister, Table, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import collector as collector_options
from refstack_client.cli.options.collector import id_of, rows

_COLUMNS = {"vendor": "vendor", "vendor id": "vendor_id", "created at": "created_at"}


class List(OnCollector, Lister):
    """List the invitations that the user has not answered."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        return rows(_COLUMNS, collector_options.connect(args).invitations())


class _Answer(OnCollector, Command):
    """An answer to an invitation."""

    noun = "vendor"


class Accept(_Answer):
    """Accept an invitation: the user acts for the vendor from now on."""

    def take_action(self, args: Namespace) -> int:
        """Accept the invitation."""
        collector = collector_options.connect(args)
        collector.accept(id_of(collector, "vendor", args.vendor))
        say("accepted")
        return EXIT_OK


class Decline(_Answer):
    """Decline an invitation."""

    def take_action(self, args: Namespace) -> int:
        """Decline the invitation."""
        collector = collector_options.connect(args)
        collector.decline(id_of(collector, "vendor", args.vendor))
        say("declined")
        return EXIT_OK
