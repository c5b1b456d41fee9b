"""``server``: run the collector, bring its database up to date, make its first users.

What a server needs is an extra: it is imported by what a command does, which says what is missing.
"""
# ruff: noqa: PLC0415

import contextlib
import logging
import socket
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.errors import InputError, MachineError, UsageError
from refstack_server.settings import Provider, Settings

_HOST, _PORT = "127.0.0.1", 8000
_SECONDS_TO_END = 10


class _Server(Command):
    """What has to do with a server's data; ``begins`` where there may be none yet."""

    begins = True

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIRECTORY",
            help="where the server keeps what it has; made by the first start",
        )
        parser.add_argument(
            "--database",
            default="",
            metavar="URL",
            help="another database than SQLite in that directory: postgresql://user@host/name",
        )
        parser.add_argument(
            "--database-password", type=Path, metavar="FILE", help="holds that user's password"
        )
        return parser

    def settings(self, args: Namespace) -> Settings:
        """Return the settings; the directory is there then.

        :raises InputError: it is not, and nothing begins here
        :raises MachineError: it cannot be made
        """
        from refstack_server.store import database

        if not self.begins and not args.data.is_dir():
            raise InputError(f"{args.data} is no directory", hint="name a server's with --data")
        try:
            args.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise MachineError(
                f"{args.data} cannot be made: {error.strerror}", hint="name another with --data"
            ) from error
        password = _read(args.database_password).strip() if args.database_password else ""
        url = database.with_password(args.database, password) if args.database else ""
        return Settings(data=args.data, public_url="", database=url)


class Serve(_Server):
    """Receive results, verify and publish them."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--host", default=_HOST, help=f"address to listen at (default: {_HOST})"
        )
        parser.add_argument("--port", type=int, default=_PORT, help=f"(default: {_PORT})")
        parser.add_argument(
            "--public-url",
            type=_origin,
            metavar="URL",
            help="where its pages are for those who read them",
        )
        for what, default in (
            ("requests", Settings.requests_per_minute),
            ("uploads", Settings.uploads_per_minute),
        ):
            parser.add_argument(
                f"--{what}-per-minute",
                type=int,
                default=default,
                metavar="NUMBER",
                help=f"of one address, and of one key; 0 for no limit (default: {default})",
            )
        parser.add_argument(
            "--oidc-issuer",
            metavar="URL",
            help="with whose identities people sign in (OpenID)",
        )
        parser.add_argument("--oidc-client", metavar="ID", help="what this server is called there")
        parser.add_argument(
            "--oidc-secret",
            type=Path,
            metavar="FILE",
            help="holds this server's secret there",
        )
        parser.add_argument("--no-anonymous", action="store_true", help="take signed uploads alone")
        return parser

    def take_action(self, args: Namespace) -> int:
        import uvicorn

        from refstack_server import app
        from refstack_server.store import database
        from refstack_server.web import observability

        here = f"http://{args.host}:{args.port}"
        settings = replace(
            self.settings(args),
            public_url=args.public_url or here,
            anonymous_upload=not args.no_anonymous,
            provider=_provider(args),
            requests_per_minute=args.requests_per_minute,
            uploads_per_minute=args.uploads_per_minute,
        )
        engine = database.opened(settings.database_url, begins=self.begins)
        listening = _listen(args.host, args.port)
        say(f"listening at {here}; Ctrl-C ends it")
        observability.set_up_logging()
        config = uvicorn.Config(
            app.create(settings, engine),
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        # It ends in order on SIGINT and SIGTERM, and then raises them again.
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
        return EXIT_OK


def _address(text: str) -> str:
    """Return the address of a server, without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ArgumentTypeError(f"{text} is no address like https://refstack.example.org")
    return text.rstrip("/")


def _origin(text: str) -> str:
    """As :func:`_address`, of a whole host: links in pages begin at its root."""
    address = _address(text)
    if urlsplit(address).path:
        raise ArgumentTypeError(f"{text} has a path: pages are at the root of a host")
    return address


def _provider(args: Namespace) -> Provider | None:
    given = (args.oidc_issuer, args.oidc_client, args.oidc_secret)
    if not any(given):
        return None
    if not all(given):
        raise UsageError("--oidc-issuer, --oidc-client and --oidc-secret belong together")
    return Provider(args.oidc_issuer, args.oidc_client, _read(args.oidc_secret).strip())


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        # asyncio turns Nagle's algorithm off only where a socket says that it is one of TCP:
        # otherwise each answer waits 40 ms for the client to acknowledge its first half.
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
        return listening
    except OSError as error:
        raise MachineError(
            f"nobody can listen at {host}:{port}: {error.strerror}",
            hint="name another address with --host and --port",
        ) from error


class Upgrade(_Server):
    """Bring the database to the schema of this release; what is stored stays."""

    def take_action(self, args: Namespace) -> int:
        from refstack_server.store import database

        database.upgrade(database.connect(self.settings(args).database_url))
        say("the database is that of this release")
        return EXIT_OK


class AddUser(_Server):
    """Add a user, or give one a key, or the foundation's rights: the first of all is made so."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("openid", help="what their provider calls them, or any name of yours")
        parser.add_argument("--email", default="")
        parser.add_argument("--fullname", default="")
        parser.add_argument(
            "--key", type=Path, metavar="FILE", help="their public key, as OpenSSH writes it"
        )
        parser.add_argument("--foundation", action="store_true", help="they act for the foundation")
        return parser

    def take_action(self, args: Namespace) -> int:
        from refstack_server.store import database
        from refstack_server.store import users as stored_users

        engine = database.opened(self.settings(args).database_url, begins=self.begins)
        key = _read(args.key) if args.key else ""
        new = stored_users.NewUser(args.openid, args.email, args.fullname, key)
        stored_users.add(engine, new)
        if args.foundation:
            stored_users.add_to_foundation(engine, args.openid)
        return EXIT_OK


class Export(_Server):
    """Write the public part as files: pages that need no server."""

    begins = False

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("target", type=Path, metavar="DIR", help="where to; made by this")
        parser.add_argument(
            "--public-url",
            type=_address,
            metavar="URL",
            help="where the files will be to be read",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        from refstack_server import app
        from refstack_server.publish import static_site
        from refstack_server.store import database

        settings = replace(
            self.settings(args),
            public_url=args.public_url or "",
            requests_per_minute=0,
        )
        engine = database.opened(settings.database_url, begins=self.begins)
        logging.disable(logging.INFO)  # of each page
        static_site.write(app.create(settings, engine), args.target, say)
        return EXIT_OK


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8") from error
