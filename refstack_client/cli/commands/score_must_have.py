"""``score must-have``: recommendation beside decision, the gap, and the draft that follows."""

from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from capabilities import catalogue, process_rules, reader
from capabilities.finding import Finding, Severity
from refstack_client.cli.command import Lister, say
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT
from refstack_client.cli.options import worksheet as worksheet_options
from refstack_client.cli.options.worksheet import interval
from refstack_client.files import json_text, write_over
from refstack_client.planning import guideline_source
from scoring.committee import next_guideline
from scoring.committee.proposal import Proposal, propose


class MustHave(Lister):
    """List what scores and process recommend beside what is decided; with -o write the draft.

    What does not agree is told on stderr. Exit code 4 if the process forbids a decision.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        worksheet_options.add_decisions(parser)
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, help="write the draft guideline (JSON)"
        )
        parser.add_argument("--name", default="next", help="id of the draft (default: %(default)s)")
        return parser

    def take_action(self, args: Namespace):
        args.guideline = args.guideline or catalogue.default()
        chosen, sheet = worksheet_options.load(args)
        previous = worksheet_options.load_previous(args)
        proposal = propose(sheet.rows, chosen, previous, worksheet_options.load_decisions(args))
        _say(proposal.findings)
        if args.output and proposal.gated_elsewhere:
            names = ", ".join(proposal.gated_elsewhere)
            say(f"warning: {names}: of another programme, needs an admin: deprecated in the draft")
        wrong = [each for each in proposal.findings if each.severity is Severity.ERROR]
        if args.output and not wrong:
            before = reader.document(guideline_source.content(args.guideline), args.guideline)
            wrong = _write(
                args.output, next_guideline.document(proposal, before, args.name), proposal
            )
        if wrong:
            self.exit_code = EXIT_BAD_INPUT
            say(f"{len(wrong)} errors" + (f": {args.output} was not written" * bool(args.output)))
        columns = ("capability", "total", "before", "recommended", "against")
        return (*columns, "decided", "reason", "author", "date", "proposed"), (
            (
                each.capability,
                interval(each.total),
                str(each.was or ""),
                str(each.recommended),
                "; ".join(each.against),
                each.decision.decision,
                each.decision.reason,
                each.decision.author,
                each.decision.date,
                str(each.proposed or ""),
            )
            for each in proposal.recommendations
        )


def _write(path: Path, document: Mapping[str, Any], proposal: Proposal) -> list[Finding]:
    """Write the draft unless ``guideline check`` would refuse it; return its errors."""
    text = json_text(document)
    guideline, findings = reader.parse(text.encode(), path.name)
    findings += process_rules.check(guideline)
    findings += process_rules.check_change(guideline, proposal.previous.guideline)
    wrong = [each for each in findings if each.severity is Severity.ERROR]
    for each in wrong:
        say(f"error: {each.pointer}: {each.message} ({each.clause})")
    if not wrong:
        write_over(path, text.encode())
        say(f"written: {path}, a draft to follow {proposal.previous.guideline.id}")
    return wrong


def _say(findings: Iterable[Finding]) -> None:
    """Tell findings, one line for all capabilities of which the same is said."""
    names = defaultdict(list)
    for each in findings:
        clause = f" ({each.clause})" if each.clause else ""
        names[each.severity, f"{each.message}{clause}"].append(each.pointer)
    for (severity, message), capabilities in names.items():
        say(f"{severity}: {', '.join(capabilities)}: {message}")
