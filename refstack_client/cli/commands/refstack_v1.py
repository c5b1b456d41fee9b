"""``upload``, ``upload-subunit``, ``list`` and ``sign`` of RefStack v1."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from refstack_client.bundle import open_results
from refstack_client.cli import confirmation
from refstack_client.cli.command import Command, Lister, Table, say, show_lines
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK
from refstack_client.cli.options import server as server_options
from refstack_client.errors import UsageError
from refstack_client.files import read_bytes
from refstack_client.outcomes import cpid, refstack_json
from refstack_client.outcomes.refstack_json import RefstackResults
from refstack_client.upload import refstack_api, rsa_key

_FORMATTER, _LINES = "formatter", "lines"
SELF_SIGNED = b"signature"
"""The content that a key signs to be registered."""


def send(args: Namespace, found: RefstackResults, source: str) -> int:
    """Upload results after confirmation; or print the request."""
    refstack_json.check(found, source)
    body = refstack_json.body(found)
    key = rsa_key.load(args.key) if args.key else None
    if args.dry_run:
        headers = refstack_api.headers(body, key)
        print(f"POST {args.url.rstrip('/')}/v1/results")
        print("".join(f"{name}: {value}\n" for name, value in headers.items()))
        print(body.decode())
        return EXIT_OK
    chosen = server_options.server(args)
    show = server_options.information(args)
    show(f"{len(found.passes)} passed tests, cpid {found.cpid}, {'signed' if key else 'anonymous'}")
    if not args.yes and not confirmation.agreed_or_piped(
        f"Test results will be uploaded to {args.url}", "-y"
    ):
        show("nothing was sent")
        return EXIT_INTERRUPTED
    url = refstack_api.upload(chosen, body, key, say)
    show_lines(("Test results uploaded!", f"URL: {url}"))
    return EXIT_OK


class Upload(Command):
    """Upload results in the JSON format of RefStack."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("file", type=Path, help="JSON file with results")
        server_options.add_upload(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        found = refstack_json.read(read_bytes(args.file), str(args.file))
        return send(args, found, str(args.file))


class UploadSubunit(Command):
    """Upload the passed tests of a subunit stream, a run or a bundle."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "file", type=Path, help="subunit stream (version 1 or 2), run directory or bundle"
        )
        parser.add_argument(
            "--keystone-endpoint",
            metavar="URL",
            help="URL of the cloud's identity service; the cpid is derived from its host (default "
            "for a run or bundle: the ID of the identity service)",
        )
        server_options.add_upload(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        results_of = open_results.read(args.file)
        found = refstack_json.of_outcomes(results_of.outcomes, _cpid(args, results_of))
        return send(args, found, str(args.file))


def _cpid(args: Namespace, found: open_results.Results) -> str:
    if args.keystone_endpoint:
        return cpid_of_endpoint(args.keystone_endpoint)
    if found.plan and found.plan.basis.cloud:
        return cpid.of_facts(found.plan.basis.cloud)
    raise UsageError(
        "a stream does not record its cloud", hint="give its URL with --keystone-endpoint"
    )


def cpid_of_endpoint(url: str) -> str:
    """Return the cpid of a cloud by the URL of its identity service.

    :raises UsageError: it is not a URL
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"{url} is not a valid URL", hint="example: https://cloud.example.org:5000/v3"
        )
    if cpid.collides(url):
        say(f"warning: other clouds may have the host of {url} too, and so the same cpid")
    return cpid.of_endpoint(url)


class List(Lister):
    """List the results on a RefStack server.

    Without -f, each line is "time - URL", as the original refstack-client prints it.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        server_options.add_server(parser)
        server_options.add_unused(parser, network=True)
        for action in parser._actions:
            if action.dest == _FORMATTER:
                action.help = "the output format (default: lines)"
        parser.set_defaults(formatter=_LINES)
        for option, bound in (("--start-date", "first"), ("--end-date", "last")):
            parser.add_argument(
                option,
                metavar="'YYYY-MM-DD hh:mm:ss'",
                default="",
                help=f"{bound} upload time, UTC",
            )
        parser.add_argument("--cpid", default="", help="only results of the cloud with this ID")
        parser.add_argument(
            "--limit",
            metavar="N",
            type=int,
            default=100,
            help="most results to list (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        filters = {
            name: value
            for name in ("start_date", "end_date", "cpid")
            if (value := getattr(args, name))
        }
        rows: list[tuple[str, str, str]] = []
        for result in refstack_api.results(server_options.server(args), filters, say):
            if len(rows) >= args.limit:
                say(f"there are more than {args.limit} results: raise --limit to list them")
                break
            rows.append(
                (
                    result.get("created_at", ""),
                    result.get("url", ""),
                    json.dumps(result.get("meta", {})),
                )
            )
        return ("created_at", "url", "meta"), rows

    def run(self, parsed_args: Namespace) -> int:
        """List the rows and return the exit code."""
        self._as_lines = parsed_args.formatter == _LINES and not parsed_args.columns
        if parsed_args.formatter == _LINES:  # cliff has no such format
            parsed_args.formatter = "value"
        return super().run(parsed_args)

    def produce_output(
        self, parsed_args: Namespace, column_names: Sequence[str], data: Iterable[Sequence[object]]
    ) -> int:
        """Print the rows."""
        if not self._as_lines:
            return super().produce_output(parsed_args, column_names, data)
        for created_at, url, _ in data:
            show_lines((f"{created_at} - {url}",))
        return EXIT_OK


class Sign(Command):
    """Print the public key and the self-signature that registering a key needs."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "key", metavar="KEY", type=Path, help="RSA private key, in OpenSSH or PEM format"
        )
        server_options.add_unused(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        key = rsa_key.load(args.key)
        print(f"Public key:\n{rsa_key.public_line(key)}\n")
        print(f"Self signature:\n{rsa_key.sign(key, SELF_SIGNED)}")
        return EXIT_OK
