"""``server``: run the collector."""
# ruff: noqa: PLC0415

import socket
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from refstack_client.cli.command import say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.errors import InputError, MachineError, UsageError
from refstack_client.upload.checkpoint import VerifierKey, verifier_key
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand
from refstack_server.settings import MIB, Provider, Settings

_HOST, _PORT = "127.0.0.1", 8000


class Serve(ServerCommand):
    """Run the collector: receive, verify and publish results."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--host", default=_HOST, help=f"IP address or host name to bind to (default: {_HOST})"
        )
        parser.add_argument(
            "--port", type=int, default=_PORT, help=f"TCP port to bind to (default: {_PORT})"
        )
        parser.add_argument(
            "--public-url",
            type=_origin,
            metavar="URL",
            help="URL of the server for its users, without a path (default: http://HOST:PORT)",
        )
        data.add_name(parser)
        for name, default in (
            ("requests", Settings.requests_per_minute),
            ("uploads", Settings.uploads_per_minute),
        ):
            parser.add_argument(
                f"--{name}-per-minute",
                type=int,
                default=default,
                metavar="NUMBER",
                help=f"limit of {name} per minute for each client IP address and each key, "
                f"0 for no limit (default: {default})",
            )
        default = Settings.reserve_bytes // MIB
        parser.add_argument(
            "--disk-reserve",
            type=int,
            default=default,
            metavar="MIB",
            help="free disk space, in MiB, that uploads leave; below it they are refused "
            f"(default: {default})",
        )
        parser.add_argument(
            "--oidc-issuer",
            metavar="URL",
            help="issuer URL of the identity provider (OpenID Connect) for sign-in",
        )
        parser.add_argument(
            "--oidc-client", metavar="ID", help="OIDC client ID of this server at the provider"
        )
        parser.add_argument(
            "--oidc-secret",
            type=Path,
            metavar="FILE",
            help="file with the OIDC client secret of this server",
        )
        parser.add_argument(
            "--witness",
            action="append",
            default=[],
            type=_witness,
            metavar="KEY",
            help="verifier key of a witness, whose signatures on checkpoints of the audit log are "
            "kept; can be repeated",
        )
        parser.add_argument(
            "--no-anonymous", action="store_true", help="refuse uploads that are not signed"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Serve until the process is interrupted or terminated."""
        from refstack_server import app
        from refstack_server.store import database
        from refstack_server.web import connections, observability

        url = f"http://{args.host}:{args.port}"
        settings = replace(
            data.settings(args),
            public_url=args.public_url or url,
            name=args.name,
            anonymous_upload=not args.no_anonymous,
            witnesses=tuple(args.witness),
            provider=_provider(args),
            requests_per_minute=args.requests_per_minute,
            uploads_per_minute=args.uploads_per_minute,
            reserve_bytes=args.disk_reserve * MIB,
        )
        data.create(args)
        engine = database.open_or_create(settings.database_url)
        listening = _listen(args.host, args.port)
        say(f"listening on {url}; stop with Ctrl-C")
        observability.set_up_logging()
        connections.serve(app.create(settings, engine), settings, listening)
        return EXIT_OK


def _origin(text: str) -> str:
    """Return the URL of a server without a path: links in pages begin at the root of the host."""
    url = data.url(text)
    if urlsplit(url).path:
        raise ArgumentTypeError(f"{text} has a path: the server must be at the root of its host")
    return url


def _provider(args: Namespace) -> Provider | None:
    options = (args.oidc_issuer, args.oidc_client, args.oidc_secret)
    if not any(options):
        return None
    if not all(options):
        raise UsageError("--oidc-issuer, --oidc-client and --oidc-secret must be used together")
    return Provider(args.oidc_issuer, args.oidc_client, data.read_text(args.oidc_secret).strip())


def _listen(host: str, port: int) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
        family, kind, protocol, _, address = addresses[0]
        # asyncio disables Nagle's algorithm only for sockets whose protocol is TCP: otherwise each
        # answer waits 40 ms for the client to acknowledge its first part.
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
        return listening
    except OSError as error:
        raise MachineError(
            f"cannot bind to {host}:{port}: {error.strerror}",
            hint="choose another host or port with --host and --port",
        ) from error


def _witness(text: str) -> VerifierKey:
    try:
        return verifier_key(text)
    except InputError as error:
        raise ArgumentTypeError(str(error)) from error
