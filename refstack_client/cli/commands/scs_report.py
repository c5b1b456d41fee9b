"""``scs report|submit``: report a run to the compliance monitor of Sovereign Cloud Stack."""

import base64
import binascii
import getpass
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from refstack_client.bundle import pack, scs_report, ssh_signature
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.verify import Trust, verify_bundle
from refstack_client.cli.command import Command, say, show_lines
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import files as file_options
from refstack_client.errors import InputError, UsageError
from refstack_client.files import read_bytes, write_over
from refstack_client.outcomes import run_directory
from refstack_client.planning import guideline_source
from refstack_client.report import scs_test_cases
from refstack_client.upload import scs_monitor
from scoring.conformance.verdict import Verdict


class Report(Command):
    """Write the report about runs of SCS-0128 for SCS's compliance monitor, and sign it.

    Each run is packed as a bundle, and each bundle is verified first. The signature is written to
    FILE.sig. See also: scs submit.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "results",
            metavar="RUN|BUNDLE",
            type=Path,
            nargs="+",
            help="run directory or bundle; several are reported in one file",
        )
        parser.add_argument(
            "--subject",
            metavar="NAME",
            dest="subjects",
            action="append",
            required=True,
            help="the cloud, as the monitor knows it; repeat it to give each run its own, in order",
        )
        file_options.add_key(parser, required=True)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            type=Path,
            required=True,
            help="file to write; an earlier one is kept as FILE~",
        )
        parser.add_argument(
            "--guideline",
            metavar="FILE",
            help="a list to trust that is not shipped with this release: file or URL",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the report and its signature."""
        trusted = guideline_source.load(args.guideline)[0] if args.guideline else None
        trust = Trust(any_signer=True, guideline=trusted)
        subjects = _subjects(args.subjects, len(args.results))
        verified = [_verified(path, trust) for path in args.results]
        _check_different(args.results, [bundle for bundle, _ in verified])
        documents = [
            scs_report.document(bundle, verdict, subject)
            for (bundle, verdict), subject in zip(verified, subjects, strict=True)
        ]
        content = scs_report.yaml_text(documents)
        signature = ssh_signature.sign(content, args.key, scs_report.NAMESPACE)
        for path, part in ((args.output, content), (_signature_of(args.output), signature)):
            write_over(path, part)
            say(f"written: {path}")
        for (_, verdict), subject in zip(verified, subjects, strict=True):
            (result,) = scs_test_cases.lines(
                {scs_test_cases.WHOLE: scs_test_cases.results(verdict)[scs_test_cases.WHOLE]}
            )
            show_lines([f"{subject}  {result}"])
        if len(set(subjects)) < len(subjects):
            say("warning: several runs have one subject, of which the monitor shows the latest")
            say("hint:  give each region a subject of its own: repeat --subject")
        return EXIT_OK


def _subjects(names: Sequence[str], number: int) -> Sequence[str]:
    """Return the subject of each run."""
    for name in names:
        if not name.strip() or not name.isprintable():
            raise UsageError("--subject must be a name", hint="give it as the monitor shows it")
    if len(names) not in (1, number):
        raise UsageError(
            f"--subject is given {len(names)} times, for {number} runs",
            hint="give one for all, or one for each in the same order",
        )
    return names if len(names) == number else [names[0]] * number


def _verified(path: Path, trust: Trust) -> tuple[Bundle, Verdict]:
    """Return a verified bundle, that of a run if it is one, and its verdict.

    :raises InputError: it is not of a run of SCS-0128, or a check failed
    """
    if path.is_dir():
        bundle = Bundle(pack.make(pack.of_run(run_directory.Run(path))))
    else:
        bundle = Bundle.read(path)
    scs_report.check_of_standard(bundle, str(path))
    found = verify_bundle(bundle, trust)
    failed = [check for check in found.checks if not check.passed]
    if failed or found.verdict is None:
        raise InputError(
            f"{path} is not valid: {failed[0].name}: {failed[0].found}",
            hint="a list that is not shipped is trusted with --guideline FILE"
            if failed[0].name == "guideline"
            else "refstack-client bundle verify --any-signer shows all checks of a bundle",
        )
    return bundle, found.verdict


