"""Declare the options about RefStack servers, which several commands share."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from refstack_client.cli.command import say
from refstack_client.upload import login
from refstack_client.upload.http import Server

_NO_EFFECT = "no effect; accepted for old scripts"
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
    _add_key(parser, "RSA private key to sign with, in OpenSSH or PEM format (default: not signed)")
    _add_yes(parser, "upload without asking for confirmation")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the request instead of sending it"
    )
    add_silent(parser)


def add_silent(parser: ArgumentParser) -> None:
    """Add -s, with which a command of RefStack v1 shows less on stderr."""
    parser.add_argument(
        *("-s", "--silent"), action="store_true", help="show warnings and errors only"
    )


def add_unused(parser: ArgumentParser, *, network: bool = False) -> None:
    """Add the options that every command of the original has, where they have no effect.

    :param network: add -i too, which its commands with a server have
    """
    _add_yes(parser, _NO_EFFECT)
    parser.add_argument(*("-s", "--silent"), action="store_true", help=_NO_EFFECT)
    if network:
        _add_key(parser, _NO_EFFECT)


def add_unused_server(parser: ArgumentParser) -> None:
    """Add the options about a server that every command of the original with a network has."""
    parser.add_argument("--url", metavar="URL", help=_NO_EFFECT)
    _add_key(parser, _NO_EFFECT)


def _add_key(parser: ArgumentParser, text: str) -> None:
    parser.add_argument(
        *("-i", "--sign", "--priv-key"), dest="key", metavar="KEY", type=Path, help=text
    )


def _add_yes(parser: ArgumentParser, text: str) -> None:
    parser.add_argument("-y", action="store_true", dest="yes", help=text)


def information(args: Namespace) -> Callable[[str], None]:
    """Return what shows information for people: nothing with -s."""
    return (lambda line: None) if args.silent else say


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
