"""The ``server`` commands: run the collector, upgrade its database, add users, export pages.

The server's libraries are an extra: each command imports them when it runs, so that the base class
can report what is not installed.
"""
# ruff: noqa: PLC0415

import logging
import os
import socket
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.errors import InputError, MachineError, UsageError
from refstack_server.settings import MIB, Provider, Settings
from refstack_server.store.errors import RefusedError

_HOST, _PORT = "127.0.0.1", 8000


class _Server(Command):
    """A command on the data of a server."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Return the parser of the command's arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIRECTORY",
            help="data directory of the server, with uploads, secrets and SQLite database",
        )
        parser.add_argument(
            "--database",
            default="",
            metavar="URL",
            help="URL of a PostgreSQL database, postgresql://user@host/name "
            "(default: SQLite in the data directory)",
        )
        parser.add_argument(
            "--database-password",
            type=Path,
            metavar="FILE",
            help="file with the password of the database's user",
        )
        return parser


def _settings(args: Namespace) -> Settings:
    """Return the settings that all commands share."""
    from refstack_server.store import database

    password = _read(args.database_password).strip() if args.database_password else ""
    url = database.with_password(args.database, password) if args.database else ""
    return Settings(data=args.data, public_url="", database=url)


def _create_data(args: Namespace) -> None:
    """Create the data directory if it is missing.

    No file of this process is readable by others, whatever the mode of the directory.

    :raises MachineError: it cannot be created
    """
    os.umask(0o077)
    try:
        args.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot create {args.data}: {error.strerror}",
            hint="name another directory with --data",
        ) from error


class Serve(_Server):
    """Run the collector: receive, verify and publish results."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Return the parser of the command's arguments."""
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
            _settings(args),
            public_url=args.public_url or url,
            anonymous_upload=not args.no_anonymous,
            provider=_provider(args),
            requests_per_minute=args.requests_per_minute,
            uploads_per_minute=args.uploads_per_minute,
            reserve_bytes=args.disk_reserve * MIB,
        )
        _create_data(args)
        engine = database.open_or_create(settings.database_url)
        listening = _listen(args.host, args.port)
        say(f"listening on {url}; stop with Ctrl-C")
        observability.set_up_logging()
        connections.serve(app.create(settings, engine), settings, listening)
        return EXIT_OK


def _url(text: str) -> str:
    """Return the URL of a server without a slash at the end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ArgumentTypeError(f"{text} is not a valid URL such as https://refstack.example.org")
    return text.rstrip("/")


def _origin(text: str) -> str:
    """Return the URL of a server without a path: links in pages begin at the root of the host."""
    url = _url(text)
    if urlsplit(url).path:
        raise ArgumentTypeError(f"{text} has a path: the server must be at the root of its host")
    return url


def _provider(args: Namespace) -> Provider | None:
    options = (args.oidc_issuer, args.oidc_client, args.oidc_secret)
    if not any(options):
        return None
    if not all(options):
        raise UsageError("--oidc-issuer, --oidc-client and --oidc-secret must be used together")
    return Provider(args.oidc_issuer, args.oidc_client, _read(args.oidc_secret).strip())


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


class Upgrade(_Server):
    """Upgrade the database to the schema of this release; all data is kept."""

    def take_action(self, args: Namespace) -> int:
        """Upgrade the database."""
        from refstack_server.store import database

        settings = _settings(args)
        _create_data(args)
        database.upgrade(database.connect(settings.database_url))
        say("the database has the schema of this release")
        return EXIT_OK


class AddUser(_Server):
    """Add a user, register a key for a user, or let a user act for the Foundation."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Return the parser of the command's arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "openid", help="the identity provider's name for the user, or any unique name"
        )
        parser.add_argument("--email", default="", help="email address of the user")
        parser.add_argument("--fullname", default="", help="full name of the user")
        parser.add_argument(
            "--key", type=Path, metavar="FILE", help="public key of the user in OpenSSH's format"
        )
        parser.add_argument(
            "--foundation", action="store_true", help="let the user act for the Foundation"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Add or update the user."""
        from refstack_server.store import database
        from refstack_server.store import users as stored_users

        settings = _settings(args)
        _create_data(args)
        engine = database.open_or_create(settings.database_url)
        key = _read(args.key) if args.key else ""
        new = stored_users.NewUser(args.openid, args.email, args.fullname, key)
        try:
            stored_users.add(engine, new)
        except RefusedError as error:
            raise InputError(
                ": ".join(filter(None, (error.message, error.detail))),
                hint="name a .pub file that no other user registered",
            ) from error
        if args.foundation:
            stored_users.add_to_foundation(engine, args.openid)
        return EXIT_OK


class Export(_Server):
    """Export the public pages as files that need no server."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Return the parser of the command's arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "target",
            type=Path,
            metavar="DIR",
            help="directory for the files; it must not exist, or be an older export",
        )
        parser.add_argument(
            "--public-url",
            type=_url,
            metavar="URL",
            help="URL at which the files will be published",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the files."""
        from refstack_server import app
        from refstack_server.publish import static_site
        from refstack_server.store import database

        if not args.data.is_dir():
            raise InputError(
                f"{args.data} is not a directory",
                hint="name the data directory of a server with --data",
            )
        settings = replace(_settings(args), public_url=args.public_url or "", requests_per_minute=0)
        engine = database.open_existing(settings.database_url)
        logging.disable(logging.INFO)  # Otherwise there is a line for each page.
        static_site.write(app.create(settings, engine), args.target, say)
        return EXIT_OK


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error
