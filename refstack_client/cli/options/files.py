"""Declare options about files that several commands share."""

from argparse import ArgumentParser
from pathlib import Path


def add_bundle(parser: ArgumentParser) -> None:
    """Add the bundle that a command reads."""
    parser.add_argument("bundle", metavar="FILE.zip", type=Path, help="bundle to read")


def add_key(parser: ArgumentParser, *, required: bool = False) -> None:
    """Add the key that a command signs with."""
    parser.add_argument(
        "--key",
        metavar="KEY",
        type=Path,
        required=required,
        help="OpenSSH private key to sign with, or the .pub file of a key in the SSH agent",
    )
