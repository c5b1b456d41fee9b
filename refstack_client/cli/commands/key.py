"""``key``: public keys of the user on the collector of the login."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.bundle import ssh_public_key, ssh_signature
from refstack_client.bundle.ssh_public_key import PublicKey
from refstack_client.cli.collector_command import OnCollector
from refstack_client.cli.command import Command, Fields, Lister, ShowOne, Table, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import collector as collector_options
from refstack_client.cli.options.collector import fields, id_of, rows
from refstack_client.upload.collector_requests import Record

_NAMESPACE = "key@refstack-server"
_COLUMNS = {"id": "id", "type": "format", "fingerprint": "fingerprint", "comment": "comment"}


class List(OnCollector, Lister):
    """List the public keys of the user on the collector."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        return rows(_COLUMNS, map(_with_fingerprint, collector_options.connect(args).keys()))


def _with_fingerprint(key: Record) -> Record:
    try:
        fingerprint = PublicKey("", str(key.get("pubkey")), "").fingerprint
    except ValueError:  # the server sends another text
        fingerprint = ""
    return {**key, "fingerprint": fingerprint}


class Add(OnCollector, ShowOne):
    """Register a public key for the user, for bundles that it signs and for logins."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "key",
            metavar="KEY",
            type=Path,
            help="OpenSSH private key, beside which its .pub file is, or the .pub file of a key "
            "in the SSH agent",
        )

    def take_action(self, args: Namespace) -> Fields:
        """Sign the server's challenge with the key; return id and fingerprint."""
        public = args.key if args.key.suffix == ".pub" else Path(f"{args.key}.pub")
        line = ssh_public_key.read(public)
        collector = collector_options.connect(args)
        challenge = collector.key_challenge()
        signature = ssh_signature.sign(challenge.encode(), args.key, _NAMESPACE).decode()
        return fields(
            collector.add_key(f"{line.line} {line.comment}".strip(), challenge, signature)
        )


class Remove(OnCollector, Command):
    """Remove a public key of the user; results that it signed stay."""

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY-ID", help="id of the key, as key list shows it")

    def take_action(self, args: Namespace) -> int:
        """Remove the key."""
        collector = collector_options.connect(args)
        collector.remove_key(id_of(collector, "key", args.key))
        say(f"removed: {args.key}")
        return EXIT_OK
