"""Verdicts on results in RefStack v1's format: a list of passed tests with metadata."""

from capabilities import refstack_list
from refstack_server.intake.verify_upload import shipped_programme
from refstack_server.store import packed_outcomes
from refstack_server.store.errors import NotFoundError
from refstack_server.store.results import GUIDELINE, TARGET
from refstack_server.store.schema import Kind, Result
from scoring.conformance.verdict import judge


def judge_passes(result: Result) -> None:
    """Judge a result by the guideline and target in its metadata.

    Without a known guideline and programme the result has no verdict. Results in other formats are
    judged when they are uploaded and stay as they are.
    """
    if result.kind != Kind.PASSES:
        return
    guideline = (result.meta_value(GUIDELINE) or "").removesuffix(".json")
    target = result.meta_value(TARGET) or ""
    try:
        programme = shipped_programme(guideline, refstack_list.PROGRAMMES.get(target, target))
    except NotFoundError:
        result.guideline = result.programme = result.conformance = None
        return
    verdict = judge(programme, packed_outcomes.outcomes_of(result.outcomes))
    result.guideline, result.programme = programme.guideline.id, programme.key
    result.conformance = str(verdict.conformance)
