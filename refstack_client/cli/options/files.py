"""Declare options about files that several commands share."""

from argparse import ArgumentParser
from pathlib import Path


def add_bundle(parser: ArgumentParser) -> None:
    """Add the bundle that a command reads."""
    parser.add_argument("bundle", metavar="FILE.zip", type=Path, help="bundle to read")


def add_key(parser: ArgumentParser) -> None:
    """Add the key that a command signs with."""
    parser.add_argument(
        "--key",
        metavar="KEY",
        type=Path,
        help="OpenSSH private key to sign with, or the .pub file of a key in the SSH agent",
    )
