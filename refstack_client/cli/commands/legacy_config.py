"""``config`` of RefStack v1: write a tempest.conf with which ``test`` can run."""

import dataclasses
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from capabilities.errors import GuidelineError
from refstack_client.cli import confirmation
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options import server as server_options
from refstack_client.errors import MachineError, UsageError
from refstack_client.files import write_private
from refstack_client.planning.request import CertificationRequest
from refstack_client.running import legacy_conf
from refstack_client.tempest import option_names
from refstack_client.tempest.settings import Setting

_DEFAULT = Path("etc") / "tempest.conf"
_ACCOUNTS = "accounts.yaml"
_PROGRAMMES = ("platform", "compute", "storage")
"""In the order in which they are tried, if none is named."""
_NEXT_OVERRIDE = re.compile(r",(?=[\w-]+\.\w+=)")


class Config(Command):
    """Write a tempest.conf for a cloud, with credentials, for the command test.

    For scripts written for the original refstack-client. Nothing is created in the cloud. See also:
    config show.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        parser.add_argument(
            "--use-test-accounts",
            metavar="FILE",
            type=Path,
            dest="accounts",
            help="the same as --accounts",
        )
        parser.add_argument(
            *("-o", "--output", "--out"),
            metavar="FILE",
            type=Path,
            default=_DEFAULT,
            help="file to write (default: %(default)s)",
        )
        parser.add_argument(
            "--image",
            metavar="NAME",
            help="name or ID of an image of the cloud, or a path or URL that ends in its name",
        )
        parser.add_argument(
            "--network-id", metavar="ID", help="network of the cloud that leads outside"
        )
        parser.add_argument(
            "--overrides",
            metavar="SECTION.OPTION=VALUE,…",
            default="",
            help="options of tempest.conf, separated by commas; see also --set",
        )
        parser.add_argument(
            *("-k", "--insecure"),
            action="store_true",
            help="accept any TLS certificate of the cloud",
        )
        server_options.add_unused_server(parser)
        parser.add_argument(
            "-y", action="store_true", dest="yes", help="overwrite files without asking"
        )
        server_options.add_silent(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        show = server_options.information(args)
        accounts = args.output.with_name(_ACCOUNTS)
        if not _may_write(args, (args.output,)):
            return EXIT_INTERRUPTED
        request = _with_old_options(args, _request(args))
        made = legacy_conf.compose(request, accounts)
        if made.accounts:
            if not _may_write(args, (accounts,)):
                return EXIT_INTERRUPTED
            _write(accounts, made.accounts)
            show(f"written: {accounts}")
        _write(args.output, made.text)
        show(f"written: {args.output}")
        for sentence in made.sentences:
            (say if sentence.startswith("warning:") else show)(sentence)
        show(f"next: refstack-client test -c {args.output}")
        return EXIT_OK


def _may_write(args: Namespace, paths: Sequence[Path]) -> bool:
    """Return whether the files may be written.

    :raises UsageError: one exists, and there is no way to ask
    """
    return all(
        args.yes
        or not path.exists()
        or confirmation.agreed_or_piped(f"{path} exists and will be overwritten", "-y")
        for path in paths
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a device, such as /dev/stdout
        else:
            write_private(path, text)
    except OSError as error:
        raise MachineError(
            f"{path}: {error.strerror}", hint="name a file that can be written with -o FILE"
        ) from error


def _request(args: Namespace) -> CertificationRequest:
    """Return the request for the named programme, or for the largest that the cloud offers."""
    if args.programme:
        return _of_programme(args)
    requests = []
    for name in _PROGRAMMES:
        args.programme = name
        try:
            requests.append(_of_programme(args))
        except GuidelineError:
            continue  # the guideline has no such programme
    args.programme = None
    return legacy_conf.first_supported(requests) if requests else _of_programme(args)


def _of_programme(args: Namespace) -> CertificationRequest:
    found = cloud_options.request(args, args.os_cloud, Path())
    cloud = dataclasses.replace(found.cloud, insecure=args.insecure)
    return dataclasses.replace(found, cloud=cloud)


def _with_old_options(args: Namespace, request: CertificationRequest) -> CertificationRequest:
    """Return the request with the settings that the original's options stand for."""
    settings = list(_overrides(args.overrides))
    if args.network_id:
        settings.append(Setting("network", "public_network_id", args.network_id))
    if args.image:
        if found := legacy_conf.image_id(request, args.image):
            settings.append(Setting("compute", "image_ref", found))
        else:
            say("--image has no effect: the cloud is not tested for servers")
    return dataclasses.replace(request, settings=(*settings, *request.settings))


def _overrides(text: str) -> Sequence[Setting]:
    """Read ``section.option=value,…``; a value may hold commas and be in quotes.

    :raises UsageError: an entry has another form
    """
    found = []
    for entry in filter(None, _NEXT_OVERRIDE.split(text)):
        name, equals, value = entry.partition("=")
        section, dot, option = name.strip().rpartition(".")
        if not (equals and dot and section and option):
            raise UsageError(
                f"--overrides: {entry}: expected section.option=value",
                hint="for example --overrides compute.flavor_ref=ID,validation.ssh_timeout=60",
            )
        try:
            option_names.check(section, option)
        except UsageError as error:
            say(f"warning: --overrides: {error}")
        found.append(Setting(section, option, _unquoted(value.strip())))
    return found


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
