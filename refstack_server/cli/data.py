"""What the ``server`` commands share: options that name the data of a server, and files.

The server's libraries are an extra: each command imports them when it runs, so that the base class
can report what is not installed.
"""
# ruff: noqa: PLC0415

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from refstack_client.cli.command import Command, Lister
from refstack_client.errors import InputError, MachineError
from refstack_server.settings import DATABASE, NAME, Settings
from refstack_server.store.errors import RefusedError

T = TypeVar("T")
_LONGEST_NAME = 60


class ServerCommand(Command):
    """A command on the data of a server."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        _add_data(parser)
        return parser


class ServerLister(Lister):
    """A command that lists data of a server."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        _add_data(parser)
        return parser


def _add_data(parser: ArgumentParser) -> None:
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


def add_name(parser: ArgumentParser) -> None:
    """Add the option that names the registry on its pages."""
    parser.add_argument(
        "--name",
        type=_name,
        default=NAME,
        help=f"name of the registry on its pages (default: {NAME})",
    )


def _name(text: str) -> str:
    name = text.strip()
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()):
        raise ArgumentTypeError(f"the name must have 1 to {_LONGEST_NAME} printable characters")
    return name


def settings(args: Namespace) -> Settings:
    """Return the settings that all commands share."""
    from refstack_server.store import database

    password = read_text(args.database_password).strip() if args.database_password else ""
    url = database.with_password(args.database, password) if args.database else ""
    return Settings(data=args.data, public_url="", database=url)


def restrict() -> None:
    """Let no file of this process be readable by others, whatever the mode of the directory."""
    os.umask(0o077)


def create(args: Namespace) -> None:
    """Create the data directory if it is missing.

    :raises MachineError: it cannot be created
    """
    restrict()
    try:
        args.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot create {args.data}: {error.strerror}",
            hint="name another directory with --data",
        ) from error


def url(text: str) -> str:
    """Return the URL of a server without a slash at the end.

    :raises ArgumentTypeError: it is not valid
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ArgumentTypeError(f"{text} is not a valid URL such as https://refstack.example.org")
    return text.rstrip("/")


def read_text(path: Path) -> str:
    """Return the text of a file that the operator named.

    :raises InputError: it cannot be read, or is not UTF-8
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error


def require(args: Namespace) -> None:
    """Check that there is a data directory: to open a SQLite database would create one.

    :raises InputError: there is none, or no database is in it
    """
    restrict()
    if not args.data.is_dir():
        problem = f"{args.data} is not a directory"
    elif not args.database and not (args.data / DATABASE).is_file():
        problem = f"{args.data} does not belong to a server: it has no {DATABASE}"
    else:
        return
    raise InputError(
        problem, hint="name the data directory of a server with --data; PostgreSQL with --database"
    )


def accepted(change: Callable[[], T], hints: Mapping[type[RefusedError], str]) -> T:
    """Return what a change of the stored data returns.

    :param hints: what to do if it is refused, by the reason
    :raises InputError: it is refused
    """
    try:
        return change()
    except RefusedError as error:
        reason = ": ".join(filter(None, (error.message, error.detail)))
        raise InputError(reason, hint=hints.get(type(error), "")) from error
