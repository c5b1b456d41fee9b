"""The marks that a result supports, and the attestation that decides one of them, in words."""

from collections.abc import Iterator

from refstack_client.outcomes.attestation import YES, Attestation, Statement
from refstack_client.report import text as report_text
from refstack_server.publish import marks
from refstack_server.publish.marks import Attested
from refstack_server.store.schema import Kind, Result
from scoring.conformance.verdict import Verdict

_NOT_A_TEST = "A statement of the vendor, which no test checks."


def lines(verdict: Verdict, attested: Attested | None) -> Iterator[str]:
    """Yield whether a verdict supports each mark.

    :param attested: the attestation for the guideline and programme of the verdict
    """
    sections = verdict.programme.designated_sections
    found = report_text.marks(verdict, _of_client(verdict, attested) if attested else None)
    if attested or not sections:
        yield from found
        return
    yield next(found)
    yield (
        f"{marks.POWERED}: not attested. The result has no attestation of the designated sections "
        f"of {', '.join(sections)} for {verdict.programme.guideline.id} {verdict.programme.key}."
    )


def _of_client(verdict: Verdict, attested: Attested) -> Attestation:
    return Attestation(
        guideline=verdict.programme.guideline.id,
        sha256=verdict.programme.guideline.digest,
        programme=verdict.programme.key,
        product=attested.product or "",
        by=attested.by or "the vendor",
        date=attested.date,
        sections=tuple(Statement(name, answer) for name, answer in attested.sections.items()),
    )


def sentences(result: Result, *, sees_all: bool) -> Iterator[str]:
    """Yield what the vendor attests, or that there is no attestation; nothing without sections."""
    sections = marks.sections(result)
    if not sections:
        return
    attested = marks.attested(result, sees_all=sees_all)
    if attested is None:
        upload = "bundle" if result.kind == Kind.BUNDLE else "upload"
        yield (
            f"None: the {upload} has no attestation of the designated sections of "
            f"{', '.join(sections)}. The result does not support {marks.POWERED}."
        )
        return
    yes = [name for name, answer in attested.sections.items() if answer == YES]
    by = f" by {attested.by}" if attested.by else ""
    product = f" for {attested.product}" if attested.product else ""
    yield (
        f"Of {attested.date}{by}{product}: uses the designated sections of "
        f"{', '.join(yes) or 'no component'}."
    )
    if attested.missing:
        yield f"Not of {', '.join(attested.missing)}."
    yield f"Signed with {attested.signer}." if attested.signer else "No signature of its own."
    yield _NOT_A_TEST
