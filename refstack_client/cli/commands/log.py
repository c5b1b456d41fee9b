"""``log verify``: check that the public log of a collector was not rewritten."""

import functools
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from refstack_client import files
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import server as server_options
from refstack_client.errors import InputError, MachineError, UsageError
from refstack_client.upload import checkpoint, log_check, public_log
from refstack_client.upload.checkpoint import Checkpoint, VerifierKey


class Verify(Command):
    """Check that a public log only grew since the checkpoint that was kept, and keep the newest.

    The first time there is nothing to compare with: the newest checkpoint is kept.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "export",
            nargs="?",
            type=Path,
            metavar="DIR",
            help="directory that server export wrote, whose entries are all checked "
            "(default: the server)",
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            metavar="FILE",
            help="file with the checkpoint that was kept; the newest one is written to it",
        )
        parser.add_argument(
            "--key",
            type=_key,
            metavar="KEY",
            help="verifier key of the log (default: the one that the server states)",
        )
        parser.add_argument(
            "--witness",
            type=_key,
            action="append",
            default=[],
            metavar="KEY",
            help="verifier key of a witness that must have signed the checkpoint; can be repeated",
        )
        server_options.add_collector(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Check the log."""
        kept = _kept(args.checkpoint) if args.checkpoint else None
        newest = _of_export(args, kept) if args.export else _of_server(args, kept)
        say(f"log {newest.origin}, size {newest.size}, signed by {_signers(newest)}")
        if kept:
            say(f"it begins with the log of the kept checkpoint, size {kept.size}")
        if args.checkpoint:
            _keep(args.checkpoint, newest)
        else:
            say("name a file with --checkpoint to detect a log that is rewritten later")
        return EXIT_OK


def _key(text: str) -> VerifierKey:
    try:
        return checkpoint.verifier_key(text)
    except InputError as error:
        raise ArgumentTypeError(str(error)) from error


def _kept(path: Path) -> Checkpoint | None:
    if not path.exists():
        return None
    try:
        return checkpoint.parse(files.read_bytes(path).decode())
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is not a checkpoint", hint="name a file that log verify wrote"
        ) from error


def _of_server(args: Namespace, kept: Checkpoint | None) -> Checkpoint:
    """Return the newest checkpoint of a server, after all checks."""
    server = server_options.server(args)
    key = args.key or public_log.key(server, say)
    if args.key is None and kept is None:
        say(f"the key of the log is the one that the server states: {key}")
    newest = public_log.newest(server, len(args.witness), say)
    _check(newest, kept, key, args.witness)
    if kept:
        prove = functools.partial(public_log.consistency_proof, server, notify=say)
        log_check.check_growth(kept, newest, prove)
    return newest


def _of_export(args: Namespace, kept: Checkpoint | None) -> Checkpoint:
    """Return the checkpoint of an export, after all checks and that of every entry."""
    if args.key is None:
        raise UsageError("an export proves nothing without --key", hint="ask the server for it")
    newest, texts = public_log.exported(args.export)
    _check(newest, kept, args.key, args.witness)
    tree = log_check.check_entries(newest, texts)
    if kept:
        log_check.check_growth(kept, newest, tree.consistency_proof)
    return newest


def _check(
    newest: Checkpoint, kept: Checkpoint | None, key: VerifierKey, witnesses: list[VerifierKey]
) -> None:
    log_check.check_signatures(newest, [key, *witnesses], "the newest checkpoint")
    if kept:
        log_check.check_signatures(kept, [key], "the kept checkpoint")


def _signers(newest: Checkpoint) -> str:
    return ", ".join(dict.fromkeys(name for name, _ in newest.signatures))


def _keep(path: Path, newest: Checkpoint) -> None:
    try:
        files.write_text(path, str(newest))
    except OSError as error:
        raise MachineError(
            f"cannot write {path}: {error.strerror}", hint="name another file with --checkpoint"
        ) from error
    say(f"written: {path}")
