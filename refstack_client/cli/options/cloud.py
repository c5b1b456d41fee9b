"""Options about clouds and sandboxes, which several commands share."""

import os
from argparse import ArgumentParser, Namespace, _MutuallyExclusiveGroup
from pathlib import Path

from capabilities import catalogue
from refstack_client.cli.options.guideline import PLATFORM, load_programme
from refstack_client.errors import UsageError
from refstack_client.outcomes.run_directory import RETRY_BUDGET
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import parse_shard
from refstack_client.planning.workers import Workers
from refstack_client.tempest.settings import parse_settings

FULL, QUICK = "full", "quick"


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
        help="tests at a time (default: as many as suit this machine and the way to the cloud)",
    )
    parser.add_argument(
        "--set",
        metavar="SECTION.OPTION=VALUE",
        dest="settings",
        action="append",
        default=[],
        help="a value of tempest.conf, before any that is discovered (may be repeated)",
    )


def add_provision(parser: ArgumentParser) -> None:
    """Add the option that lets a command create tenants to know all values of tempest.conf."""
    parser.add_argument(
        "--provision",
        action="store_true",
        help="create throwaway tenants in the cloud to know every value, and remove them "
        "(default: create nothing and mark values that depend on tenants as unknown)",
    )


def add_part(parser: ArgumentParser) -> None:
    """Add the options that leave tests out."""
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--mode",
        choices=(FULL, QUICK),
        default=FULL,
        help="quick: one test for each required capability, which certifies nothing",
    )
    part.add_argument(
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


def add_again(parser: ArgumentParser) -> _MutuallyExclusiveGroup:
    """Add the options about going on with a run; what is added to the group excludes that."""
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", metavar="RUN", type=Path, help="go on with a run: what has no outcome"
    )
    parser.add_argument(
        "--rerun-failed",
        action="store_true",
        help="with --resume: run again what failed, and nothing else",
    )
    parser.add_argument(
        "--retry-budget",
        metavar="N",
        type=int,
        default=RETRY_BUDGET,
        help="how many times --rerun-failed may run again what failed (default: %(default)s)",
    )
    return again


def check_again(args: Namespace) -> None:
    """Check that those options fit together.

    :raises UsageError: they do not
    """
    if args.rerun_failed and not args.resume:
        raise UsageError("--rerun-failed needs --resume RUN", hint="name the run that failed")


def request(
    args: Namespace, os_cloud: str | None, output: Path, default: str = PLATFORM
) -> CertificationRequest:
    """Return what was asked for, saying what is odd about the guideline.

    :param default: the programme where none is named
    :raises UsageError: an option has an impossible value
    """
    if args.concurrency is not None and args.concurrency < 1:
        raise UsageError("--concurrency must be at least 1")
    name = args.guideline or catalogue.default()
    return CertificationRequest(
        programme=load_programme(name, args.programme, default),
        guideline_name=name,
        os_cloud=os_cloud,
        accounts_file=args.accounts,
        workers=Workers(args.concurrency) if args.concurrency else None,
        settings=parse_settings(args.settings),
        output=output,
        shard=parse_shard(text) if (text := vars(args).get("shard")) else None,
        quick=vars(args).get("mode") == QUICK,
    )
