"""Declare the options about clouds and runs that several commands share."""

import os
from argparse import ArgumentParser, Namespace, _MutuallyExclusiveGroup
from pathlib import Path

from capabilities import catalogue
from refstack_client.cli.options.guideline import PLATFORM, load_programme
from refstack_client.cli.options.selection import add_selection
from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import UsageError
from refstack_client.outcomes.run_attempts import RETRY_BUDGET
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import parse_shard
from refstack_client.planning.workers import Workers
from refstack_client.tempest.settings import LOG_IN_TO_GUESTS, parse_settings

FULL, QUICK = "full", "quick"


def add_cloud(parser: ArgumentParser) -> None:
    """Add the options about the cloud and how to test it."""
    add_selection(parser)
    parser.add_argument(
        "--accounts",
        metavar="FILE",
        type=Path,
        help="accounts file of Tempest, with project users to test as; needs no admin credentials",
    )
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=int,
        help="number of tests to run at the same time (default: by processors and API latency)",
    )
    parser.add_argument(
        "--set",
        metavar="SECTION.OPTION=VALUE",
        dest="settings",
        action="append",
        default=[],
        help="option of tempest.conf; takes precedence over discovered values (may be repeated)",
    )
    parser.add_argument(
        "--guests",
        action="store_true",
        help="run the tests that log in to a guest by SSH, which must be reachable from here; name "
        "the user of the image with --set validation.image_ssh_user=NAME (default: guests: true in "
        "clouds.yaml, else such tests are skipped)",
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
        help="quick: one test for each required capability, or for each class of a list, and no "
        "verdict (default: %(default)s)",
    )
    part.add_argument(
        "--shard",
        metavar="I/N",
        help="run only part I of N parts; refstack-client merge joins the runs",
    )


def add_output(parser: ArgumentParser) -> None:
    """Add --output."""
    parser.add_argument(
        "--output",
        metavar="DIRECTORY",
        type=Path,
        default=Path(os.environ.get("REFSTACK_OUTPUT", "runs")),
        help="directory for the directory of the run (default: $REFSTACK_OUTPUT, else %(default)s)",
    )


def add_again(parser: ArgumentParser) -> _MutuallyExclusiveGroup:
    """Add the options about resuming a run; return a group for options that exclude it."""
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume",
        metavar="RUN",
        type=Path,
        help="directory of a run to resume: run the tests that have no outcome",
    )
    parser.add_argument(
        "--rerun-failed",
        action="store_true",
        help="with --resume: run only the failed tests again",
    )
    parser.add_argument(
        "--retry-budget",
        metavar="N",
        type=int,
        default=RETRY_BUDGET,
        help="how many times --rerun-failed may be used on a run (default: %(default)s)",
    )
    return again


def check_again(args: Namespace) -> None:
    """Check that the options about resuming fit together.

    :raises UsageError: they do not
    """
    if args.rerun_failed and not args.resume:
        raise UsageError(
            "--rerun-failed needs --resume RUN",
            hint="give the directory of the run with failed tests",
        )


def settings(args: Namespace) -> tuple[str, ...]:
    """Return the ``section.option=value`` of tempest.conf that the options name."""
    return (*((LOG_IN_TO_GUESTS,) if args.guests else ()), *args.settings)


def selection(args: Namespace, os_cloud: str | None) -> CloudSelection:
    """Return the cloud that the options select.

    :param os_cloud: its name in clouds.yaml; None for ``OS_CLOUD`` or the ``OS_*`` variables
    """
    return CloudSelection(os_cloud, args.os_region_name, args.os_interface)


def request(
    args: Namespace, os_cloud: str | None, output: Path, default: str = PLATFORM
) -> CertificationRequest:
    """Return the certification that the options describe; report findings of its guideline.

    :param default: the programme where none is named
    :raises UsageError: an option has an impossible value
    """
    if args.concurrency is not None and args.concurrency < 1:
        raise UsageError("--concurrency must be at least 1")
    name = args.guideline or catalogue.default(args.programme)
    return CertificationRequest(
        programme=load_programme(name, args.programme, default),
        guideline_name=name,
        cloud=selection(args, os_cloud),
        accounts_file=args.accounts,
        workers=Workers(args.concurrency) if args.concurrency else None,
        settings=parse_settings(settings(args)),
        output=output,
        shard=parse_shard(text) if (text := vars(args).get("shard")) else None,
        quick=vars(args).get("mode") == QUICK,
    )
