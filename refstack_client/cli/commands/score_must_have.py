"""``score must-have``: list recommendations and decisions, and write the next guideline."""

from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from capabilities import catalogue, process_rules, reader
from capabilities.finding import Finding, Severity
from refstack_client.cli.command import Lister, Table, say
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT
from refstack_client.cli.options import worksheet as worksheet_options
from refstack_client.cli.options.worksheet import interval
from refstack_client.files import json_text, write_over
from refstack_client.planning import guideline_source
from scoring.committee import next_guideline
from scoring.committee.proposal import Proposal, propose


class MustHave(Lister):
    """List recommended and decided statuses of capabilities; -o writes a draft guideline.

    Findings are shown on stderr. The exit code is 4 if the process forbids a decision.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        worksheet_options.add_decisions(parser)
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, help="draft guideline to write (JSON)"
        )
        parser.add_argument("--name", default="next", help="ID of the draft (default: %(default)s)")
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        args.guideline = args.guideline or catalogue.default()
        chosen, sheet = worksheet_options.load(args)
        previous = worksheet_options.load_previous(args)
        proposal = propose(sheet.rows, chosen, previous, worksheet_options.load_decisions(args))
        _say(proposal.findings)
        if args.output and proposal.gated_elsewhere:
            names = ", ".join(proposal.gated_elsewhere)
            say(f"warning: {names}: deprecated in the draft: needs admin credentials")
        wrong = [finding for finding in proposal.findings if finding.severity is Severity.ERROR]
        if args.output and not wrong:
            before = reader.document(guideline_source.content(args.guideline), args.guideline)
            wrong = _write(
                args.output, next_guideline.document(proposal, before, args.name), proposal
            )
        if wrong:
            self.exit_code = EXIT_BAD_INPUT
            errors = "1 error" if len(wrong) == 1 else f"{len(wrong)} errors"
            say(errors + (f": {args.output} not written" * bool(args.output)))
        columns = ("capability", "total", "before", "recommended", "against")
        return (*columns, "decided", "reason", "author", "date", "proposed"), (
            (
                row.capability,
                interval(row.total),
                str(row.was or ""),
                str(row.recommended),
                "; ".join(row.against),
                row.decision.decision,
                row.decision.reason,
                row.decision.author,
                row.decision.date,
                str(row.proposed or ""),
            )
            for row in proposal.recommendations
        )


def _write(path: Path, document: Mapping[str, Any], proposal: Proposal) -> list[Finding]:
    """Write the draft unless ``guideline check`` finds errors; return them."""
    text = json_text(document)
    guideline, findings = reader.parse(text.encode(), path.name)
    findings += process_rules.check(guideline)
    findings += process_rules.check_change(guideline, proposal.previous.guideline)
    wrong = [finding for finding in findings if finding.severity is Severity.ERROR]
    for finding in wrong:
        say(f"error: {finding.pointer}: {finding.message} ({finding.clause})")
    if not wrong:
        write_over(path, text.encode())
        say(f"written: {path}, a draft to follow {proposal.previous.guideline.id}")
    return wrong


def _say(findings: Iterable[Finding]) -> None:
    """Report findings, one line for all capabilities with the same message."""
    names = defaultdict(list)
    for finding in findings:
        clause = f" ({finding.clause})" if finding.clause else ""
        names[finding.severity, f"{finding.message}{clause}"].append(finding.pointer)
    for (severity, message), capabilities in names.items():
        say(f"{severity}: {', '.join(capabilities)}: {message}")
