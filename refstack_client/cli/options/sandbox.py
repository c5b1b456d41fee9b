"""Declare the options that select a sandbox."""

import os
from argparse import ArgumentParser
from pathlib import Path

import platformdirs

from refstack_client.sandbox.profiles import PROFILES
from refstack_client.sandbox.state import DEFAULT_PROFILE


def add_sandbox(parser: ArgumentParser, default: str = "the name of its profile") -> None:
    """Add --root and --name.

    :param default: what help states as the default of --name
    """
    parser.add_argument(
        "--root",
        metavar="DIRECTORY",
        type=Path,
        default=Path(
            os.environ.get("REFSTACK_SANDBOX_ROOT")
            or platformdirs.user_data_path("refstack-client") / "sandbox"
        ),
        help="directory of the sandboxes (default: $REFSTACK_SANDBOX_ROOT, else %(default)s)",
    )
    parser.add_argument("--name", help=f"name of the sandbox (default: {default})")


def add_profile(
    parser: ArgumentParser, default: str = f"that of an existing sandbox, else {DEFAULT_PROFILE}"
) -> None:
    """Add --profile.

    :param default: what help states as its default
    """
    parser.add_argument(
        "--profile",
        metavar="PROFILE",
        help=f"set of services: {', '.join(PROFILES)} (default: {default})",
    )
