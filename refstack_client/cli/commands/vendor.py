"""``vendor``: vendors on the collector of the login, their users, and their registration."""

from argparse import ArgumentParser, Namespace

from refstack_client.cli.collector_command import OnCollector
from refstack_client.cli.command import Command, Fields, Lister, ShowOne, Table, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import collector as collector_options
from refstack_client.cli.options.collector import fields, id_of, rows
from refstack_client.upload.collector_requests import Record

_TYPES = {"0": "foundation", "1": "private", "2": "pending", "3": "official"}
"""The types of vendors by RefStack v1's numbers."""
_COLUMNS = {"id": "id", "name": "name", "type": "type", "acts for": "can_manage"}
_USER_COLUMNS = {"openid": "openid", "full name": "fullname", "email": "email"}


def _named(vendor: Record) -> Record:
    """Return a vendor with the name of its type."""
    return {**vendor, "type": _TYPES.get(str(vendor.get("type")), vendor.get("type"))}


class List(OnCollector, Lister):
    """List the official vendors, and those that the user acts for."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        return rows(_COLUMNS, map(_named, collector_options.connect(args).vendors()))


class Create(OnCollector, ShowOne):
    """Create a private vendor, of which the user is the first user."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name of the vendor")
        parser.add_argument("--description", metavar="TEXT", help="description of the vendor")

    def take_action(self, args: Namespace) -> Fields:
        """Return the fields of the new vendor."""
        collector = collector_options.connect(args)
        vendor_id = collector.create_vendor(args.name, args.description)
        return fields(_named(collector.vendor(vendor_id)))


class Show(OnCollector, ShowOne):
    """Show a vendor."""

    noun = "vendor"
    step = ""
    """The step of the registration to take first, "" for none."""

    def step_fields(self, args: Namespace) -> dict[str, str]:
        """Return what the step needs besides the vendor."""
        return {}

    def take_action(self, args: Namespace) -> Fields:
        """Return the fields of the vendor."""
        collector = collector_options.connect(args)
        vendor_id = id_of(collector, "vendor", args.vendor)
        if self.step:
            collector.take_step(vendor_id, self.step, self.step_fields(args))
        return fields(_named(collector.vendor(vendor_id)))


class Register(Show):
    """Request that a vendor becomes an official one, which the Foundation decides."""

    step = "register"


class Cancel(Show):
    """Cancel the request that a vendor becomes an official one."""

    step = "cancel"


class _Decision(Show):
    """A decision of the Foundation about a vendor."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--name",
            metavar="NAME",
            help="name of the vendor: if it has another one meanwhile, nothing is decided",
        )

    def step_fields(self, args: Namespace) -> dict[str, str]:
        """Return the name that the decision is about."""
        return {"name": args.name} if args.name is not None else {}


class Approve(_Decision):
    """Make a vendor an official one, for the Foundation."""

    step = "approve"


class Deny(_Decision):
    """Deny that a vendor becomes an official one, for the Foundation."""

    step = "deny"

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--why", metavar="TEXT", required=True, help="reason, which the vendor's users see"
        )

    def step_fields(self, args: Namespace) -> dict[str, str]:
        """Return the reason besides."""
        return {**super().step_fields(args), "registration_decline_reason": args.why}


class Users(OnCollector, Lister):
    """List the users of a vendor that the user acts for."""

    noun = "vendor"

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        collector = collector_options.connect(args)
        return rows(_USER_COLUMNS, collector.users(id_of(collector, "vendor", args.vendor)))


class _OfUser(OnCollector, Command):
    """A command about a user of a vendor."""

    noun = "vendor"

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="OPENID", help="name of the user on the server")


class Invite(_OfUser):
    """Invite a user to act for a vendor."""

    def take_action(self, args: Namespace) -> int:
        """Invite the user."""
        collector = collector_options.connect(args)
        collector.invite(id_of(collector, "vendor", args.vendor), args.user)
        say(f"invited: {args.user}, who can accept with invitation accept")
        return EXIT_OK


class RemoveUser(_OfUser):
    """Remove a user from a vendor, or withdraw the user's invitation."""

    def take_action(self, args: Namespace) -> int:
        """Remove the user."""
        collector = collector_options.connect(args)
        collector.remove_user(id_of(collector, "vendor", args.vendor), args.user)
        say(f"removed: {args.user}")
        return EXIT_OK
