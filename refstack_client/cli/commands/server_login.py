"""``server login`` and ``server logout``: choose the collector that commands use.

They do not need the packages that a server needs.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from urllib.parse import urlsplit

from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import collector as collector_options
from refstack_client.errors import InputError, UsageError
from refstack_client.upload import login
from refstack_client.upload.collector_requests import RefusedError
from refstack_client.upload.login import Login


class LogIn(Command):
    """Remember a collector, and the user and key to use it with.

    The key signs a token of a few minutes for each request. Its path is remembered, not the key.
    Nothing is registered: the server must have the public key of the user.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("url", metavar="URL", help="public URL of the server")
        parser.add_argument(
            "--key",
            metavar="KEY",
            type=Path,
            required=True,
            help="Ed25519, ECDSA or RSA private key in OpenSSH or PEM format, or the .pub file of "
            "a key in the SSH agent; an encrypted key asks for its passphrase at every command",
        )
        parser.add_argument(
            "--user",
            metavar="OPENID",
            help="name of the user on the server (default: that of the last login to it)",
        )
        parser.add_argument(
            "--cacert",
            metavar="FILE",
            type=Path,
            help="CA certificates to trust, PEM (default: those of the system)",
        )
        collector_options.add_insecure(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Check that the server accepts the key, then remember the login."""
        url = _url(args.url)
        cacert = args.cacert.absolute() if args.cacert else None
        chosen = Login(url, args.user or _last_user(url), args.key.absolute(), cacert)
        collector = collector_options.connect_as(chosen, insecure=args.insecure)
        try:
            # Requests of v2 are refused to keys that can only be used with RefStack v1.
            collector.invitations()
            profile = collector.profile()
        except RefusedError as error:
            raise InputError(str(error), hint=_hint(error, chosen)) from error
        path = login.save(chosen)
        role = ", for the Foundation" if profile.get("is_admin") else ""
        say(f"logged in to {url} as {profile.get('openid', chosen.user)}{role}")
        say(f"written: {path}")
        return EXIT_OK


class LogOut(Command):
    """Forget the collector, the user and the path of the key."""

    def take_action(self, args: Namespace) -> int:
        """Remove the file."""
        say("logged out" if login.remove() else "not logged in")
        return EXIT_OK


def _url(text: str) -> str:
    """Return the URL of a server as the server names itself.

    :raises UsageError: it is not one
    """
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            "URL is not that of a server", hint="give one such as https://refstack.example.org"
        )
    return text.rstrip("/")


def _last_user(url: str) -> str:
    last = login.find()
    if last is None or last.url != url:
        raise UsageError(
            f"the user of {url} is not known",
            hint="name the user with --user OPENID; a page of the server, /mine, shows the name",
        )
    return last.user


def _hint(error: RefusedError, chosen: Login) -> str:
    message = str(error)
    if "Audience" in message:
        return "give the public URL of the server, as its pages have it"
    if "expired" in message or "yet valid" in message:
        return "set the clock of this machine"
    if " Token " in message:
        return f"register the public key of {chosen.key} for {chosen.user}, or correct --user"
    return "check that the URL is that of a collector"
