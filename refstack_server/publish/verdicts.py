"""Verdicts on stored results, made again whenever they are asked for, by the client's code."""

import functools
from pathlib import Path

import pydantic

from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes.run_directory import RunAttempt
from refstack_server.intake import verify_upload
from refstack_server.settings import Settings
from refstack_server.store import blobs, packed_outcomes
from refstack_server.store.schema import Kind, Result
from refstack_server.web.errors import RefusedError, bad_request
from scoring.conformance.verdict import Verdict, judge

_REMEMBERED = 64
OLD_NAMES = {"object": "storage"}
"""What RefStack v1 calls otherwise than the guidelines do."""


class By(pydantic.BaseModel):
    """By which programme of which guideline; without, by those a result was sent with."""

    guideline: str = ""
    programme: str = ""

    def or_of(self, result: Result) -> "By":
        """Return the same with what is not named as the result was sent with."""
        return By(
            guideline=self.guideline or result.guideline or "",
            programme=self.programme or result.programme or "",
        )


def of(settings: Settings, result: Result, by: By) -> Verdict:
    """Return the verdict on a result by a programme.

    :raises RefusedError: 404, there is no such programme; 400, none is named and it has none
    """
    whole = by.or_of(result)
    guideline, name = whole.guideline, whole.programme
    if not guideline or not name:
        raise bad_request("name a guideline and a programme: this result came without")
    own = (guideline, name) == (result.guideline, result.programme)
    if own and result.kind == Kind.BUNDLE and result.sha256:
        return _of_bundle(settings.data, result.sha256)[0]
    entries = packed_outcomes.unpack(result.outcomes)
    return judge(verify_upload.shipped_programme(guideline, name), packed_outcomes.judged(entries))


def judge_passes(result: Result, guideline: str, target: str) -> None:
    """Judge what an old client sent by what was written beside it; what is none judges nothing."""
    by = guideline.removesuffix(".json"), OLD_NAMES.get(target, target)
    try:
        chosen = verify_upload.shipped_programme(*by)
    except RefusedError:
        result.guideline = result.programme = result.conformance = None
        return
    verdict = judge(chosen, packed_outcomes.judged(packed_outcomes.unpack(result.outcomes)))
    result.guideline, result.programme = chosen.guideline.id, chosen.key
    result.conformance = str(verdict.conformance)


def attempts(settings: Settings, result: Result) -> tuple[RunAttempt, ...]:
    """Return how often a bundle's run was started, oldest first; nothing else tells of it."""
    if result.kind != Kind.BUNDLE or not result.sha256:
        return ()
    return _of_bundle(settings.data, result.sha256)[1]


@functools.lru_cache(maxsize=_REMEMBERED)
def _of_bundle(data: Path, sha256: str) -> tuple[Verdict, tuple[RunAttempt, ...]]:
    """Return what follows from the bundle alone, its own guideline and plan included."""
    bundle = Bundle.unpack(blobs.read(data, sha256), sha256)
    return bundle.verdict, bundle.attempts
