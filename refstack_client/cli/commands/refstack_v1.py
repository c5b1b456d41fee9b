"""``upload``, ``upload-subunit``, ``list`` and ``sign``: as the old refstack-client had them."""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.bundle import open_results
from refstack_client.cli.command import Command, Lister, say
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK
from refstack_client.cli.options import server as server_options
from refstack_client.errors import UsageError
from refstack_client.files import read_bytes
from refstack_client.outcomes import cpid, refstack_json
from refstack_client.outcomes.refstack_json import RefstackResults
from refstack_client.upload import refstack_api, rsa_key

SELF_SIGNED = b"signature"
"""What a key signs to be registered: these nine bytes."""


def send(args: Namespace, found: RefstackResults, source: str) -> int:
    """Upload results, having asked; or print what would be sent."""
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
    say(f"{len(found.passes)} passed tests, cpid {found.cpid}, {'signed' if key else 'anonymous'}")
    if not args.yes and not _agreed(args.url):
        say("nothing was sent")
        return EXIT_INTERRUPTED
    url = refstack_api.upload(chosen, body, key, say)
    say("Test results uploaded!")
    print(f"URL: {url}")
    return EXIT_OK


def _agreed(url: str) -> bool:
    """Ask as the old client did; where nobody can be asked nothing is sent."""
    if not sys.stdin.isatty():
        raise UsageError(f"nobody to ask whether to upload to {url}", hint="-y says yes")
    say(f"Test results will be uploaded to {url}. Ok? (yes/y): ")
    return input().strip().lower() in ("yes", "y")


class Upload(Command):
    """Upload results that are in RefStack's own JSON."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("file", type=Path, help="JSON file of results")
        server_options.add_upload(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        found = refstack_json.read(read_bytes(args.file), str(args.file))
        return send(args, found, str(args.file))


class UploadSubunit(Command):
    """Upload what passed in a subunit stream, of version 1 or 2, or in a run."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("file", type=Path, help="subunit file, run directory or bundle")
        parser.add_argument(
            "--keystone-endpoint",
            metavar="URL",
            help="of the cloud the results are of: the cpid is made from its host (default for a "
            "run: the id of its identity service)",
        )
        server_options.add_upload(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        results_of = open_results.read(args.file)
        found = refstack_json.of_outcomes(results_of.outcomes, _cpid(args, results_of))
        return send(args, found, str(args.file))


def _cpid(args: Namespace, found: open_results.Results) -> str:
    if args.keystone_endpoint:
        return cpid_of_endpoint(args.keystone_endpoint)
    if found.plan and found.plan.basis.cloud:
        return cpid.of_facts(found.plan.basis.cloud)
    raise UsageError(
        "the stream does not say which cloud it is of", hint="name it with --keystone-endpoint"
    )


def cpid_of_endpoint(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url} is no address of Keystone", hint="as in https://cloud:5000/v3")
    if cpid.collides(url):
        say(f"warning: other clouds may have the host of {url} too, and so the same cpid")
    return cpid.of_endpoint(url)


class List(Lister):
    """List the results a RefStack server shows."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        server_options.add_server(parser)
        parser.add_argument("--start-date", metavar="'YYYY-MM-DD hh:mm:ss'", default="")
        parser.add_argument("--end-date", metavar="'YYYY-MM-DD hh:mm:ss'", default="")
        parser.add_argument("--cpid", default="")
        parser.add_argument("--limit", metavar="N", type=int, default=100, help="default: 100")
        return parser

    def take_action(self, args: Namespace):
        filters = {
            name: value
            for name in ("start_date", "end_date", "cpid")
            if (value := getattr(args, name))
        }
        rows: list[tuple[str, str, str]] = []
        for each in refstack_api.results(server_options.server(args), filters, say):
            if len(rows) >= args.limit:
                say(f"there are more than {args.limit}: --limit shows them")
                break
            rows.append(
                (each.get("created_at", ""), each.get("url", ""), json.dumps(each.get("meta", {})))
            )
        return ("created_at", "url", "meta"), rows


class Sign(Command):
    """Print a public key and its own signature, which a server asks for to register it."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("key", metavar="KEY", type=Path, help="private RSA key")
        return parser

    def take_action(self, args: Namespace) -> int:
        key = rsa_key.load(args.key)
        print(f"Public key:\n{rsa_key.public_line(key)}\n")
        print(f"Self signature:\n{rsa_key.sign(key, SELF_SIGNED)}")
        return EXIT_OK
