"""Declare the options about RefStack servers, which several commands share."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.command import say
from refstack_client.upload.http import Server

DEFAULT_URL = "https://refstack.openstack.org/api"


def add_server(parser: ArgumentParser) -> None:
    """Add the options that name a server."""
    parser.add_argument(
        "--url",
        default=os.environ.get("REFSTACK_URL", DEFAULT_URL),
        help="URL of the API of the server (default: $REFSTACK_URL, else %(default)s)",
    )
    parser.add_argument("-k", "--insecure", action="store_true", help="accept any TLS certificate")
    parser.add_argument(
        "--cacert",
        metavar="FILE",
        type=Path,
        help="CA certificates to trust, PEM (default: those of the system)",
    )


def add_upload(parser: ArgumentParser) -> None:
    """Add the options of an upload as the original refstack-client has them."""
    add_server(parser)
    parser.add_argument(
        *("-i", "--sign", "--priv-key"),
        dest="key",
        metavar="KEY",
        type=Path,
        help="RSA private key to sign with, in OpenSSH or PEM format (default: not signed)",
    )
    parser.add_argument(
        "-y", action="store_true", dest="yes", help="upload without asking for confirmation"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the request instead of sending it"
    )
    parser.add_argument(
        *("-s", "--silent"), action="store_true", help="no effect; accepted for old scripts"
    )


def server(args: Namespace) -> Server:
    """Return the server that the options name; warn where its certificate is not checked."""
    if args.insecure:
        say("warning: TLS certificates are not checked")
    return Server(args.url, args.insecure, args.cacert)
