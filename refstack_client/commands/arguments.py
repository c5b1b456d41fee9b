"""Options that several commands share."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import platformdirs

from capabilities import catalogue, programme
from capabilities.programme import Programme
from refstack_client import certify, tempest_conf
from refstack_client.command import say
from refstack_client.errors import UsageError

MOST_WORKERS = 4


def add_guideline(parser: ArgumentParser, default_programme: str | None = "platform") -> None:
    parser.add_argument(
        "--guideline",
        metavar="ID|FILE",
        default=os.environ.get("REFSTACK_GUIDELINE"),
        help="a shipped guideline or a guideline file (default: the newest approved one)",
    )
    parser.add_argument(
        "--programme",
        metavar="NAME",
        default=os.environ.get("REFSTACK_PROGRAMME", default_programme),
        help="platform, compute or storage"
        + (f" (default: {default_programme})" if default_programme else ""),
    )


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


def request(args: Namespace, os_cloud: str | None, output: Path, default: str) -> certify.Request:
    """Return what was asked for, saying what is odd about the guideline.

    :param default: the programme where none is named
    :raises UsageError: an option has an impossible value
    """
    if args.concurrency < 1:
        raise UsageError("--concurrency must be at least 1")
    name = args.guideline or catalogue.default()
    return certify.Request(
        programme=load_programme(name, args.programme or default),
        guideline_name=name,
        os_cloud=os_cloud,
        accounts_file=args.accounts,
        concurrency=args.concurrency,
        settings=tempest_conf.parse_settings(args.settings),
        output=output,
    )


def load_programme(guideline_name: str, programme_name: str) -> Programme:
    guideline, findings = catalogue.load(guideline_name)
    for finding in findings:
        say(f"{finding.severity}: {guideline_name}: {finding.pointer}: {finding.message}")
    return programme.find(guideline, programme_name)
