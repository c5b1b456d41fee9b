"""What ``test`` takes after ``--``: arguments of ``tempest run`` that select tests, or tests."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from refstack_client.errors import UsageError
from refstack_client.running.legacy_selection import API_TESTS, SMOKE, Selection

_REPLACED = {
    **dict.fromkeys(
        ("--workspace", "--workspace-path"), "tests run in a temporary workspace; use -c FILE"
    ),
    "--config-file": "use -c FILE before --",
    **dict.fromkeys(("--worker-file", "--worker_file"), "use --concurrency N before --"),
    **dict.fromkeys(
        ("--list-tests", "--list", "-l"), "use refstack-client guideline tests GUIDELINE --tempest"
    ),
    "--save-state": "use refstack-client certify, which lists what it cannot remove",
    "--subunit": "the run directory has the stream in stream.subunit",
    "--combine": "use refstack-client merge",
    "--until-failure": "repeat the command in a loop of the shell",
    **dict.fromkeys(("--pdb", "--path", "--print-exclude"), "use tempest run itself"),
}
"""Options that are not available here, and what replaces them."""


@dataclass(frozen=True)
class RunArguments:
    """The arguments after ``--``.

    :param load_list: path of a list of tests; "" for none
    :param concurrency: how many test classes run at a time; None without an argument
    :param parallel: whether an argument asks for parallel or serial execution; None if none does
    """

    selection: Selection
    load_list: str
    concurrency: int | None
    parallel: bool | None


class _Parser(ArgumentParser):
    """A parser whose errors are those of the command."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"after --: {message}", hint=_HINT)


_HINT = (
    "after -- are tests, or arguments of tempest run: --regex, --exclude-regex, --include-list, "
    "--exclude-list, --load-list, --smoke, --serial, --parallel, --concurrency"
)


def parse(words: Sequence[str]) -> RunArguments:
    """Read the arguments after ``--``; without any, the tests of ``tempest.api`` are selected.

    A word that is not an option is a regular expression, as for the original refstack-client.

    :raises UsageError: an argument is not known, or is replaced by another way
    """
    for word in words:
        if sentence := _REPLACED.get(word.partition("=")[0]):
            raise UsageError(f"after --: {word} is not available", hint=sentence)
    args = _parser().parse_args(words)
    names = (*args.tests, *filter(None, (args.regex, args.no_discover)))
    regexes = (*names, SMOKE) if args.smoke else names
    selects = any((regexes, args.include_list, args.exclude_list, args.exclude_regex))
    return RunArguments(
        selection=Selection(
            regexes=regexes if selects else (API_TESTS,),
            include_list=args.include_list,
            exclude_regex=args.exclude_regex or "",
            exclude_list=args.exclude_list,
        ),
        load_list=args.load_list or "",
        concurrency=args.concurrency or None,
        parallel=args.parallel,
    )


def _parser() -> ArgumentParser:
    parser = _Parser(prog="test --", add_help=False, allow_abbrev=False)
    parser.add_argument("tests", nargs="*")
    parser.add_argument("--regex", "-r")
    parser.add_argument("--no-discover", "-n")
    parser.add_argument("--smoke", "-s", action="store_true")
    for name, old in (("include", "whitelist"), ("exclude", "blacklist")):
        parser.add_argument(
            *(f"--{name}-list", f"--{name}_list", f"--{old}-file", f"--{old}_file"), type=Path
        )
    parser.add_argument("--exclude-regex", "--black-regex")
    parser.add_argument("--load-list", "--load_list")
    parser.add_argument("--concurrency", "-w", type=int)
    parser.add_argument("--parallel", action="store_true", default=None)
    parser.add_argument("--serial", "-t", dest="parallel", action="store_false")
    # These are about output that is not made here.
    for option in ("--slowest", "--no-slowest", "--pretty", "--no-pretty"):
        parser.add_argument(option, action="store_true")
    return parser
