"""``vendor branding``: logos and sites of vendors on the collector of the login."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client import files
from refstack_client.cli.collector_command import OnCollector
from refstack_client.cli.command import Command, Fields, Lister, ShowOne, Table, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import collector as collector_options
from refstack_client.cli.options.collector import fields, id_of, require_confirmation, rows
from refstack_client.errors import InputError, UsageError
from refstack_client.upload.collector_requests import Record
from refstack_client.upload.vendor_branding import VendorBranding

_KINDS = ("site", "logo")
_COLUMNS = {
    "vendor": "vendor",
    "vendor id": "vendor_id",
    "kind": "kind",
    "url": "url",
    "sha256": "sha256",
    "at": "at",
}


def _connect(args: Namespace) -> VendorBranding:
    """Return the collector of the login."""
    collector = collector_options.connect(args)
    return VendorBranding(collector.server, collector.notify)


def _fields(at: VendorBranding, vendor_id: str) -> Fields:
    """Return the approved and the proposed logo and site of a vendor."""
    found: dict[str, object] = {}
    for kind in _KINDS:
        both = at.show(vendor_id, kind)
        found |= {kind: both.get("approved"), f"proposed_{kind}": both.get("proposed")}
    return fields(found)


class List(OnCollector, Lister):
    """List the logos and sites that await approval, for the Foundation."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        return rows(_COLUMNS, _connect(args).waiting())


class Show(OnCollector, ShowOne):
    """Show the logo and the site of a vendor, with what is proposed."""

    noun = "vendor"

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--logo",
            type=Path,
            metavar="FILE",
            help="write the logo to this file as PNG: the proposed one, otherwise the approved one",
        )

    def take_action(self, args: Namespace) -> Fields:
        """Return the logo and the site."""
        at = _connect(args)
        vendor_id = id_of(at, "vendor", args.vendor)
        shown = _fields(at, vendor_id)
        if args.logo:
            _write_logo(at, vendor_id, args.logo)
        return shown


def _write_logo(at: VendorBranding, vendor_id: str, path: Path) -> None:
    both = at.show(vendor_id, "logo")
    found: Record | None = both.get("proposed") or both.get("approved")
    if not found:
        raise InputError("the vendor has no logo", hint="leave out --logo")
    sha256 = str(found.get("sha256")) if both.get("proposed") else ""
    files.write_over(path, at.logo(vendor_id, sha256))
    say(f"written: {path}, SHA-256 {found.get('sha256')}")


class Propose(OnCollector, ShowOne):
    """Propose a logo or a site of a vendor, which the Foundation approves or denies."""

    noun = "vendor"

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", metavar="URL", help="URL of the site: https://…")
        parser.add_argument(
            "--logo",
            type=Path,
            metavar="FILE",
            help="PNG or WebP image of at most 64 KiB and 512×512 pixels",
        )

    def take_action(self, args: Namespace) -> Fields:
        """Return the logo and the site."""
        if args.site is None and args.logo is None:
            raise UsageError("nothing is proposed", hint="give --site URL, --logo FILE, or both")
        image = files.read_bytes(args.logo) if args.logo else None
        at = _connect(args)
        vendor_id = id_of(at, "vendor", args.vendor)
        if args.site is not None:
            at.propose_site(vendor_id, args.site)
        if image is not None:
            at.propose_logo(vendor_id, image)
        return _fields(at, vendor_id)


class _OfKind(OnCollector):
    """A command about the logo or the site of a vendor."""

    noun = "vendor"

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=_KINDS, help="what the command is about")


class _Decision(_OfKind, ShowOne):
    """A decision of the Foundation about what is proposed."""

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--sha256",
            metavar="DIGEST",
            required=True,
            help="SHA-256 of what you looked at: if another one is proposed meanwhile, nothing is "
            "decided",
        )

    def decide(self, at: VendorBranding, vendor_id: str, args: Namespace) -> None:
        """Send the decision."""
        at.approve(vendor_id, args.kind, args.sha256)

    def take_action(self, args: Namespace) -> Fields:
        """Return the logo and the site."""
        at = _connect(args)
        vendor_id = id_of(at, "vendor", args.vendor)
        self.decide(at, vendor_id, args)
        return _fields(at, vendor_id)


class Approve(_Decision):
    """Approve the proposed logo or site of a vendor, for the Foundation."""


class Deny(_Decision):
    """Deny the proposed logo or site of a vendor, for the Foundation."""

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--why", metavar="TEXT", required=True, help="reason, which the vendor's users see"
        )

    def decide(self, at: VendorBranding, vendor_id: str, args: Namespace) -> None:
        at.deny(vendor_id, args.kind, args.sha256, args.why)


class Withdraw(_OfKind, Command):
    """Withdraw the proposed logo or site of a vendor."""

    def take_action(self, args: Namespace) -> int:
        """Withdraw it."""
        at = _connect(args)
        at.withdraw(id_of(at, "vendor", args.vendor), args.kind)
        say("withdrawn")
        return EXIT_OK


class Remove(_OfKind, Command):
    """Remove the approved logo or site of a vendor."""

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        collector_options.add_yes(parser)

    def take_action(self, args: Namespace) -> int:
        """Remove it."""
        at = _connect(args)
        vendor_id = id_of(at, "vendor", args.vendor)
        if not args.yes:
            require_confirmation(f"No page will show the {args.kind} of the vendor {args.vendor}")
        at.remove(vendor_id, args.kind)
        say("removed")
        return EXIT_OK
