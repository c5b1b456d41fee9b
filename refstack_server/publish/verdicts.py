"""Verdicts on stored results, recomputed by the client's code for each request."""

import functools
from pathlib import Path

import pydantic

from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes.run_attempts import RunAttempt, most_retries, retries_of
from refstack_server.intake import verify_upload
from refstack_server.settings import Settings
from refstack_server.store import blobs, packed_outcomes
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import Kind, Result
from scoring.conformance.verdict import Verdict, judge

_CACHED_BUNDLES = 64


class By(pydantic.BaseModel):
    """The guideline and programme to judge by; "" means those that the result was uploaded with."""

    guideline: str = ""
    programme: str = ""

    def or_of(self, result: Result) -> "By":
        """Return the same with empty values taken from a result."""
        return By(
            guideline=self.guideline or result.guideline or "",
            programme=self.programme or result.programme or "",
        )


def of(settings: Settings, result: Result, by: By) -> Verdict:
    """Return the verdict on a result by a programme.

    :raises InvalidError: no programme is named and the result was uploaded without one
    :raises NotFoundError: there is no such programme
    """
    chosen = by.or_of(result)
    guideline, name = chosen.guideline, chosen.programme
    if not guideline or not name:
        raise InvalidError("name a guideline and a programme: the result was uploaded without them")
    is_own = (guideline, name) == (result.guideline, result.programme)
    if is_own and result.kind == Kind.BUNDLE and result.sha256:
        return _of_bundle(settings.data, result.sha256)[0]
    programme = verify_upload.shipped_programme(guideline, name)
    starts = attempts(settings, result)
    counted = most_retries(retries_of(starts) if starts else None)
    return judge(programme, packed_outcomes.outcomes_of(result.outcomes), max_retries=counted)


def attempts(settings: Settings, result: Result) -> tuple[RunAttempt, ...]:
    """Return the starts of a bundle's run, the oldest first; other formats do not record them."""
    if result.kind != Kind.BUNDLE or not result.sha256:
        return ()
    return _of_bundle(settings.data, result.sha256)[1]


@functools.lru_cache(maxsize=_CACHED_BUNDLES)
def _of_bundle(data: Path, sha256: str) -> tuple[Verdict, tuple[RunAttempt, ...]]:
    """Return the verdict and the starts of the run from the bundle's own guideline and plan."""
    bundle = Bundle.unpack(blobs.read(data, sha256), sha256)
    return bundle.verdict, bundle.attempts
