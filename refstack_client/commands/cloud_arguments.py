"""Options about clouds and sandboxes, which several commands share."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from capabilities import catalogue
from refstack_client import certify, shard, tempest_conf
from refstack_client.commands.arguments import PLATFORM, load_programme
from refstack_client.errors import UsageError

MOST_WORKERS = 4


def add_cloud(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--os-cloud",
        metavar="NAME",
        help="a cloud of clouds.yaml (default: OS_CLOUD, else the OS_* variables)",
    )
    parser.add_argument(
        "--accounts",
        metavar="FILE",
        type=Path,
        help="tenant users to test as, for use without admin rights",
    )
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=int,
        default=min(MOST_WORKERS, os.cpu_count() or 1),
        help="tests at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        metavar="SECTION.OPTION=VALUE",
        dest="settings",
        action="append",
        default=[],
        help="a value of tempest.conf, before any that is discovered (may be repeated)",
    )


def add_shard(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the tests of one of N parts; refstack-client merge joins the runs",
    )


def add_output(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        metavar="DIRECTORY",
        type=Path,
        default=Path(os.environ.get("REFSTACK_OUTPUT", "runs")),
        help="where the directory of the run is made (default: %(default)s)",
    )


def request(
    args: Namespace, os_cloud: str | None, output: Path, default: str = PLATFORM
) -> certify.Request:
    """Return what was asked for, saying what is odd about the guideline.

    :param default: the programme where none is named
    :raises UsageError: an option has an impossible value
    """
    if args.concurrency < 1:
        raise UsageError("--concurrency must be at least 1")
    name = args.guideline or catalogue.default()
    return certify.Request(
        programme=load_programme(name, args.programme, default),
        guideline_name=name,
        os_cloud=os_cloud,
        accounts_file=args.accounts,
        concurrency=args.concurrency,
        settings=tempest_conf.parse_settings(args.settings),
        output=output,
        shard=shard.parse(text) if (text := vars(args).get("shard")) else None,
    )
