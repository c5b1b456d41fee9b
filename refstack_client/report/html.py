"""The verdict as one HTML page that needs no other file."""

from collections.abc import Mapping
from typing import Any

from capabilities.guideline import Status
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_attempts import Retries
from refstack_client.report import document, groups, text
from scoring.conformance.verdict import Verdict
from scoring.formats import html_templates


def page(
    verdict: Verdict,
    plan: PlanRecord | None = None,
    retries: Retries | None = None,
    attestation: Attestation | None = None,
) -> str:
    """Return the page; ``plan`` adds where and as whom the tests ran."""
    template = html_templates.template("refstack_client.report", "report.html")
    variables = {**context(verdict, retries, attestation), "plan": plan, "generator": generator()}
    return template.render(variables)


def generator() -> str:
    """Return the program and template of a page: with the same, the same results give the same."""
    digest = html_templates.digest("refstack_client.report", "report.html")
    return f"refstack-client report {digest}"


def earlier_header(header: str, verdict: Verdict) -> str:
    """Return the text of a page's header as earlier releases had it, other words for a list."""
    counts = document.counts(verdict)
    if not text.is_list(verdict):
        return header
    title = f"{verdict.programme.name} · list of {counts['total']} tests"
    before = f"{verdict.programme.name} · guideline {verdict.programme.guideline.id}"
    passed = f"— {counts['passed']}/{counts['total']} required tests passed"
    return header.replace(title, before, 1).replace(f"— {text.counted(verdict)}", passed, 1)


def context(
    verdict: Verdict, retries: Retries | None = None, attestation: Attestation | None = None
) -> Mapping[str, Any]:
    """Return the variables of the template ``report.html``, without a plan."""
    return {
        "verdict": verdict,
        "counts": document.counts(verdict),
        "is_list": text.is_list(verdict),
        "counted": text.counted(verdict),
        "damage": text.damaged(verdict),
        "headline": text.headline(verdict),
        "words": text.WORDS,
        "groups": groups.groups(verdict),
        "bases": [text.headline(base) for base in verdict.bases],
        "heading_to_fix": next(text.to_fix(verdict), ""),
        "to_fix": groups.to_fix(verdict),
        "marks": list(text.marks(verdict, attestation)),
        "statuses": [
            (status, [part for part in verdict.capabilities if part.status is status])
            for status in Status
        ],
        "plan": None,
        "retries": text.used_retries(verdict, retries) if retries else "",
        "repeated": text.passed_when_repeated(verdict),
    }
