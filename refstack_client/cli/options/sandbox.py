"""Declare the options that select a sandbox."""

import os
from argparse import ArgumentParser
from pathlib import Path

import platformdirs

from refstack_client.sandbox.profiles import PROFILES
from refstack_client.sandbox.state import DEFAULT_PROFILE


def add_sandbox(parser: ArgumentParser) -> None:
    """Add --root and --name."""
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
    parser.add_argument("--name", help="name of the sandbox (default: the name of its profile)")


def add_profile(parser: ArgumentParser) -> None:
    """Add --profile."""
    parser.add_argument(
        "--profile",
        metavar="PROFILE",
        help=f"set of services: {', '.join(PROFILES)} (default: that of an existing sandbox, else "
        f"{DEFAULT_PROFILE})",
    )
