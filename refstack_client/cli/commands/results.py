"""``results``: results on the collector of the login."""

from argparse import ArgumentParser, Namespace
from itertools import islice

from refstack_client.bundle import archive, pack
from refstack_client.bundle.contents import Bundle
from refstack_client.cli.collector_command import OnCollector
from refstack_client.cli.command import Fields, Lister, ShowOne, Table
from refstack_client.cli.options import collector as collector_options
from refstack_client.cli.options import results as results_options
from refstack_client.cli.options.collector import day, fields, id_of, require_confirmation, rows
from refstack_client.upload import login
from refstack_client.upload.collector import Collector
from refstack_client.upload.collector_requests import Record

_FILTERS = {
    "vendor": "of the products of this vendor: its id, or the URL of its page",
    "product": "of this product: its id, or the URL of its page",
    "programme": "of this programme, such as storage",
    "guideline": "by this guideline",
    "verdict": "with this verdict: conformant, not-conformant or incomplete",
    "standing": "with this standing: verified, expired, revoked or unofficial",
    "uploaded_since": "uploaded on this date (UTC) or later",
    "uploaded_until": "uploaded on this date (UTC) or earlier",
    "id": "with this id",
    "sha256": "of the upload with this SHA-256",
}
"""What the server selects results by: the parameters of ``GET /v2/results``."""
_DAYS = ("uploaded_since", "uploaded_until")
_NOUNS = {"vendor": "vendor", "product": "product", "id": "result"}
"""The filters that are ids, and of what."""
_PAGE = 100
"""The most results that one request asks for."""
_COLUMNS = {
    "id": "id",
    "guideline": "guideline",
    "programme": "programme",
    "verdict": "conformance",
    "standing": "standing",
    "shared with": "shared_with",
    "uploaded": "uploaded_at",
    "url": "url",
}
"""The columns of the list, and the fields in the response of the server."""


class List(OnCollector, Lister):
    """List the results on the collector: those of the user, or those that the user may see."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mine", action="store_true", help="only results of the user")
        for name, meaning in _FILTERS.items():
            parser.add_argument(
                f"--{name.removeprefix('uploaded_')}",
                dest=name,
                metavar="DATE" if name in _DAYS else name.upper(),
                type=day if name in _DAYS else str,
                help=f"only results {meaning}",
            )
        parser.add_argument(
            "--most",
            metavar="N",
            type=results_options.number,
            help="at most N results (default: all)",
        )

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        collector = collector_options.connect(args)
        filters = {name: vars(args)[name] for name in _FILTERS if vars(args)[name] is not None}
        if "programme" in filters:
            filters["programme"] = filters["programme"].lower()
        for name in filters.keys() & _NOUNS:
            filters[name] = id_of(collector, _NOUNS[name], filters[name])
        if args.mine:
            filters["mine"] = "true"
        filters["most"] = str(min(args.most or _PAGE, _PAGE))
        found = islice(collector.results(filters), args.most)
        return rows(_COLUMNS, found)


class _OfResult(OnCollector, ShowOne):
    """A command about one result, which shows its fields afterwards."""

    noun = "result"

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        """Change the result."""

    def take_action(self, args: Namespace) -> Fields:
        """Return the fields of the result."""
        collector = collector_options.connect(args)
        result_id = id_of(collector, "result", args.result)
        self.act(collector, result_id, args)
        return fields(collector.result(result_id))


class Show(_OfResult):
    """Show a result: its verdict, who may see it, and its verification."""


class Share(_OfResult):
    """Share a result with the certifier, and with no other user."""

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        collector.share(result_id, "certifier")


class _Confirmed(_OfResult):
    """A command about one result that asks for confirmation.

    ``question`` is what would be done.
    """

    question = ""

    def add_options(self, parser: ArgumentParser) -> None:
        collector_options.add_yes(parser)

    def confirm(self, collector: Collector, result_id: str, args: Namespace) -> None:
        """Have the user confirm the change; errors as for :func:`.require_confirmation`."""
        if not args.yes:
            require_confirmation(self.question.format(_described(collector.result(result_id))))


class Publish(_Confirmed):
    """Publish a result: its verdict, and its reasons without what names parts of the cloud."""

    question = "The result {} will be visible to everyone"
    with_bundle = f"{question}, and an anonymised copy of its bundle, signed with the login's key"

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--bundle",
            action="store_true",
            help="publish an anonymised copy of the bundle too, so that others can verify it",
        )

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        # The copy is made first: what cannot be anonymised leaves the result as it is.
        copy = self._copy(collector, result_id) if args.bundle else None
        self.question = self.with_bundle if args.bundle else self.question
        self.confirm(collector, result_id, args)
        collector.share(result_id, "everybody")
        if copy is not None:
            collector.publish_bundle(result_id, copy)

    def _copy(self, collector: Collector, result_id: str) -> bytes:
        uploaded = Bundle.unpack(collector.bundle(result_id), result_id)
        return archive.pack(pack.signed(pack.anonymised(uploaded), login.read().key))


class Withdraw(_Confirmed):
    """Withdraw a result: only its owner can see it afterwards."""

    question = "The result {} will be visible to its owner only"

    def add_options(self, parser: ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--bundle",
            action="store_true",
            help="withdraw only the anonymised copy of the bundle; the result stays public",
        )

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        if args.bundle:
            collector.withdraw_bundle(result_id)
            return
        self.confirm(collector, result_id, args)
        collector.share(result_id, "nobody")


class Delete(_Confirmed):
    """Remove a result from the collector."""

    question = "The result {} will be removed"

    def take_action(self, args: Namespace) -> Fields:
        """Remove the result, and return the fields that it had."""
        collector = collector_options.connect(args)
        result_id = id_of(collector, "result", args.result)
        shown = fields(collector.result(result_id))
        self.confirm(collector, result_id, args)
        collector.delete_result(result_id)
        return shown


class Attach(_OfResult):
    """Attach a result to a version of a product of a vendor that the user acts for."""

    def add_options(self, parser: ArgumentParser) -> None:
        # --version is that of the program, anywhere in a command line.
        parser.add_argument(
            "--product-version",
            metavar="VERSION-ID",
            required=True,
            help="id of the version, as product version list shows it",
        )

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        collector.attach(result_id, args.product_version)


class Verify(_OfResult):
    """Verify a published result for the Foundation."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until",
            metavar="DATE",
            type=day,
            help="day on which the verification expires, such as 2026-12-31 (default: never)",
        )
        parser.add_argument(
            "--why",
            metavar="TEXT",
            help="reason, which is public; needed if the result is not conformant",
        )

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        collector.verify(result_id, args.until, args.why)


class Revoke(_OfResult):
    """Revoke the Foundation verification of a result."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--why", metavar="TEXT", required=True, help="reason, which is public")

    def act(self, collector: Collector, result_id: str, args: Namespace) -> None:
        collector.revoke(result_id, args.why)


def _described(result: Record) -> str:
    names = (result.get(name) for name in ("guideline", "programme", "conformance"))
    return f"{result.get('url')} ({' '.join(str(name) for name in names if name)})"
