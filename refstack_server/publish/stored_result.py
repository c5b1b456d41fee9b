"""A stored result as far as a reader may see it, and the verdicts on it.

It is independent of the database, so that a worker process can judge it.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import pydantic

from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes import public_text
from refstack_client.outcomes.run_attempts import RunAttempt, most_retries, retries_of
from refstack_server.intake import verify_upload
from refstack_server.publish import public_view
from refstack_server.store import blobs, packed_outcomes
from refstack_server.store.errors import InvalidError
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import Kind, Result
from scoring.conformance.verdict import Verdict, judge

_CACHED_BUNDLES, _CACHED_VERDICTS = 8, 8


class By(pydantic.BaseModel):
    """The guideline and programme to judge by; "" means those that the result was uploaded with."""

    guideline: str = ""
    programme: str = ""


@dataclass(frozen=True)
class StoredResult:
    """A result with its packed outcomes, and the data directory of the server.

    ``sees_all`` is true for the owner and the Foundation; other readers do not see URLs, hosts and
    ids of the cloud.
    """

    data: Path
    id: str
    kind: str
    sha256: str | None
    guideline: str | None
    programme: str | None
    outcomes: bytes
    sees_all: bool

    def judged_by(self, by: By) -> By:
        """Return the guideline and programme, "" where the result was uploaded without them."""
        return By(
            guideline=by.guideline or self.guideline or "",
            programme=by.programme or self.programme or "",
        )

    def verdict(self, by: By) -> Verdict:
        """Return the verdict on the result by a programme.

        :raises InvalidError: no programme is named and the result was uploaded without one
        :raises NotFoundError: there is no such programme
        """
        chosen = self.judged_by(by)
        return _verdict(self, chosen.guideline, chosen.programme)

    @property
    def is_bundle(self) -> bool:
        """Whether the result was uploaded as a bundle."""
        return self.kind == Kind.BUNDLE and self.sha256 is not None

    def attempts(self) -> tuple[RunAttempt, ...]:
        """Return the starts of a bundle's run, the oldest first; other formats have none."""
        return _of_bundle(self.data, str(self.sha256))[1] if self.is_bundle else ()

    def entries(self) -> tuple[Entry, ...]:
        """Return every outcome in order, as far as the reader may see names and reasons."""
        entries = packed_outcomes.unpack(self.outcomes)
        if self.sees_all:
            return entries
        shown = public_text.text
        return tuple(
            entry._replace(name=shown(entry.name), reason=shown(entry.reason)) for entry in entries
        )


def stored_result(data: Path, result: Result, *, sees_all: bool) -> StoredResult:
    """Return a result of the database; its outcomes are read."""
    return StoredResult(
        data,
        result.id,
        result.kind,
        result.sha256,
        result.guideline,
        result.programme,
        result.outcomes,
        sees_all,
    )


@functools.lru_cache(maxsize=_CACHED_BUNDLES)
def _of_bundle(data: Path, sha256: str) -> tuple[Verdict, tuple[RunAttempt, ...]]:
    """Return the verdict and the starts of the run from the bundle's own guideline and plan."""
    bundle = Bundle.unpack(blobs.read(data, sha256), sha256)
    return bundle.verdict, bundle.attempts


@functools.lru_cache(maxsize=_CACHED_VERDICTS)
def _verdict(result: StoredResult, guideline: str, programme: str) -> Verdict:
    """Return a verdict as far as the reader may see it; page, table and document show the same."""
    whole = _whole_verdict(result, guideline, programme)
    return whole if result.sees_all else public_view.verdict(whole)


def _whole_verdict(result: StoredResult, guideline: str, programme: str) -> Verdict:
    if not guideline or not programme:
        raise InvalidError("name a guideline and a programme: the result was uploaded without them")
    is_own = (guideline, programme) == (result.guideline, result.programme)
    if is_own and result.is_bundle:
        return _of_bundle(result.data, str(result.sha256))[0]
    chosen = verify_upload.shipped_programme(guideline, programme)
    starts = result.attempts()
    counted = most_retries(retries_of(starts) if starts else None)
    return judge(chosen, packed_outcomes.outcomes_of(result.outcomes), max_retries=counted)
