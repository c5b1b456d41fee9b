"""Declare the options that select a Tempest to compare guidelines with."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from capabilities import file_content, tempest_id
from capabilities.matching import Index
from refstack_client.errors import InputError


def add_tempest(parser: ArgumentParser) -> None:
    """Add --tempest and --tempest-list."""
    against = parser.add_mutually_exclusive_group()
    against.add_argument(
        "--tempest", action="store_true", help="look the tests up in the installed Tempest"
    )
    against.add_argument(
        "--tempest-list",
        metavar="FILE",
        type=Path,
        help="look the tests up in this list, one per line",
    )


def load_index(args: Namespace) -> Index | None:
    """Return the tests of the selected Tempest; None if none is selected."""
    if args.tempest_list:
        return listed(args.tempest_list)
    return installed() if args.tempest else None


def listed(path: Path) -> Index:
    """Return the tests of a list, one per line.

    :raises InputError: it cannot be read
    """
    try:
        lines = file_content.read(path).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}", hint="write one with: stestr list > FILE") from error
    return Index.of(test for line in lines if (test := tempest_id.parse(line)))


def installed() -> Index:
    """Return the tests of the installed Tempest."""
    # Only here: it needs Tempest, and takes seconds.
    from refstack_client.tempest import inventory  # noqa: PLC0415
    from refstack_client.tempest.workspace import workspace  # noqa: PLC0415

    with workspace() as space:
        return inventory.load(space).index