def _check_different(paths: Sequence[Path], bundles: Iterable[Bundle]) -> None:
    """Check that no run is reported twice: the monitor would refuse all of them.

    :raises UsageError: one is
    """
    known: dict[str, Path] = {}
    for path, bundle in zip(paths, bundles, strict=True):
        report = str(scs_report.uuid_of(bundle))
        if report in known:
            raise UsageError(
                f"{known[report]} and {path} are the same run", hint="leave one of them out"
            )
        known[report] = path


def _signature_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sig")


class Submit(Command):
    """Send a report and its signature to SCS's compliance monitor.

    The account is that of the subject, or one that may report for it. Without --auth its password
    is asked for on the terminal.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "report",
            metavar="FILE",
            type=Path,
            help="report written by scs report; its signature is FILE.sig",
        )
        parser.add_argument("url", metavar="URL", help="URL of the monitor, without /reports")
        parser.add_argument(
            "--account",
            metavar="NAME",
            help="account on the monitor (default: that of --auth, else the subject of the report)",
        )
        parser.add_argument(
            "--auth",
            metavar="FILE",
            type=Path,
            help="file with ACCOUNT:PASSWORD, or that in Base64 as SCS's own tools have it",
        )
        parser.add_argument(
            "--cacert",
            metavar="FILE",
            type=Path,
            help="CA certificates to trust, PEM (default: those of the system)",
        )
        parser.add_argument(
            *("-k", "--insecure"),
            action="store_true",
            help="accept any TLS certificate, and HTTP, by which others can read the password",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Send the report."""
        monitor = scs_monitor.server(args.url, insecure=args.insecure)
        content, signature = _read_signed(args.report)
        documents = _documents(content, args.report)
        header = scs_monitor.basic(*_account(args, documents))
        if args.insecure:
            say("warning: TLS certificates are not checked")
        monitor = replace(monitor, cacert=args.cacert, authorize=lambda: {"Authorization": header})
        scs_monitor.submit(monitor, signature, content, say)
        for document in documents:
            show_lines([f"{document['subject']}  {document['run']['uuid']}"])
        number = "1 report" if len(documents) == 1 else f"{len(documents)} reports"
        say(f"submitted: {number} to {monitor.url}")
        return EXIT_OK


def _read_signed(path: Path) -> tuple[bytes, bytes]:
    """Return a report and its signature.

    :raises InputError: there is no signature, or it is not of this report
    """
    content, sig = read_bytes(path), _signature_of(path)
    if not sig.exists():
        raise InputError(
            f"{path} has no signature {sig}", hint="write both with refstack-client scs report"
        )
    signature = read_bytes(sig)
    try:
        ssh_signature.check_form(signature)
        ssh_signature.check(content, signature, scs_report.NAMESPACE)
    except ssh_signature.SignatureError as error:
        raise InputError(
            f"{sig} is not the signature of {path}: {error}",
            hint="write both again with refstack-client scs report",
        ) from error
    return content, signature


def _documents(content: bytes, path: Path) -> list[Mapping[str, Any]]:
    """Return the reports in a file.

    :raises InputError: it has another form
    """
    try:
        found = list(yaml.safe_load_all(content))
        if found and all(one["subject"] and one["run"]["uuid"] for one in found):
            return found
    except (yaml.YAMLError, ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InputError(
        f"{path} is not a report for SCS", hint="write one with refstack-client scs report"
    )


def _account(args: Namespace, documents: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return the account on the monitor and its password."""
    if args.auth:
        account, password = _of_file(args.auth)
        if args.account not in (None, account):
            raise UsageError(f"--auth {args.auth} is for {account}, not {args.account}")
        return account, password
    account = args.account or str(documents[0]["subject"])
    if not sys.stdin.isatty():
        raise UsageError(
            f"cannot ask for the password of {account}, there is no terminal",
            hint="give a file with ACCOUNT:PASSWORD: --auth FILE",
        )
    return account, getpass.getpass(f"password of {account}: ")


def _of_file(path: Path) -> tuple[str, str]:
    """Return account and password in a file.

    :raises InputError: it has another form, or other users can read it
    """
    text = read_bytes(path).decode(errors="replace").strip()
    if path.stat().st_mode & 0o077:
        say(f"warning: other users can read {path}: chmod 600 {path}")
    if ":" not in text:
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            text = ""
    account, colon, password = text.partition(":")
    if not colon or not account or "\n" in text:
        raise InputError(
            f"{path} has no account and password", hint="write one line: ACCOUNT:PASSWORD"
        )
    return account, password
