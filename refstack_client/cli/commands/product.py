"""``product``: products of vendors on the collector of the login, and their versions."""

from argparse import ArgumentParser, Namespace

from refstack_client.cli.collector_command import OnCollector
from refstack_client.cli.command import Fields, Lister, ShowOne, Table
from refstack_client.cli.options import collector as collector_options
from refstack_client.cli.options.collector import fields, id_of, rows
from refstack_client.upload.collector_requests import Record

_KINDS = {"distribution": 0, "public-cloud": 1, "hosted-private-cloud": 2}
"""The kinds of products, and RefStack v1's numbers for them."""
_NAMES = {str(number): name for name, number in _KINDS.items()}
_COLUMNS = {
    "id": "id",
    "name": "name",
    "kind": "product_type",
    "public": "public",
    "vendor id": "organization_id",
}
_VERSION_COLUMNS = {"id": "id", "version": "version", "cpid": "cpid"}


def _named(product: Record) -> Record:
    """Return a product with the name of its kind."""
    number = product.get("product_type")
    return {**product, "product_type": _NAMES.get(str(number), number)}


class List(OnCollector, Lister):
    """List the public products, and those of vendors that the user acts for."""

    def add_options(self, parser: ArgumentParser) -> None:
        _add_vendor(parser, "only products of this vendor: its id, or the URL of its page")

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        collector = collector_options.connect(args)
        vendor_id = id_of(collector, "vendor", args.vendor) if args.vendor else None
        return rows(_COLUMNS, map(_named, collector.products(vendor_id)))


class Create(OnCollector, ShowOne):
    """Create a product, which is private until it is published."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name of the product")
        _add_vendor(parser, "its vendor: id, or URL of its page (default: the user's own one)")
        parser.add_argument(
            "--kind", choices=_KINDS, required=True, help=f"one of {', '.join(_KINDS)}"
        )
        parser.add_argument("--description", metavar="TEXT", help="description of the product")

    def take_action(self, args: Namespace) -> Fields:
        """Return the fields of the new product."""
        collector = collector_options.connect(args)
        new = {
            "name": args.name,
            "product_type": _KINDS[args.kind],
            "description": args.description,
            "organization_id": id_of(collector, "vendor", args.vendor) if args.vendor else None,
        }
        return fields(_named(collector.product(collector.create_product(new))))


def _add_vendor(parser: ArgumentParser, meaning: str) -> None:
    parser.add_argument("--vendor", metavar="VENDOR", help=meaning)


class Publish(OnCollector, ShowOne):
    """Make a product of an official vendor public."""

    noun = "product"

    def add_options(self, parser: ArgumentParser) -> None:
        collector_options.add_yes(parser)

    def take_action(self, args: Namespace) -> Fields:
        """Return the fields of the product."""
        collector = collector_options.connect(args)
        product_id = id_of(collector, "product", args.product)
        if not args.yes:
            name = collector.product(product_id).get("name")
            collector_options.require_confirmation(f"The product {name} will be public")
        collector.publish_product(product_id)
        return fields(_named(collector.product(product_id)))


class ListVersions(OnCollector, Lister):
    """List the versions of a product; the one without a name represents the product itself."""

    noun = "product"

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        collector = collector_options.connect(args)
        found = collector.versions(id_of(collector, "product", args.product))
        return rows(_VERSION_COLUMNS, found)


class AddVersion(OnCollector, ShowOne):
    """Add a version to a product; results are attached to its id."""

    noun = "product"

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="name of the version")
        parser.add_argument(
            "--cpid",
            metavar="CPID",
            help="cloud provider id: uploads of an original refstack-client with it are attached "
            "to the version",
        )

    def take_action(self, args: Namespace) -> Fields:
        """Return the fields of the new version."""
        collector = collector_options.connect(args)
        product_id = id_of(collector, "product", args.product)
        new = {"version": args.version, "cpid": args.cpid}
        return fields(collector.add_version(product_id, new))
