"""Declare the options about RefStack servers, which several commands share."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.command import say
from refstack_client.upload import login
from refstack_client.upload.http import Server

DEFAULT_URL = "https://refstack.openstack.org/api"


def add_server(parser: ArgumentParser) -> None:
    """Add the options that name a server."""
    parser.add_argument(
        "--url",
        default=os.environ.get("REFSTACK_URL", DEFAULT_URL),
        help="URL of the API of the server (default: $REFSTACK_URL, else %(default)s)",
    )
    _add_tls(parser)


def add_collector(parser: ArgumentParser) -> None:
    """Add the options that name a collector, by default that of the login."""
    parser.add_argument(
        "--url",
        default=os.environ.get("REFSTACK_URL"),
        help="URL of the server (default: $REFSTACK_URL, else that of server login, else "
        f"{DEFAULT_URL})",
    )
    _add_tls(parser)


def _add_tls(parser: ArgumentParser) -> None:
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
    """Return the server that the options name; warn where its certificate is not checked.

    :raises InputError: the server of the login is needed, and its file has another form
    """
    if args.insecure:
        say("warning: TLS certificates are not checked")
    if args.url is not None:
        return Server(args.url, args.insecure, args.cacert)
    user = login.find()
    if user is None:
        return Server(DEFAULT_URL, args.insecure, args.cacert)
    return Server(user.url, args.insecure, args.cacert or user.cacert)
