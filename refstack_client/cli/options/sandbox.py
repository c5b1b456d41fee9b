"""Options that say which sandbox is meant."""

import os
from argparse import ArgumentParser
from pathlib import Path

import platformdirs


def add_sandbox(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--root",
        metavar="DIRECTORY",
        type=Path,
        default=Path(
            os.environ.get("REFSTACK_SANDBOX_ROOT")
            or platformdirs.user_data_path("refstack-client") / "sandbox"
        ),
        help="where sandboxes are kept (default: %(default)s)",
    )
    parser.add_argument("--name", help="which sandbox (default: named for its profile)")
