"""Declare the options of commands that use the collector of the login."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Mapping
from datetime import date
from urllib.parse import urlsplit

from cliff.columns import FormattableColumn

from refstack_client.cli import confirmation
from refstack_client.cli.command import Fields, Table, say
from refstack_client.errors import InputError
from refstack_client.printable import printable
from refstack_client.upload import access_token, login
from refstack_client.upload.collector import Collector
from refstack_client.upload.collector_requests import CollectorRequests, Record
from refstack_client.upload.http import Server
from refstack_client.upload.login import Login

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add_insecure(parser: ArgumentParser) -> None:
    """Add the option about TLS that a login does not remember."""
    parser.add_argument("-k", "--insecure", action="store_true", help="accept any TLS certificate")


def add_yes(parser: ArgumentParser) -> None:
    """Add --yes to a command that asks for confirmation."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")


def add_id(parser: ArgumentParser, noun: str) -> None:
    """Add the object that a command works on, such as a ``result``."""
    parser.add_argument(noun, metavar=noun.upper(), help=f"id of the {noun}, or URL of its page")


def connect(args: Namespace) -> Collector:
    """Return the collector of the login; errors as for :func:`.login.read`."""
    return connect_as(login.read(), insecure=args.insecure)


def connect_as(user: Login, *, insecure: bool) -> Collector:
    """Return a collector with the user of a login.

    :raises InputError: the URL or the key cannot be used
    :raises MachineError: the SSH agent cannot be used
    """
    if insecure:
        say("warning: TLS certificates are not checked")
    if urlsplit(user.url).scheme == "http" and urlsplit(user.url).hostname not in _LOOPBACK:
        say(f"warning: {user.url} is not encrypted: others on the network can use the tokens sent")
    authorize = access_token.authorization(user)
    return Collector(Server(user.url, insecure, user.cacert, authorize), say)


def id_of(collector: CollectorRequests, noun: str, text: str) -> str:
    """Return the id of an object that an argument names by its id or the URL of its page.

    :param noun: of the object: ``result``, ``vendor`` or ``product``
    :raises InputError: it is neither, or a page of another server
    """
    pages = f"{collector.server.url}/{noun}s/"
    found = text
    if "://" in text:
        if not text.startswith(pages):
            raise InputError(
                f"{text} is not the page of a {noun} on {collector.server.url}",
                hint=f"give a URL that begins with {pages}, or log in to the other server",
            )
        found = re.split("[?#]", text.removeprefix(pages))[0].rstrip("/")
    if not _ID.fullmatch(found):
        raise InputError(
            f"{text!r} is not the id of a {noun}", hint=f"give an id, or a URL {pages}ID"
        )
    return found


def require_confirmation(question: str) -> None:
    """Return if the user agrees to a change.

    :param question: what would be done, a sentence without its end
    :raises KeyboardInterrupt: the user does not agree, and nothing is changed
    :raises UsageError: there is no terminal to ask on
    """
    if not confirmation.agreed(question, "--yes"):
        say("nothing was changed")
        raise KeyboardInterrupt


def rows(columns: Mapping[str, str], records: Iterable[Record]) -> Table:
    """Return a table of objects of the server.

    :param columns: the names of the columns, and of the fields that they show
    """
    names = tuple(columns.values())
    return tuple(columns), [tuple(_shown(record.get(name)) for name in names) for record in records]


def fields(record: Record) -> Fields:
    """Return the fields of an object of the server."""
    return tuple(record), tuple(map(_shown, record.values()))


def _shown(value: object) -> object:
    return _Object(value) if isinstance(value, dict) else value


class _Object(FormattableColumn[Record]):
    """A field that is an object itself, such as the vendor of a result."""

    def human_readable(self) -> str:
        """Return its fields in one line."""
        return printable(", ".join(f"{name}: {value}" for name, value in self._value.items()))


def day(text: str) -> str:
    """Return a date in ISO format that an option has.

    :raises ArgumentTypeError: it is not one
    """
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ArgumentTypeError(f"expected a date such as 2026-12-31, not {text}") from error
